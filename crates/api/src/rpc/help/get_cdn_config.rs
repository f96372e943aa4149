//! `help.getCdnConfig`: no files are ever fetched from elsewhere.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(_: &mut Cx, _: functions::help::GetCdnConfig) -> Result<enums::CdnConfig, Error> {
    Ok(types::CdnConfig {
        public_keys: Vec::new(),
    }
    .into())
}

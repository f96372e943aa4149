//! `langpack.getDifference`: what changed in a language pack, which is nothing.

use havre_tl::{enums, functions, types};

use super::VERSION;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(
    _: &mut Cx,
    request: functions::langpack::GetDifference,
) -> Result<enums::LangPackDifference, Error> {
    Ok(types::LangPackDifference {
        from_version: request.from_version,
        version: VERSION,
        lang_code: request.lang_code,
        strings: Vec::new(),
    }
    .into())
}

//! `help.getTermsOfServiceUpdate`: there are no terms to accept.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// When clients are to ask again, seconds.
const EXPIRES: i64 = 30 * 24 * 3600;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(
    cx: &mut Cx,
    _: functions::help::GetTermsOfServiceUpdate,
) -> Result<enums::help::TermsOfServiceUpdate, Error> {
    Ok(types::help::TermsOfServiceUpdateEmpty {
        expires: cx.world.now.plus(EXPIRES).date(),
    }
    .into())
}

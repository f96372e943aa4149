//! `langpack.getLanguages`: English.

use havre_tl::{enums, functions};

use super::english;
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
    _: functions::langpack::GetLanguages,
) -> Result<Vec<enums::LangPackLanguage>, Error> {
    Ok(vec![english().into()])
}

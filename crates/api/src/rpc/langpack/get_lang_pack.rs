//! `langpack.getLangPack`: a whole language pack. It is empty: clients bring their own English.

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
    request: functions::langpack::GetLangPack,
) -> Result<enums::LangPackDifference, Error> {
    Ok(types::LangPackDifference {
        from_version: 0,
        version: VERSION,
        lang_code: request.lang_code,
        strings: Vec::new(),
    }
    .into())
}

//! `langpack.getLanguage`: one language.

use havre_tl::{enums, functions};

use super::english;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 LANG_CODE_NOT_SUPPORTED` for every language but English.
pub async fn call(
    _: &mut Cx,
    request: functions::langpack::GetLanguage,
) -> Result<enums::LangPackLanguage, Error> {
    if request.lang_code != english().lang_code {
        return Err(RpcError::LANG_CODE_NOT_SUPPORTED.into());
    }
    Ok(english().into())
}

//! `langpack.getStrings`: strings by key. None is ours, so each is said to be deleted and clients show their own.

use havre_tl::{enums, functions, types};

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
    request: functions::langpack::GetStrings,
) -> Result<Vec<enums::LangPackString>, Error> {
    let deleted = |key| types::LangPackStringDeleted { key }.into();
    Ok(request.keys.into_iter().map(deleted).collect())
}

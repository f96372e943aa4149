//! `messages.getDialogFilters`: the folders that a person made; only the one that shows everything exists.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(
    _: &mut Cx,
    _: functions::messages::GetDialogFilters,
) -> Result<enums::messages::DialogFilters, Error> {
    let filters = vec![enums::DialogFilter::DialogFilterDefault];
    Ok(types::messages::DialogFilters {
        tags_enabled: false,
        filters,
    }
    .into())
}

//! `help.getNearestDc`: the one data centre there is.

use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(cx: &mut Cx, _: functions::help::GetNearestDc) -> Result<enums::NearestDc, Error> {
    // Where an address lies is not looked up: without a country, clients ask the system that they run on.
    Ok(types::NearestDc {
        country: String::new(),
        this_dc: cx.dc_id,
        nearest_dc: cx.dc_id,
    }
    .into())
}

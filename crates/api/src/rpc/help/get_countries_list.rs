//! `help.getCountriesList`: countries and their calling codes.

use havre_tl::{Serialize as _, enums, functions, types};

use super::answer_hash;
use crate::content::countries;
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
    request: functions::help::GetCountriesList,
) -> Result<enums::help::CountriesList, Error> {
    let countries = countries::countries();
    let hash = answer_hash(&countries.to_bytes());
    if request.hash == hash {
        return Ok(enums::help::CountriesList::CountriesListNotModified);
    }
    Ok(types::help::CountriesList { countries, hash }.into())
}

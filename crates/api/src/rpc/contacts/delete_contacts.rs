//! `contacts.deleteContacts`: people are contacts no more.

use havre_domain::contacts;
use havre_domain::limits::CONTACTS_MAX;
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. People who were no contacts are passed over.
///
/// # Errors
/// `400 USER_ID_INVALID`, `400 USERS_TOO_MUCH`.
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::DeleteContacts,
) -> Result<enums::Updates, Error> {
    if request.id.len() > CONTACTS_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    let before = cx.cursor().await?;
    let now = cx.world.now;
    for input in &request.id {
        let user = cx.input_user(input).await?;
        contacts::remove(cx.own()?, now, user).await?;
    }
    Ok(cx.updates_since(before).await?.into())
}

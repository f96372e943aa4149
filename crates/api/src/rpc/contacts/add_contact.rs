//! `contacts.addContact`: somebody known already becomes a contact, or gets another name.

use havre_domain::contacts::{self, Contact};
use havre_domain::ids::{SERVICE_USER, UserId};
use havre_domain::limits::CONTACTS_MAX;
use havre_domain::{phones, privacy};
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CONTACT_ID_INVALID` for oneself, `400 CONTACT_NAME_EMPTY`, `400 USER_ID_INVALID`,
/// `400 USERS_TOO_MUCH` when there is no room.
pub async fn call(cx: &mut Cx, request: functions::contacts::AddContact) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let user = cx.input_user(&request.id).await?;
    if user == me || user == SERVICE_USER {
        return Err(RpcError::CONTACT_ID_INVALID.into());
    }
    if request.first_name.trim().is_empty() {
        return Err(RpcError::CONTACT_NAME_EMPTY.into());
    }
    room_for(cx, user).await?;
    let before = cx.cursor().await?;
    let phone = known_phone(cx, user, &request.phone).await?;
    let now = cx.world.now;
    let contact = Contact::new(user, (&request.first_name, &request.last_name), phone, now);
    contacts::add(cx.own()?, now, &contact).await?;
    if request.add_phone_privacy_exception
        && !privacy::allows(&mut cx.world, me, privacy::PHONE, user).await?
    {
        privacy::let_see(cx.own()?, now, privacy::PHONE, user).await?;
    }
    Ok(cx.updates_since(before).await?.into())
}

async fn room_for(cx: &mut Cx, user: UserId) -> Result<(), Error> {
    let tx = cx.view_own()?;
    let known = contacts::contact(tx, user).await?.is_some();
    if !known && contacts::all(tx).await?.len() >= CONTACTS_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    Ok(())
}

/// The number to keep with a contact. One that is only guessed is not kept: it would tell whether the guess
/// is right.
async fn known_phone(cx: &mut Cx, user: UserId, written: &str) -> Result<String, Error> {
    let me = cx.me()?;
    let findable = privacy::allows(&mut cx.world, user, privacy::ADDED_BY_PHONE, me).await?;
    let visible = privacy::allows(&mut cx.world, user, privacy::PHONE, me).await?;
    let digits = phones::digits(written).filter(|_| findable || visible);
    Ok(digits.unwrap_or_default())
}

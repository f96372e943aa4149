//! `contacts.importContacts`: contacts by phone number. Numbers that nobody has, or whose owner does not want
//! to be found by it, are forgotten at once: no address book is kept.

use havre_domain::contacts::{self, Contact};
use havre_domain::flood::PHONE_LOOKUPS;
use havre_domain::ids::{Peer, UserId};
use havre_domain::limits::{CONTACTS_MAX, IMPORT_MAX};
use havre_domain::phones;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::Named;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Numbers beyond [`IMPORT_MAX`] are named in `retry_contacts`.
///
/// # Errors
/// `400 USERS_TOO_MUCH` when there is no room for more contacts, `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::ImportContacts,
) -> Result<enums::contacts::ImportedContacts, Error> {
    let me = cx.me()?;
    let numbers = request.contacts.len().min(IMPORT_MAX);
    cx.spend(PHONE_LOOKUPS, u32::try_from(numbers).unwrap_or(u32::MAX))
        .await?;
    let mut room = CONTACTS_MAX.saturating_sub(contacts::all(cx.view_own()?).await?.len());
    let (mut imported, mut retry_contacts, mut named) = (Vec::new(), Vec::new(), Named::default());
    for (n, input) in request.contacts.into_iter().enumerate() {
        let enums::InputContact::InputPhoneContact(input) = input;
        if n >= IMPORT_MAX {
            retry_contacts.push(input.client_id);
            continue;
        }
        let Some(user) = phones::find(&mut cx.world, me, &input.phone).await? else {
            continue;
        };
        add(cx, user, &input, &mut room).await?;
        named.peer(Peer::User(user));
        let (user_id, client_id) = (user.0, input.client_id);
        imported.push(types::ImportedContact { user_id, client_id }.into());
    }
    let (users, _) = named.load(&mut cx.world, me).await?;
    Ok(types::contacts::ImportedContacts {
        imported,
        popular_invites: Vec::new(),
        retry_contacts,
        users,
    }
    .into())
}

async fn add(
    cx: &mut Cx,
    user: UserId,
    input: &types::InputPhoneContact,
    room: &mut usize,
) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    if user == me {
        return Ok(());
    }
    let tx = cx.own()?;
    if contacts::contact(tx, user).await?.is_none() {
        *room = room.checked_sub(1).ok_or(RpcError::USERS_TOO_MUCH)?;
    }
    let phone = phones::digits(&input.phone).unwrap_or_default();
    // A card without a name is added under its number, as address books show it.
    let first = if input.first_name.trim().is_empty() && input.last_name.trim().is_empty() {
        &phone
    } else {
        &input.first_name
    };
    let contact = Contact::new(user, (first, &input.last_name), phone.clone(), now);
    Ok(contacts::add(tx, now, &contact).await?)
}

//! `contacts.getContacts`: everybody in the asker's contacts.

use havre_domain::contacts::{self, Contact};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::Named;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Hash 0 is always answered with the list: clients wait for it for ever otherwise.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::GetContacts,
) -> Result<enums::contacts::Contacts, Error> {
    let me = cx.me()?;
    let all = contacts::all(cx.view_own()?).await?;
    let saved_count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    if request.hash != 0 && request.hash == hash(me.0, saved_count, &all) {
        return Ok(enums::contacts::Contacts::ContactsNotModified);
    }
    let (mut list, mut named) = (Vec::with_capacity(all.len()), Named::default());
    for contact in &all {
        let theirs = contacts::contact(cx.world.view_user(contact.user), me).await?;
        named.users.insert(contact.user);
        list.push(
            types::Contact {
                user_id: contact.user.0,
                mutual: theirs.is_some(),
            }
            .into(),
        );
    }
    let (users, _) = named.load(&mut cx.world, me).await?;
    Ok(types::contacts::Contacts {
        contacts: list,
        saved_count,
        users,
    }
    .into())
}

/// Over the count, then the ids in order, the asker's own among them: they are shown to themselves as a
/// contact (core.telegram.org/method/contacts.getContacts).
fn hash(me: i64, saved_count: i32, all: &[Contact]) -> i64 {
    let mut ids: Vec<i64> = all.iter().map(|c| c.user.0).chain([me]).collect();
    ids.sort_unstable();
    ids.dedup();
    contacts::hash([i64::from(saved_count)].into_iter().chain(ids))
}

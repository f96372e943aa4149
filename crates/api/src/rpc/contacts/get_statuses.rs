//! `contacts.getStatuses`: when contacts were last seen, as far as each lets the asker know.

use havre_domain::{contacts, privacy, users};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    _: functions::contacts::GetStatuses,
) -> Result<Vec<enums::ContactStatus>, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let mut statuses = Vec::new();
    for contact in contacts::all(cx.view_own()?).await? {
        let user = contact.user;
        let Some(profile) = users::profile(cx.world.view_user(user)).await? else {
            continue;
        };
        if profile.deleted {
            continue;
        }
        let exact = privacy::sees(&mut cx.world, me, user).await?.last_seen;
        let status = render::status(profile.online_until, now, exact);
        statuses.push(
            types::ContactStatus {
                user_id: user.0,
                status,
            }
            .into(),
        );
    }
    Ok(statuses)
}

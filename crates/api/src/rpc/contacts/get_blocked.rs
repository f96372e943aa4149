//! `contacts.getBlocked`: a page of the people whom the asker blocked, the newest first.

use havre_domain::contacts;
use havre_domain::ids::Peer;
use havre_domain::limits::PAGE_MAX;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::GetBlocked,
) -> Result<enums::contacts::Blocked, Error> {
    let me = cx.me()?;
    // Nobody is blocked from stories: there are none.
    let all = if request.my_stories_from {
        Vec::new()
    } else {
        contacts::all_blocked(cx.view_own()?).await?
    };
    let offset = usize::try_from(request.offset).unwrap_or(0);
    let limit = usize::try_from(request.limit).unwrap_or(0).clamp(1, PAGE_MAX);
    let (mut blocked, mut named) = (Vec::new(), Named::default());
    for (user, record) in all.iter().skip(offset).take(limit) {
        named.users.insert(*user);
        let peer_id = render::peer(Peer::User(*user));
        let date = record.date;
        blocked.push(types::PeerBlocked { peer_id, date }.into());
    }
    let whole = blocked.len() == all.len();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(if whole {
        types::contacts::Blocked {
            blocked,
            chats,
            users,
        }
        .into()
    } else {
        types::contacts::BlockedSlice {
            count: i32::try_from(all.len()).unwrap_or(i32::MAX),
            blocked,
            chats,
            users,
        }
        .into()
    })
}

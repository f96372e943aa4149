//! `messages.getExportedChatInvites`: the invite links that an administrator made, newest first.

use havre_domain::invites::{self, Link};
use havre_domain::limits::PAGE_MAX;
use havre_tl::{enums, functions, types};

use super::links;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Links of other administrators are for the creator only.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 USER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetExportedChatInvites,
) -> Result<enums::messages::ExportedChatInvites, Error> {
    let me = cx.me()?;
    let admin = cx.input_user(&request.admin_id).await?;
    let keeper = links::keeper(cx, &request.peer).await?;
    if admin != me && !keeper.is_creator {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let mut links = invites::all(keeper.view(cx)).await?;
    links.retain(|l| l.admin == admin && l.revoked == request.revoked);
    let count = i32::try_from(links.len()).unwrap_or(i32::MAX);
    let limit = usize::try_from(request.limit).unwrap_or(0).min(PAGE_MAX);
    let hash = request.offset_link.as_deref().map(invites::hash_in);
    let page = links.iter().filter(|l| is_after(l, request.offset_date, hash));
    let mut named = Named::default();
    named.users.insert(admin);
    let (users, _) = named.load(&mut cx.world, me).await?;
    Ok(types::messages::ExportedChatInvites {
        count,
        invites: page.take(limit).map(|l| render::invite(l).into()).collect(),
        users,
    }
    .into())
}

/// Whether a link comes after the one that the last page ended with.
fn is_after(link: &Link, date: Option<i32>, hash: Option<&str>) -> bool {
    match (date, hash) {
        (Some(date), Some(hash)) => (link.date, link.hash.as_str()) < (date, hash),
        (Some(date), None) if date > 0 => link.date < date,
        _ => true,
    }
}

//! `messages.editExportedChatInvite`: changes or revokes an invite link.

use havre_domain::invites::{self, Link};
use havre_tl::{enums, functions, types};

use super::export_chat_invite::{expiry, fresh, label, usage};
use super::links;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. A revoked primary link is followed by a new one.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 INVITE_HASH_EXPIRED`,
/// `400 CHAT_INVITE_PERMANENT`, `400 EXPIRE_DATE_INVALID`, `400 USAGE_LIMIT_INVALID`;
/// `400 INPUT_METHOD_INVALID` for links that ask for approval, which are not built.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::EditExportedChatInvite,
) -> Result<enums::messages::ExportedChatInvite, Error> {
    let me = cx.me()?;
    if request.request_needed == Some(true) {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    let keeper = links::keeper(cx, &request.peer).await?;
    let mut link = keeper.managed(cx, &request.link).await?;
    if link.revoked {
        return Err(RpcError::INVITE_HASH_EXPIRED.into());
    }
    let replacement = if request.revoked {
        link.revoked = true;
        replacement(cx, &link)?
    } else {
        change(cx, &mut link, request)?;
        None
    };
    let tx = keeper.tx(cx)?;
    invites::save(tx, &link);
    if let Some(new) = &replacement {
        invites::open(tx, keeper.peer, new);
    }
    let mut named = Named::default();
    named.users.insert(link.admin);
    let (users, _) = named.load(&mut cx.world, me).await?;
    // A new link is told once it leads somewhere.
    cx.settle().await?;
    Ok(answer(&link, replacement.as_ref(), users))
}

/// The link that follows a revoked primary one, for the same administrator.
fn replacement(cx: &mut Cx, revoked: &Link) -> Result<Option<Link>, Error> {
    if !revoked.permanent {
        return Ok(None);
    }
    Ok(Some(Link {
        admin: revoked.admin,
        permanent: true,
        ..fresh(cx)?
    }))
}

/// Changes what the request names; what it leaves out stays.
fn change(
    cx: &Cx,
    link: &mut Link,
    request: functions::messages::EditExportedChatInvite,
) -> Result<(), RpcError> {
    if link.permanent {
        return Err(RpcError::CHAT_INVITE_PERMANENT);
    }
    if request.expire_date.is_some() {
        link.expire_date = expiry(cx, request.expire_date)?;
    }
    if request.usage_limit.is_some() {
        link.usage_limit = usage(request.usage_limit)?;
    }
    if request.title.is_some() {
        link.title = label(request.title);
    }
    Ok(())
}

fn answer(link: &Link, new: Option<&Link>, users: Vec<enums::User>) -> enums::messages::ExportedChatInvite {
    let invite = render::invite(link).into();
    match new {
        Some(new) => types::messages::ExportedChatInviteReplaced {
            invite,
            new_invite: render::invite(new).into(),
            users,
        }
        .into(),
        None => types::messages::ExportedChatInvite { invite, users }.into(),
    }
}

//! `messages.exportChatInvite`: makes an invite link of a basic group or channel.

use havre_domain::invites::{self, Link};
use havre_domain::limits::{LINK_TITLE_LEN_MAX, LINK_USAGE_MAX, LINKS_MAX};
use havre_tl::{enums, functions};

use super::links;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. An administrator's first link without conditions is their primary one;
/// `legacy_revoke_permanent` revokes that and makes a new one.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED`, `400 EXPIRE_DATE_INVALID`,
/// `400 USAGE_LIMIT_INVALID`, `400 INVITES_TOO_MUCH`; `400 INPUT_METHOD_INVALID` for links that ask for
/// approval or payment, which are not built.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ExportChatInvite,
) -> Result<enums::ExportedChatInvite, Error> {
    let me = cx.me()?;
    if request.request_needed || request.subscription_pricing.is_some() {
        return Err(RpcError::INPUT_METHOD_INVALID.into());
    }
    let keeper = links::keeper(cx, &request.peer).await?;
    let mut link = Link {
        expire_date: expiry(cx, request.expire_date)?,
        usage_limit: usage(request.usage_limit)?,
        title: label(request.title),
        ..fresh(cx)?
    };
    let plain = link.expire_date.is_none() && link.usage_limit.is_none() && link.title.is_none();
    let tx = keeper.tx(cx)?;
    if invites::all(tx).await?.len() >= LINKS_MAX {
        return Err(RpcError::INVITES_TOO_MUCH.into());
    }
    let primary = invites::primary(tx, me).await?;
    link.permanent = request.legacy_revoke_permanent || (plain && primary.is_none());
    if let Some(mut old) = primary.filter(|_| link.permanent) {
        old.revoked = true;
        invites::save(tx, &old);
    }
    invites::open(tx, keeper.peer, &link);
    // The link is told once it leads somewhere.
    cx.settle().await?;
    Ok(render::invite(&link).into())
}

/// A link of the asker with a hash of its own and no conditions.
pub(super) fn fresh(cx: &mut Cx) -> Result<Link, Error> {
    Ok(Link {
        hash: invites::hash_of(cx.world.random_bytes()),
        admin: cx.me()?,
        date: cx.world.now.date(),
        ..Link::default()
    })
}

/// When a link is to end; 0 is never.
pub(super) fn expiry(cx: &Cx, date: Option<i32>) -> Result<Option<i32>, RpcError> {
    match date {
        None | Some(0) => Ok(None),
        Some(date) if date <= cx.world.now.date() => Err(RpcError::EXPIRE_DATE_INVALID),
        date => Ok(date),
    }
}

/// How many are to join by a link; 0 is any number.
pub(super) fn usage(limit: Option<i32>) -> Result<Option<i32>, RpcError> {
    match limit {
        None | Some(0) => Ok(None),
        Some(1..=LINK_USAGE_MAX) => Ok(limit),
        Some(_) => Err(RpcError::USAGE_LIMIT_INVALID),
    }
}

/// A label cut to its longest; an empty one is none.
pub(super) fn label(title: Option<String>) -> Option<String> {
    let title: String = title?.trim().chars().take(LINK_TITLE_LEN_MAX).collect();
    Some(title).filter(|t| !t.is_empty())
}

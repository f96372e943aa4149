//! `messages.getDialogs`: conversations, newest first, with their newest messages.

use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::{MessageId, Peer};
use havre_domain::limits::PAGE_MAX;
use havre_domain::messages;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 FOLDER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetDialogs,
) -> Result<enums::messages::Dialogs, Error> {
    let folder = folder(request.folder_id)?;
    let limit = usize::try_from(request.limit).unwrap_or(0).min(PAGE_MAX);
    let before = before(cx, &request).await?;
    let tx = cx.view_own()?;
    let pinned = dialogs::pins(tx, folder).await?;
    let mut listed: Vec<(Peer, Dialog)> = Vec::new();
    if before.is_none() && !request.exclude_pinned {
        for peer in &pinned {
            listed.push((*peer, dialogs::dialog(tx, *peer).await?));
        }
    }
    // Pinned ones stand on top, so more are read than are shown.
    let page = dialogs::page(tx, folder, before, limit + pinned.len() + 1).await?;
    let more = page.len() > limit;
    let rest = page.into_iter().filter(|(peer, _)| !pinned.contains(peer));
    listed.extend(rest);
    let whole = listed.len() <= limit && !more;
    listed.truncate(limit);
    let (messages, users, chats) = with_messages(cx, &listed).await?;
    let dialogs: Vec<enums::Dialog> = listed.iter().map(|(p, d)| render::dialog(*p, d).into()).collect();
    if whole && before.is_none() {
        return Ok(types::messages::Dialogs {
            dialogs,
            messages,
            chats,
            users,
        }
        .into());
    }
    let count = i32::try_from(dialogs::count(cx.view_own()?, folder).await?).unwrap_or(i32::MAX);
    Ok(types::messages::DialogsSlice {
        count,
        dialogs,
        messages,
        chats,
        users,
    }
    .into())
}

/// The folder that a request names.
///
/// # Errors
/// `400 FOLDER_ID_INVALID`.
pub fn folder(id: Option<i32>) -> Result<u8, Error> {
    match id {
        None | Some(0) => Ok(0),
        Some(1) => Ok(FOLDER_ARCHIVE),
        Some(_) => Err(RpcError::FOLDER_ID_INVALID.into()),
    }
}

/// Where the page starts: by date, top message and peer of the last one shown; nothing for the first page.
async fn before(
    cx: &mut Cx,
    request: &functions::messages::GetDialogs,
) -> Result<Option<(i32, MessageId, Option<Peer>)>, Error> {
    if request.offset_date <= 0 && request.offset_id <= 0 {
        return Ok(None);
    }
    let peer = match cx.input_peer(&request.offset_peer).await {
        Ok(peer) => Some(peer),
        Err(Error::Rpc(_)) => None,
        Err(fault) => return Err(fault),
    };
    let date = if request.offset_date > 0 {
        request.offset_date
    } else {
        i32::MAX
    };
    Ok(Some((date, MessageId(request.offset_id), peer)))
}

/// The newest messages of conversations, and everybody that they name.
///
/// # Errors
/// [`Error`].
pub async fn with_messages(
    cx: &mut Cx,
    listed: &[(Peer, Dialog)],
) -> Result<(Vec<enums::Message>, Vec<enums::User>, Vec<enums::Chat>), Error> {
    let me = cx.me()?;
    let mut named = Named::default();
    let mut found = Vec::with_capacity(listed.len());
    for (peer, dialog) in listed {
        named.peer(*peer);
        if let Some(message) = messages::find_in(cx.view_own()?, *peer, dialog.top).await? {
            found.push(render::message(*peer, dialog.top, &message, &mut named));
        }
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok((found, users, chats))
}

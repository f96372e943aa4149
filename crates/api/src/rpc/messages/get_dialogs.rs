//! `messages.getDialogs`: conversations, newest first, with their newest messages.

use std::cmp::{Ordering, Reverse};

use havre_domain::channel_dialogs;
use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::{MessageId, Peer, UserId};
use havre_tl::{enums, functions, types};

use super::dialog_rows::{self, Rows};
use super::listing;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Without a folder all conversations are listed, the archived ones among them, as client libraries
/// rely on; folder 0 has a row for the archive instead, among what is pinned.
///
/// # Errors
/// `400 FOLDER_ID_INVALID`, `400 OFFSET_PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetDialogs,
) -> Result<enums::messages::Dialogs, Error> {
    let folders = match request.folder_id {
        None => vec![0, FOLDER_ARCHIVE],
        some => vec![folder(some)?],
    };
    let limit = listing::limit(request.limit);
    let before = before(cx, &request).await?;
    let with_pinned = before.is_none() && !request.exclude_pinned;
    let mut listed = list(cx, &folders, before, limit, with_pinned).await?;
    let is_whole = before.is_none() && listed.len() <= limit;
    listed.truncate(limit);
    let mut rows = Rows::default();
    if with_pinned && request.folder_id == Some(0) {
        rows.push_archive(cx).await?;
    }
    for (peer, dialog) in &listed {
        rows.push(*peer, dialog);
    }
    let shown = rows.shown(cx).await?;
    let (messages, users, chats, dialogs) = (shown.messages, shown.users, shown.chats, rows.rows);
    let unmodified = request.hash != 0 && request.hash == dialog_rows::hash_of(&listed, &messages);
    if is_whole && !unmodified {
        return Ok(types::messages::Dialogs {
            dialogs,
            messages,
            chats,
            users,
        }
        .into());
    }
    let (me, mut count) = (cx.me()?, 0);
    for folder in folders {
        count += dialogs::count(cx.view_own()?, folder).await?;
        count += channel_dialogs::of_folder(&mut cx.world, me, folder).await?.len();
    }
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    if unmodified {
        return Ok(types::messages::DialogsNotModified { count }.into());
    }
    Ok(types::messages::DialogsSlice {
        count,
        dialogs,
        messages,
        chats,
        users,
    }
    .into())
}

/// Conversations of folders, newest first; at least one more than `limit` when there are more. Pinned ones
/// are on top, or left out.
async fn list(
    cx: &mut Cx,
    folders: &[u8],
    before: Option<Offset>,
    limit: usize,
    with_pinned: bool,
) -> Result<Vec<(Peer, Dialog)>, Error> {
    let me = cx.me()?;
    let (mut pinned, mut rest) = (Vec::new(), Vec::new());
    for &folder in folders {
        let tx = cx.view_own()?;
        let pins = dialogs::pins(tx, folder).await?;
        // Those pinned are passed over, so as many more are read.
        let page = dialogs::page(tx, folder, before, limit + pins.len() + 1).await?;
        rest.extend(page.into_iter().filter(|(peer, _)| !pins.contains(peer)));
        let channels = channel_dialogs::of_folder(&mut cx.world, me, folder).await?;
        let fits = |(peer, d): &(Peer, Dialog)| !pins.contains(peer) && is_before(before, *peer, d);
        rest.extend(channels.into_iter().filter(fits));
        if with_pinned {
            for peer in pins {
                pinned.push((peer, cx.dialog(peer).await?));
            }
        }
    }
    rest.sort_by_key(|(peer, dialog)| Reverse((dialog.top_date, dialog.top, *peer)));
    pinned.extend(rest);
    Ok(pinned)
}

/// Whether a conversation comes after those that were shown, which end at `offset`.
fn is_before(offset: Option<Offset>, peer: Peer, dialog: &Dialog) -> bool {
    let Some((date, top, last)) = offset else {
        return true;
    };
    match (dialog.top_date, dialog.top).cmp(&(date, top)) {
        Ordering::Less => true,
        Ordering::Equal => last.is_some_and(|last| peer < last),
        Ordering::Greater => false,
    }
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

/// Date, newest message and peer of the last conversation that was shown.
type Offset = (i32, MessageId, Option<Peer>);

/// Where the page starts; nothing for the first page. What a request leaves open is taken from the
/// conversation that it names.
async fn before(cx: &mut Cx, request: &functions::messages::GetDialogs) -> Result<Option<Offset>, Error> {
    let peer = match &request.offset_peer {
        enums::InputPeer::InputPeerEmpty => None,
        // It only names a place in one's own list, and TDLib names people here without their access hash.
        enums::InputPeer::InputPeerUser(u) => Some(Peer::User(UserId(u.user_id))),
        peer => Some(cx.input_peer(peer).await.map_err(|error| match error {
            Error::Rpc(_) => RpcError::OFFSET_PEER_ID_INVALID.into(),
            fault => fault,
        })?),
    };
    let (mut date, mut top) = (request.offset_date, MessageId(request.offset_id));
    if date <= 0 && top.0 <= 0 && peer.is_none() {
        return Ok(None);
    }
    if let Some(peer) = peer {
        let last = cx.dialog(peer).await?;
        date = if date > 0 { date } else { last.top_date };
        top = if top.0 > 0 { top } else { last.top };
    } else if date <= 0 {
        date = i32::MAX;
    }
    Ok(Some((date, top, peer)))
}

//! `channels.getFullChannel`: all of a channel that its reader may know.

use havre_domain::channel_members::{self, Standing};
use havre_domain::ids::{ChannelId, MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::{invites, updates};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetFullChannel,
) -> Result<enums::messages::ChatFull, Error> {
    let me = cx.me()?;
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(id).await?;
    let full = full(cx, id, &standing).await?;
    let mut named = Named::default();
    named.channels.insert(id);
    let (users, chats) = named.load(&mut cx.world, me).await?;
    let full_chat = full.into();
    Ok(types::messages::ChatFull {
        full_chat,
        chats,
        users,
    }
    .into())
}

async fn full(cx: &mut Cx, id: ChannelId, standing: &Standing) -> Result<types::ChannelFull, Error> {
    let dialog = cx.dialog(Peer::Channel(id)).await?;
    // The messages before are in the asker's own box.
    let before = match standing.channel.migrated_from {
        Some(chat) => Some(cx.dialog(Peer::Chat(chat)).await?.top.0),
        None => None,
    };
    let tx = cx.world.view(partition::channel(id));
    let census = channel_members::census(tx).await?;
    let pts = updates::counters(tx).await?.pts.0;
    let is_admin = standing.admin().is_some();
    let channel = &standing.channel;
    Ok(types::ChannelFull {
        can_view_participants: channel.megagroup || is_admin,
        can_set_username: standing.is_creator(),
        can_delete_channel: standing.is_creator(),
        id: id.0,
        about: channel.about.clone(),
        participants_count: Some(census.present),
        admins_count: is_admin.then_some(census.admins),
        kicked_count: is_admin.then_some(census.kicked),
        banned_count: is_admin.then_some(census.restricted),
        read_inbox_max_id: dialog.read_inbox.0,
        read_outbox_max_id: dialog.read_outbox.0,
        unread_count: dialog.unread,
        chat_photo: render::full_channel_photo(&cx.world, channel),
        notify_settings: render::notify_settings(dialog.notify.as_deref()),
        exported_invite: primary_invite(cx, id, is_admin).await?,
        pinned_msg_id: Some(dialog.pinned_message)
            .filter(|id| *id != MessageId(0))
            .map(|id| id.0),
        folder_id: (dialog.folder != 0).then(|| i32::from(dialog.folder)),
        available_reactions: Some(enums::ChatReactions::ChatReactionsNone),
        slowmode_seconds: Some(channel.slow_mode).filter(|seconds| *seconds > 0),
        migrated_from_chat_id: channel.migrated_from.map(|chat| chat.0),
        migrated_from_max_id: before,
        pts,
        ..types::ChannelFull::default()
    })
}

/// The primary link of an administrator who asks.
async fn primary_invite(
    cx: &mut Cx,
    id: ChannelId,
    is_admin: bool,
) -> Result<Option<enums::ExportedChatInvite>, Error> {
    let me = cx.me()?;
    if !is_admin {
        return Ok(None);
    }
    let link = invites::primary(cx.world.view(partition::channel(id)), me).await?;
    Ok(link.map(|link| render::invite(&link).into()))
}

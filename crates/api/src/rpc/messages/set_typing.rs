//! `messages.setTyping`: told to who is connected, kept nowhere.

use havre_domain::channel_members;
use havre_domain::contacts;
use havre_domain::ids::{ChannelId, Peer, UserId};
use havre_domain::keys::partition;
use havre_tl::{enums, functions, types};

use super::{posting, sending};
use crate::cx::{Access, After, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `403 CHAT_WRITE_FORBIDDEN`.
pub async fn call(cx: &mut Cx, request: functions::messages::SetTyping) -> Result<bool, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let me = cx.me()?;
    if let Peer::Channel(channel) = peer {
        return in_channel(cx, channel, request.action).await;
    }
    for (user, seen_as) in sending::audience(cx, peer).await?.others {
        if cx.api.live.is_connected(user) && !contacts::is_blocked(cx.world.view_user(user), me).await? {
            tell(cx, user, seen_as, request.action.clone()).await?;
        }
    }
    Ok(true)
}

async fn tell(
    cx: &mut Cx,
    user: UserId,
    seen_as: Peer,
    action: enums::SendMessageAction,
) -> Result<(), Error> {
    let me = cx.me()?;
    let update = update(cx, seen_as, action)?;
    let mut named = Named::default();
    named.users.insert(me);
    named.peer(seen_as);
    let (users, chats) = named.load(&mut cx.world, user).await?;
    let updates = types::Updates {
        updates: vec![update],
        users,
        chats,
        date: cx.world.now.date(),
        seq: 0,
    };
    let updates = Box::new(updates.into());
    cx.after.push(After::Tell { user, updates });
    Ok(())
}

/// Tells the members of a small supergroup; in a crowd nobody could read who is typing.
async fn in_channel(
    cx: &mut Cx,
    channel: ChannelId,
    action: enums::SendMessageAction,
) -> Result<bool, Error> {
    let me = cx.me()?;
    let standing = posting::may_post(cx, channel).await?;
    let listeners = cx.api.rooms.few(channel);
    if !standing.channel.megagroup {
        return Ok(true);
    }
    for user in listeners.into_iter().filter(|user| *user != me) {
        let tx = cx.world.view(partition::channel(channel));
        let is_in = channel_members::member(tx, user)
            .await?
            .is_some_and(|m| m.present);
        if is_in && cx.api.live.is_connected(user) {
            tell(cx, user, Peer::Channel(channel), action.clone()).await?;
        }
    }
    Ok(true)
}

fn update(cx: &Cx, seen_as: Peer, action: enums::SendMessageAction) -> Result<enums::Update, Error> {
    let me = cx.me()?;
    Ok(match seen_as {
        Peer::User(_) => types::UpdateUserTyping {
            user_id: me.0,
            action,
            ..Default::default()
        }
        .into(),
        Peer::Chat(chat) => types::UpdateChatUserTyping {
            chat_id: chat.0,
            from_id: render::peer(Peer::User(me)),
            action,
        }
        .into(),
        Peer::Channel(channel) => types::UpdateChannelUserTyping {
            channel_id: channel.0,
            top_msg_id: None,
            from_id: render::peer(Peer::User(me)),
            action,
        }
        .into(),
    })
}

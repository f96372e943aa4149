//! `messages.setTyping`: told to who is connected, kept nowhere.

use havre_domain::contacts;
use havre_domain::ids::Peer;
use havre_tl::{enums, functions, types};

use super::sending;
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
    for (user, seen_as) in sending::audience(cx, peer).await?.others {
        if cx.api.live.is_connected(user) && !contacts::is_blocked(cx.world.view_user(user), me).await? {
            let update = update(cx, seen_as, request.action.clone())?;
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
            cx.after.push(After::Tell {
                user,
                updates: Box::new(updates.into()),
            });
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

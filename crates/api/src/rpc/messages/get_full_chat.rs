//! `messages.getFullChat`: all of a basic group. Who is in it no more learns only that.

use havre_domain::chats::Group;
use havre_domain::dialogs::{self, Dialog};
use havre_domain::ids::{ChatId, MessageId, Peer};
use havre_domain::keys::partition;
use havre_domain::{invites, tx::Fault};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_ID_INVALID` for a group that the asker never was in.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetFullChat,
) -> Result<enums::messages::ChatFull, Error> {
    let me = cx.me()?;
    let id = match cx.known_chat(ChatId(request.chat_id)).await {
        Err(Error::Rpc(_)) => return Err(RpcError::CHAT_ID_INVALID.into()),
        known => known?,
    };
    let dialog = dialogs::dialog(cx.view_own()?, Peer::Chat(id)).await?;
    let tx = cx.world.view(partition::chat(id));
    let group = Group::load(tx, id).await?.ok_or(RpcError::CHAT_ID_INVALID)?;
    let mut named = Named::default();
    named.chats.insert(id);
    let mut full = of_dialog(id, &dialog);
    if group.member(me).is_some() {
        full.about.clone_from(&group.chat.about);
        full.participants = render::participants(id, &group.chat, &group.members, &mut named);
        full.chat_photo = render::full_photo(&cx.world, &group.chat);
        full.exported_invite = primary_invite(cx, &group).await?;
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::messages::ChatFull {
        full_chat: full.into(),
        chats,
        users,
    }
    .into())
}

/// What the asker's own box says of the group.
fn of_dialog(id: ChatId, dialog: &Dialog) -> types::ChatFull {
    let forbidden = types::ChatParticipantsForbidden {
        chat_id: id.0,
        ..types::ChatParticipantsForbidden::default()
    };
    types::ChatFull {
        id: id.0,
        participants: forbidden.into(),
        notify_settings: render::notify_settings(dialog.notify.as_deref()),
        pinned_msg_id: Some(dialog.pinned_message)
            .filter(|id| *id != MessageId(0))
            .map(|id| id.0),
        folder_id: (dialog.folder != 0).then(|| i32::from(dialog.folder)),
        available_reactions: Some(enums::ChatReactions::ChatReactionsNone),
        ..types::ChatFull::default()
    }
}

/// The primary link of an administrator who asks.
async fn primary_invite(cx: &mut Cx, group: &Group) -> Result<Option<enums::ExportedChatInvite>, Error> {
    let me = cx.me()?;
    if !group.is_admin(me) {
        return Ok(None);
    }
    let link: Result<_, Fault> = invites::primary(cx.world.view(partition::chat(group.id)), me).await;
    Ok(link?.map(|link| render::invite(&link).into()))
}

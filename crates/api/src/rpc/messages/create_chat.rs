//! `messages.createChat`: a new basic group with the asker as its creator.

use havre_domain::chats::Group;
use havre_domain::flood::GROUPS_MADE;
use havre_domain::ids::{ChatId, UserId};
use havre_domain::keys::partition;
use havre_domain::limits::CHAT_MEMBERS_MAX;
use havre_domain::tx::Fault;
use havre_tl::{enums, functions, types};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_TITLE_EMPTY`, `400 USERS_TOO_MUCH`, `400 USER_ID_INVALID`, `400 INPUT_USER_DEACTIVATED`, and
/// `400 TTL_PERIOD_INVALID` for messages that are to vanish, `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::CreateChat,
) -> Result<enums::messages::InvitedUsers, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let title = groups::title(&request.title)?;
    if request.ttl_period.is_some_and(|ttl| ttl != 0) {
        return Err(RpcError::TTL_PERIOD_INVALID.into());
    }
    cx.spend_before(GROUPS_MADE, 1).await?;
    let before = cx.cursor().await?;
    let (invited, missing) = invitees(cx, &request.users).await?;
    let id = ChatId(cx.world.random_id());
    let tx = cx.world.subject(partition::chat(id))?;
    if havre_domain::chats::chat(tx).await?.is_some() {
        // An id that is taken already: another one is drawn on the next try.
        return Err(Fault::Conflict.into());
    }
    let mut group = Group::new(id, title.clone(), me, now);
    for user in std::iter::once(me).chain(invited.iter().copied()) {
        group.admit(tx, user, me, now);
    }
    let action = types::MessageActionChatCreate {
        title,
        users: group.members.iter().map(|m| m.user.0).collect(),
    };
    let told = group.people();
    let mut updates = groups::publish(cx, group, action.into(), &told, before).await?;
    number(&mut updates, cx.world.random_id());
    Ok(types::messages::InvitedUsers {
        updates: updates.into(),
        missing_invitees: missing.into_iter().map(groups::missing).collect(),
    }
    .into())
}

/// Names the message that made the group as one that was sent: TDLib finds it by that, though no client gave it a
/// number.
fn number(updates: &mut types::Updates, random_id: i64) {
    let made = updates.updates.iter().find_map(|update| match update {
        enums::Update::UpdateNewMessage(update) => match &update.message {
            enums::Message::MessageService(message) => Some(message.id),
            _ => None,
        },
        _ => None,
    });
    if let Some(id) = made {
        updates
            .updates
            .insert(0, types::UpdateMessageID { id, random_id }.into());
    }
}

/// Who is to be in the group besides the asker, and who does not let themselves be added.
async fn invitees(cx: &mut Cx, inputs: &[enums::InputUser]) -> Result<(Vec<UserId>, Vec<UserId>), Error> {
    let me = cx.me()?;
    if inputs.len() >= CHAT_MEMBERS_MAX {
        return Err(RpcError::USERS_TOO_MUCH.into());
    }
    let (mut invited, mut missing) = (Vec::new(), Vec::new());
    for input in inputs {
        let user = groups::addable(cx, input).await?;
        if user == me || invited.contains(&user) || missing.contains(&user) {
            continue;
        }
        if groups::lets_be_added(cx, user).await? {
            invited.push(user);
        } else {
            missing.push(user);
        }
    }
    Ok((invited, missing))
}

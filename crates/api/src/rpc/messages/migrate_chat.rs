//! `messages.migrateChat`: a basic group becomes a supergroup.

use havre_domain::ids::{ChannelId, ChatId};
use havre_domain::keys::partition;
use havre_domain::successions;
use havre_domain::tx::Fault;
use havre_tl::{enums, functions};

use super::groups;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. The group's messages stay in its members' boxes; nobody can add to them.
///
/// # Errors
/// `400 CHAT_ID_INVALID`, `400 CHAT_ADMIN_REQUIRED` for anybody but its creator.
pub async fn call(cx: &mut Cx, request: functions::messages::MigrateChat) -> Result<enums::Updates, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let before = cx.cursor().await?;
    let mut group = groups::group(cx, ChatId(request.chat_id)).await?;
    if group.chat.creator != me {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let id = ChannelId(cx.world.random_id());
    if cx.standing(id).await?.is_some() {
        // An id that is taken already: another one is drawn on the next try.
        return Err(Fault::Conflict.into());
    }
    let chat = group.id;
    let tx = cx.world.subject(partition::chat(chat))?;
    successions::close(tx, now, &mut group, id, me);
    let mut updates = groups::answer(cx, chat, before).await?;
    let channel = render::channel(&mut cx.world, me, id).await?;
    if !updates.chats.contains(&channel) {
        updates.chats.push(channel);
    }
    Ok(updates.into())
}

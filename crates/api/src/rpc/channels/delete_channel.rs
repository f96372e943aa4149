//! `channels.deleteChannel`: ends a channel for everybody.

use havre_domain::channel_members::{self, Seat};
use havre_domain::channels;
use havre_domain::keys::partition;
use havre_domain::limits::DELETABLE_MEMBERS_MAX;
use havre_domain::outbox::Effect;
use havre_tl::{enums, functions};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Its members lose it from their lists; what was said in it is not shown any more.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED` for anybody but its creator,
/// `400 CHANNEL_TOO_LARGE`, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::channels::DeleteChannel) -> Result<enums::Updates, Error> {
    let mut deed = answers::deed(cx, &request.channel).await?;
    if !deed.standing.is_creator() {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let tx = answers::tx(cx, deed.id)?;
    let members = channel_members::page(tx, Seat::Present, 0, DELETABLE_MEMBERS_MAX + 1).await?;
    if members.len() > DELETABLE_MEMBERS_MAX {
        return Err(RpcError::CHANNEL_TOO_LARGE.into());
    }
    for member in members {
        tx.send(partition::user(member.user), &Effect::Parted(deed.id));
    }
    let channel = &mut deed.standing.channel;
    channel.deleted = true;
    if let Some(name) = channel.username.take() {
        let claim = partition::username(&name.to_ascii_lowercase());
        tx.send(claim, &Effect::LeadTo(None));
    }
    channels::save(tx, &deed.standing.channel);
    Ok(answers::answer_leaving(cx, &deed).await?.into())
}

//! `channels.getParticipant`: one member of a channel.

use havre_domain::channel_members;
use havre_domain::ids::Peer;
use havre_domain::keys::partition;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. In a broadcast channel members see themselves, and administrators everybody.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 PARTICIPANT_ID_INVALID`,
/// `400 USER_NOT_PARTICIPANT`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetParticipant,
) -> Result<enums::channels::ChannelParticipant, Error> {
    let me = cx.me()?;
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(id).await?;
    let Peer::User(user) = cx.input_peer(&request.participant).await? else {
        return Err(RpcError::PARTICIPANT_ID_INVALID.into());
    };
    let is_admin = standing.admin().is_some();
    if user != me && !standing.channel.megagroup && !is_admin {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let known = channel_members::member(cx.world.view(partition::channel(id)), user).await?;
    // Who was kept out is the administrators' affair.
    let known = known.filter(|m| m.present || is_admin);
    let member = known.ok_or(RpcError::USER_NOT_PARTICIPANT)?;
    let mut named = Named::default();
    let participant = render::channel_participant(&standing.channel, &member, me, &mut named);
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::channels::ChannelParticipant {
        participant,
        chats,
        users,
    }
    .into())
}

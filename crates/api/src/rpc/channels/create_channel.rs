//! `channels.createChannel`: a new supergroup or broadcast channel with the asker as its creator.

use havre_domain::channel_members::{self, Member, Role, Standing};
use havre_domain::channels::{self, Channel};
use havre_domain::flood::GROUPS_MADE;
use havre_domain::ids::ChannelId;
use havre_domain::limits::{ABOUT_LEN_MAX, CHANNELS_MAX};
use havre_domain::tx::Fault;
use havre_tl::{enums, functions, types};

use super::answers;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::messages::groups;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHAT_TITLE_EMPTY`, `400 CHAT_ABOUT_TOO_LONG`, `400 CHANNELS_TOO_MUCH`, `420 FLOOD_WAIT_n`;
/// `400 INPUT_REQUEST_INVALID` for neither kind or both, `400 TTL_PERIOD_INVALID` for messages that are to vanish.
pub async fn call(cx: &mut Cx, request: functions::channels::CreateChannel) -> Result<enums::Updates, Error> {
    let channel = wanted(cx, &request)?;
    cx.spend_before(GROUPS_MADE, 1).await?;
    if channel_members::joined(cx.view_own()?).await?.len() >= CHANNELS_MAX {
        return Err(RpcError::CHANNELS_TOO_MUCH.into());
    }
    let (me, now) = (cx.me()?, cx.world.now);
    let id = ChannelId(cx.world.random_id());
    if cx.standing(id).await?.is_some() {
        // An id that is taken already: another one is drawn on the next try.
        return Err(Fault::Conflict.into());
    }
    let standing = Standing {
        channel,
        member: None,
    };
    let deed = answers::begin(cx, id, standing).await?;
    let tx = answers::tx(cx, id)?;
    channels::save(tx, &deed.standing.channel);
    let creator = Member {
        user: me,
        inviter: me,
        date: now.date(),
        present: false,
        role: Role::Creator(None),
    };
    channel_members::set(tx, me, Some(creator)).await?;
    channel_members::admit(tx, now, id, me, me).await?;
    let title = deed.standing.channel.title.clone();
    let action = types::MessageActionChannelCreate { title };
    answers::announce(cx, &deed, action.into()).await?;
    Ok(answers::answer(cx, &deed).await?.into())
}

/// The channel as it is to be.
fn wanted(cx: &Cx, request: &functions::channels::CreateChannel) -> Result<Channel, Error> {
    if request.broadcast == request.megagroup || request.forum || request.geo_point.is_some() {
        return Err(RpcError::INPUT_REQUEST_INVALID.into());
    }
    if request.ttl_period.is_some_and(|ttl| ttl != 0) {
        return Err(RpcError::TTL_PERIOD_INVALID.into());
    }
    if request.about.chars().count() > ABOUT_LEN_MAX {
        return Err(RpcError::CHAT_ABOUT_TOO_LONG.into());
    }
    Ok(Channel {
        title: groups::title(&request.title)?,
        about: request.about.clone(),
        creator: cx.me()?,
        date: cx.world.now.date(),
        megagroup: request.megagroup,
        ..Channel::default()
    })
}

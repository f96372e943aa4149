//! What all deeds in channels share: the channel to change, what the channel itself says of the deed, and the
//! answer.

use havre_domain::channel_members::{self, Standing};
use havre_domain::channel_messages::{self, Post};
use havre_domain::flood::{self, GROUP_CHANGES};
use havre_domain::ids::ChannelId;
use havre_domain::keys::partition;
use havre_domain::tx::Tx;
use havre_domain::updates::Cursor;
use havre_tl::{Serialize as _, enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// Where the logs ended before a deed: the asker's own, and the channel's.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    own: Cursor,
    channel: Cursor,
}

/// A channel that is to be changed by the asker.
pub struct Deed {
    /// Which.
    pub id: ChannelId,
    /// How the asker stands to it.
    pub standing: Standing,
    before: Before,
}

/// Begins a deed in a channel that the asker is in.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `420 FLOOD_WAIT_n`.
pub async fn deed(cx: &mut Cx, input: &enums::InputChannel) -> Result<Deed, Error> {
    let id = cx.input_channel(input).await?;
    let standing = cx.readable(id).await?;
    if !standing.is_present() {
        return Err(RpcError::CHANNEL_PRIVATE.into());
    }
    begin(cx, id, standing).await
}

/// Begins a deed by an administrator with a right.
///
/// # Errors
/// As for [`deed`], and `400 CHAT_ADMIN_REQUIRED`.
pub async fn admin_deed(
    cx: &mut Cx,
    input: &enums::InputChannel,
    right: fn(&types::ChatAdminRights) -> bool,
) -> Result<Deed, Error> {
    let deed = deed(cx, input).await?;
    match deed.standing.admin() {
        Some(rights) if right(&rights) => Ok(deed),
        _ => Err(RpcError::CHAT_ADMIN_REQUIRED.into()),
    }
}

/// Begins a deed of somebody who stands so to a channel.
///
/// # Errors
/// `420 FLOOD_WAIT_n`.
pub async fn begin(cx: &mut Cx, id: ChannelId, standing: Standing) -> Result<Deed, Error> {
    let own = cx.cursor().await?;
    let channel = cx.channel_cursor(id).await?;
    let (me, now) = (cx.me()?, cx.world.now);
    // Of each for themselves: any number of people may come at once.
    let spent = flood::spend_as(tx(cx, id)?, now, GROUP_CHANGES, me).await?;
    spent.map_err(RpcError::from)?;
    let before = Before { own, channel };
    Ok(Deed { id, standing, before })
}

/// The channel's partition, to change.
///
/// # Errors
/// [`Error`].
pub fn tx(cx: &mut Cx, id: ChannelId) -> Result<&mut Tx, Error> {
    Ok(cx.world.subject(partition::channel(id))?)
}

/// Lets the channel say what the asker did.
///
/// # Errors
/// [`Error`].
pub async fn announce(cx: &mut Cx, deed: &Deed, action: enums::MessageAction) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let message = types::MessageService {
        post: !deed.standing.channel.megagroup,
        action,
        ..types::MessageService::default()
    };
    let post = Post {
        random_id: None,
        reply: None,
        content: enums::Message::MessageService(message).to_bytes(),
    };
    let tx = tx(cx, deed.id)?;
    channel_messages::post(tx, now, deed.id, me, post).await?;
    Ok(())
}

/// As [`announce`], where members come and go: a broadcast channel does not say who.
///
/// # Errors
/// [`Error`].
pub async fn announce_people(cx: &mut Cx, deed: &Deed, action: enums::MessageAction) -> Result<(), Error> {
    if deed.standing.channel.megagroup {
        announce(cx, deed, action).await?;
    }
    Ok(())
}

/// Commits, and answers with what happened in the asker's box and in the channel since the deed began.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, deed: &Deed) -> Result<types::Updates, Error> {
    let me = cx.me()?;
    cx.settle().await?;
    if channel_members::is_in(cx.view_own()?, deed.id).await? {
        // What happens from here on is pushed; what happened before is in the answer.
        let api = cx.api.clone();
        api.enter_room(me, deed.id).await?;
    }
    let own = cx.updates_since(deed.before.own).await?;
    let of_channel = cx.channel_updates_since(deed.id, deed.before.channel).await?;
    Ok(merge(own, of_channel))
}

/// As [`answer`], for who may not read the channel any more: what happened in their own box.
///
/// # Errors
/// [`Error`].
pub async fn answer_leaving(cx: &mut Cx, deed: &Deed) -> Result<types::Updates, Error> {
    cx.settle().await?;
    cx.updates_since(deed.before.own).await
}

/// Both, everybody named once.
fn merge(mut first: types::Updates, second: types::Updates) -> types::Updates {
    first.updates.extend(second.updates);
    for user in second.users {
        if !first.users.contains(&user) {
            first.users.push(user);
        }
    }
    for chat in second.chats {
        if !first.chats.contains(&chat) {
            first.chats.push(chat);
        }
    }
    first
}

//! Sending to a channel: one commit in the channel's partition, and the answer from its log.

use havre_domain::channel_members::Standing;
use havre_domain::channel_messages::{self, Post};
use havre_domain::flood::{self, Allowance, SENDS, Wait};
use havre_domain::ids::{ChannelId, MessageId, Peer, RandomId};
use havre_domain::keys::partition;
use havre_domain::{messages, updates, users};
use havre_tl::{Serialize as _, enums, types};

use super::sending::Outgoing;
use crate::cx::{After, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// A channel that the asker may write in.
///
/// # Errors
/// `403 CHAT_WRITE_FORBIDDEN`, `400 USER_BANNED_IN_CHANNEL`, `406 CHANNEL_PRIVATE`.
pub async fn may_post(cx: &mut Cx, id: ChannelId) -> Result<Standing, Error> {
    let now = cx.world.now;
    let standing = cx.readable(id).await?;
    if standing.may_post(now) {
        return Ok(standing);
    }
    let limits = standing.member.as_ref().and_then(|m| m.limits(now));
    Err(match limits {
        Some(_) => RpcError::USER_BANNED_IN_CHANNEL.into(),
        None => RpcError::CHAT_WRITE_FORBIDDEN.into(),
    })
}

/// Posts messages in one commit and answers with what it did to the channel. A random id that was used before
/// answers with the message that it made (UP-17).
///
/// # Errors
/// `400 RANDOM_ID_EMPTY`, `420 FLOOD_WAIT_n`, and as for [`may_post`].
pub async fn send(cx: &mut Cx, id: ChannelId, outgoing: Vec<Outgoing>) -> Result<enums::Updates, Error> {
    let standing = may_post(cx, id).await?;
    let me = cx.me()?;
    let before = cx.channel_cursor(id).await?;
    let (mut named, mut repeated, mut is_counted) = (Vec::with_capacity(outgoing.len()), Vec::new(), false);
    for one in outgoing {
        let random_id = one.random_id;
        if random_id.0 == 0 {
            return Err(RpcError::RANDOM_ID_EMPTY.into());
        }
        let tx = cx.world.subject(partition::channel(id))?;
        let message = match channel_messages::posted_before(tx, me, random_id).await? {
            Some(known) => {
                repeated.push(known);
                known
            }
            None => {
                // An album is one message to who waits.
                if !std::mem::replace(&mut is_counted, true) {
                    slow_down(cx, id, &standing).await?;
                }
                add(cx, id, &standing, one).await?
            }
        };
        named.push((random_id, message));
    }
    let mut updates = cx.channel_updates_since(id, before).await?;
    let ids = named.iter().map(|(RandomId(random_id), MessageId(id))| {
        let (id, random_id) = (*id, *random_id);
        types::UpdateMessageID { id, random_id }.into()
    });
    updates.updates = ids.chain(std::mem::take(&mut updates.updates)).collect();
    show_again(cx, id, &mut updates, &repeated).await?;
    Ok(updates.into())
}

/// Lets members of a slow supergroup wait between two messages.
///
/// # Errors
/// `420 SLOWMODE_WAIT_n`.
async fn slow_down(cx: &mut Cx, id: ChannelId, standing: &Standing) -> Result<(), Error> {
    let seconds = standing.channel.slow_mode;
    if seconds == 0 || standing.admin().is_some() {
        return Ok(());
    }
    let one_at_a_time = Allowance {
        name: "slow",
        count: 1,
        per: i64::from(seconds),
    };
    let (me, now) = (cx.me()?, cx.world.now);
    let tx = cx.world.subject(partition::channel(id))?;
    let spent = flood::spend_as(tx, now, one_at_a_time, me).await?;
    Ok(spent.map_err(|Wait(seconds)| RpcError::slowmode_wait(seconds))?)
}

async fn add(cx: &mut Cx, id: ChannelId, standing: &Standing, one: Outgoing) -> Result<MessageId, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    spend_send(cx, id).await?;
    cx.messages_sent += 1;
    let mut content = one.content;
    content.post = !standing.channel.megagroup;
    if content.post && standing.channel.signatures {
        let profile = users::own_profile(cx.view_own()?, me).await?;
        let name = format!("{} {}", profile.first_name, profile.last_name);
        content.post_author = Some(name.trim().to_owned());
    }
    let post = Post {
        random_id: Some(one.random_id),
        reply: one.reply,
        content: enums::Message::Message(content).to_bytes(),
    };
    let tx = cx.world.subject(partition::channel(id))?;
    Ok(channel_messages::post(tx, now, id, me, post).await?)
}

/// Counts one message posted or edited by the asker; kept with the channel, whose commit it is part of.
///
/// # Errors
/// `420 FLOOD_WAIT_n`.
pub async fn spend_send(cx: &mut Cx, id: ChannelId) -> Result<(), Error> {
    let (me, now, count) = (cx.me()?, cx.world.now, cx.api.settings.sends_per_minute);
    let tx = cx.world.subject(partition::channel(id))?;
    let spent = flood::spend_as(tx, now, Allowance { count, ..SENDS }, me).await?;
    Ok(spent.map_err(RpcError::from)?)
}

/// Adds messages that exist already as updates that move pts by nothing.
async fn show_again(
    cx: &mut Cx,
    id: ChannelId,
    updates: &mut types::Updates,
    ids: &[MessageId],
) -> Result<(), Error> {
    let (me, peer) = (cx.me()?, Peer::Channel(id));
    let pts = updates::counters(cx.view_box(peer)?).await?.pts.0;
    let mut named = Named::default();
    for &id in ids {
        if let Some(stored) = messages::find_in(cx.view_box(peer)?, peer, id).await? {
            let seen = channel_messages::seen_by(stored, me);
            let message = render::message(&cx.world, peer, id, &seen, &mut named);
            let shown = types::UpdateNewChannelMessage {
                message,
                pts,
                pts_count: 0,
            };
            updates.updates.push(shown.into());
        }
    }
    named.channels.clear();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    updates.users.extend(users);
    updates.chats.extend(chats);
    Ok(())
}

/// Clears the draft of a channel once the message is committed: it lies in another partition.
///
/// # Errors
/// [`Error`].
pub async fn clear_draft(cx: &mut Cx, peer: Peer) -> Result<(), Error> {
    let user = cx.me()?;
    let dialog = havre_domain::dialogs::dialog(cx.view_own()?, peer).await?;
    if dialog.draft.is_some() {
        cx.after.push(After::ClearDraft { user, peer });
    }
    Ok(())
}

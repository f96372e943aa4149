//! What all ways of sending share: who may write where, the message in the sender's box, its effects on
//! everybody else's, and the answer.

use havre_domain::channel_messages;
use havre_domain::chats;
use havre_domain::dialogs;
use havre_domain::flood::{Allowance, SENDS};
use havre_domain::ids::{MessageId, Origin, Peer, RandomId, SERVICE_USER, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::limits::RANDOM_ID_ROWS;
use havre_domain::messages::{self, Arrival, Message};
use havre_domain::outbox::Effect;
use havre_domain::random_ids;
use havre_domain::updates::{self, Cursor};
use havre_tl::{Serialize as _, enums, types};

use super::posting;
use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::render;

/// Something to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Makes it idempotent.
    pub random_id: RandomId,
    /// The message it answers, in the sender's box.
    pub reply: Option<MessageId>,
    /// Text, media and all that does not differ between boxes.
    pub content: types::Message,
    /// Voice or video note: it waits to be consumed.
    pub media_unread: bool,
}

/// Who gets a message besides its author, each with the conversation as they see it.
pub struct Audience {
    /// The conversation as the author sees it.
    pub peer: Peer,
    /// The others.
    pub others: Vec<(UserId, Peer)>,
}

/// Who gets what the asker writes to `peer`.
///
/// # Errors
/// `403 CHAT_WRITE_FORBIDDEN` and its kin where the asker may not write.
pub async fn audience(cx: &mut Cx, peer: Peer) -> Result<Audience, Error> {
    let me = cx.me()?;
    fetch_ahead(cx, peer).await?;
    let others = match peer {
        Peer::User(user) if user == me => Vec::new(),
        Peer::User(SERVICE_USER) => return Err(RpcError::PEER_ID_INVALID.into()),
        Peer::User(user) => {
            if havre_domain::contacts::is_blocked(cx.view_own()?, user).await? {
                return Err(RpcError::YOU_BLOCKED_USER.into());
            }
            if havre_domain::users::profile(cx.world.view_user(user))
                .await?
                .is_none_or(|p| p.deleted)
            {
                return Err(RpcError::INPUT_USER_DEACTIVATED.into());
            }
            vec![(user, Peer::User(me))]
        }
        Peer::Chat(chat) => {
            let tx = cx.world.view(partition::chat(chat));
            let members = chats::members(tx).await?;
            let stored = chats::chat(tx).await?.ok_or(RpcError::PEER_ID_INVALID)?;
            let Some(member) = members.iter().find(|m| m.user == me) else {
                return Err(RpcError::CHAT_WRITE_FORBIDDEN.into());
            };
            if stored.deactivated || !chats::may_write(&stored, member) {
                return Err(RpcError::CHAT_WRITE_FORBIDDEN.into());
            }
            members
                .iter()
                .filter(|m| m.user != me)
                .map(|m| (m.user, peer))
                .collect()
        }
        // Whoever reads a channel reads it there.
        Peer::Channel(channel) => {
            posting::may_post(cx, channel).await?;
            Vec::new()
        }
    };
    Ok(Audience { peer, others })
}

/// Reads at once what sending to `peer` looks at.
async fn fetch_ahead(cx: &mut Cx, peer: Peer) -> Result<(), Error> {
    let me = cx.me()?;
    if matches!(peer, Peer::Channel(_)) {
        return Ok(());
    }
    let mut own = vec![
        keys::counters(),
        keys::dialog(peer),
        keys::meter(SENDS.name),
        keys::profile(),
        keys::unread(),
    ];
    own.extend((0..RANDOM_ID_ROWS).map(|row| keys::random(peer, row)));
    if let Peer::User(user) = peer {
        own.extend([keys::blocked(user), keys::contact(user), keys::contact(me)]);
        render::fetch_person(&mut cx.world, me, user).await?;
    }
    Ok(cx.view_own()?.fetch_ahead(&own).await?)
}

/// Refuses media that the rules of a group forbid the asker to send there.
///
/// # Errors
/// `403 CHAT_SEND_MEDIA_FORBIDDEN`.
pub async fn may_send_media(cx: &mut Cx, peer: Peer, media: &enums::MessageMedia) -> Result<(), Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let chat = match peer {
        Peer::User(_) => return Ok(()),
        Peer::Chat(chat) => chat,
        Peer::Channel(channel) => {
            let banned = cx.readable(channel).await?.banned(now);
            if banned.iter().any(|b| crate::content::media::is_banned(b, media)) {
                return Err(RpcError::CHAT_SEND_MEDIA_FORBIDDEN.into());
            }
            return Ok(());
        }
    };
    let tx = cx.world.view(partition::chat(chat));
    let (Some(chat), Some(member)) = (chats::chat(tx).await?, chats::member(tx, me).await?) else {
        return Err(RpcError::CHAT_WRITE_FORBIDDEN.into());
    };
    let bound = !member.admin && chat.creator != me;
    if bound && crate::content::media::is_banned(&chats::default_banned(&chat), media) {
        return Err(RpcError::CHAT_SEND_MEDIA_FORBIDDEN.into());
    }
    Ok(())
}

/// Sends messages in one commit and answers with what it did to the sender's box. A random id that was
/// used before answers with the message that it made (UP-17).
///
/// # Errors
/// `400 RANDOM_ID_EMPTY`, `420 FLOOD_WAIT_n`, and [`Error`].
pub async fn send(
    cx: &mut Cx,
    audience: &Audience,
    outgoing: Vec<Outgoing>,
) -> Result<enums::Updates, Error> {
    if let Peer::Channel(channel) = audience.peer {
        return posting::send(cx, channel, outgoing).await;
    }
    let before = cx.cursor().await?;
    let mut ids = Vec::with_capacity(outgoing.len());
    for one in outgoing {
        if one.random_id.0 == 0 {
            return Err(RpcError::RANDOM_ID_EMPTY.into());
        }
        let random_id = one.random_id;
        let known = random_ids::sent_before(cx.own()?, audience.peer, random_id).await?;
        let id = match known {
            Some(id) => id,
            None => add(cx, audience, one).await?,
        };
        ids.push((random_id, id, known.is_some()));
    }
    answer(cx, before, &ids).await
}

/// Whether the asker sent something with this random id before.
///
/// # Errors
/// [`Error`].
pub async fn sent_before(cx: &mut Cx, peer: Peer, random_id: RandomId) -> Result<bool, Error> {
    let me = cx.me()?;
    let tx = cx.view_box(peer)?;
    let sent = match peer {
        Peer::Channel(_) => channel_messages::posted_before(tx, me, random_id).await?,
        Peer::User(_) | Peer::Chat(_) => random_ids::sent_before(tx, peer, random_id).await?,
    };
    Ok(sent.is_some())
}

/// Puts a message into the sender's box and on its way to the others.
async fn add(cx: &mut Cx, audience: &Audience, one: Outgoing) -> Result<MessageId, Error> {
    let content = enums::Message::Message(one.content).to_bytes();
    let parcel = Parcel {
        random_id: one.random_id,
        reply: one.reply,
        content,
        media_unread: one.media_unread,
    };
    add_content(cx, audience, parcel).await
}

/// Adds a service message of the asker's.
///
/// # Errors
/// [`Error`].
pub async fn add_service(
    cx: &mut Cx,
    audience: &Audience,
    random_id: RandomId,
    reply: Option<MessageId>,
    action: enums::MessageAction,
    silent: bool,
) -> Result<MessageId, Error> {
    let message = types::MessageService {
        silent,
        action,
        ..Default::default()
    };
    let content = enums::Message::MessageService(message).to_bytes();
    add_content(
        cx,
        audience,
        Parcel {
            random_id,
            reply,
            content,
            media_unread: false,
        },
    )
    .await
}

/// A message as it is kept.
struct Parcel {
    random_id: RandomId,
    reply: Option<MessageId>,
    content: Vec<u8>,
    media_unread: bool,
}

/// Counts one message sent, forwarded or edited.
///
/// # Errors
/// `420 FLOOD_WAIT_n`.
pub async fn spend_send(cx: &mut Cx) -> Result<(), Error> {
    let count = cx.api.settings.sends_per_minute;
    cx.spend(Allowance { count, ..SENDS }, 1).await
}

async fn add_content(cx: &mut Cx, audience: &Audience, one: Parcel) -> Result<MessageId, Error> {
    let (me, now, peer) = (cx.me()?, cx.world.now, audience.peer);
    spend_send(cx).await?;
    cx.messages_sent += 1;
    let tx = cx.own()?;
    let reply = match one.reply {
        Some(id) => messages::find_in(tx, peer, id).await?.map(|m| (id, m.origin)),
        None => None,
    };
    let id = updates::next_message_id(tx).await?;
    let origin = Origin {
        source: Peer::User(me),
        id,
    };
    for (user, seen_as) in &audience.others {
        let arrival = Arrival {
            peer: *seen_as,
            from: me,
            date: now.date(),
            origin,
            reply: reply.map(|(_, origin)| origin),
            media_unread: one.media_unread,
            content: one.content.clone(),
        };
        tx.send(partition::user(*user), &Effect::Arrive(arrival));
    }
    let message = Message {
        from: me,
        out: true,
        date: now.date(),
        edit_date: None,
        origin,
        reply: reply.map(|(id, _)| id),
        pinned: false,
        mentioned: false,
        media_unread: one.media_unread && !audience.others.is_empty(),
        random_id: Some(one.random_id),
        content: one.content,
    };
    random_ids::remember(tx, peer, one.random_id, id).await?;
    messages::add_own(tx, now, peer, id, message).await?;
    Ok(id)
}

/// Clears the draft of a conversation, as sending does when the client says so.
///
/// # Errors
/// [`Error`].
pub async fn clear_draft(cx: &mut Cx, peer: Peer) -> Result<(), Error> {
    if matches!(peer, Peer::Channel(_)) {
        return posting::clear_draft(cx, peer).await;
    }
    let now = cx.world.now;
    Ok(dialogs::clear_draft(cx.own()?, now, peer).await?)
}

/// `updateMessageID` for each random id first, then what happened (UP-16). Messages that were sent by an
/// earlier call are shown again with the pts that they have now.
async fn answer(
    cx: &mut Cx,
    before: Cursor,
    ids: &[(RandomId, MessageId, bool)],
) -> Result<enums::Updates, Error> {
    let mut updates = cx.updates_since(before).await?;
    let told: Vec<enums::Update> = std::mem::take(&mut updates.updates);
    let name = |(random_id, id, _): &(RandomId, MessageId, bool)| -> enums::Update {
        types::UpdateMessageID {
            id: id.0,
            random_id: random_id.0,
        }
        .into()
    };
    updates.updates = ids.iter().map(name).chain(told).collect();
    let repeated: Vec<MessageId> = ids
        .iter()
        .filter(|(_, _, known)| *known)
        .map(|(_, id, _)| *id)
        .collect();
    if !repeated.is_empty() {
        show_again(cx, &mut updates, &repeated).await?;
    }
    Ok(updates.into())
}

/// Adds messages that exist already as updates that move pts by nothing.
async fn show_again(cx: &mut Cx, updates: &mut types::Updates, ids: &[MessageId]) -> Result<(), Error> {
    let me = cx.me()?;
    let pts = updates::counters(cx.view_own()?).await?.pts.0;
    let mut named = render::Named::default();
    for &id in ids {
        if let Some((peer, message)) = messages::find(cx.view_own()?, id).await? {
            let message = render::message(&cx.world, peer, id, &message, &mut named);
            updates.updates.push(
                types::UpdateNewMessage {
                    message,
                    pts,
                    pts_count: 0,
                }
                .into(),
            );
        }
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    updates.users.extend(users);
    updates.chats.extend(chats);
    Ok(())
}

/// The message that an `InputReplyTo` names in the asker's box.
#[must_use]
pub fn reply_of(reply: Option<&enums::InputReplyTo>) -> Option<MessageId> {
    match reply {
        Some(enums::InputReplyTo::InputReplyToMessage(reply)) => Some(MessageId(reply.reply_to_msg_id)),
        _ => None,
    }
}

/// The part of a reply header that does not differ between boxes: the quote.
#[must_use]
pub fn quote_of(reply: Option<&enums::InputReplyTo>) -> Option<enums::MessageReplyHeader> {
    match reply {
        Some(enums::InputReplyTo::InputReplyToMessage(reply)) => Some(
            types::MessageReplyHeader {
                quote: reply.quote_text.is_some(),
                quote_text: reply.quote_text.clone(),
                quote_entities: reply.quote_entities.clone(),
                quote_offset: reply.quote_offset,
                ..Default::default()
            }
            .into(),
        ),
        _ => None,
    }
}

//! Messages.

use havre_domain::ids::{ChannelId, ChatId, MessageId, Peer, UserId};
use havre_domain::messages::Message;
use havre_domain::world::World;
use havre_tl::{Deserialize as _, enums, types};

use super::{Named, peer as wire_peer, reference};

/// A message as its box's owner sees it; names everybody that it mentions.
#[must_use]
pub fn message(
    world: &World,
    peer: Peer,
    MessageId(id): MessageId,
    stored: &Message,
    named: &mut Named,
) -> enums::Message {
    named.peer(peer);
    let mut message = content_of(stored);
    if !is_post(&message) {
        named.users.insert(stored.from);
    }
    match &mut message {
        enums::Message::Message(m) => {
            fill(m, peer, id, stored);
            m.media = m.media.take().map(|media| reference::media(world, media));
        }
        enums::Message::MessageService(m) => {
            fill_service(m, peer, id, stored);
            m.action = reference::action(world, m.action.clone());
        }
        enums::Message::MessageEmpty(m) => m.id = id,
    }
    referenced(&message, named);
    message
}

/// The stored content alone. Content that cannot be read shows as an empty text: the rest of the box
/// stays usable.
#[must_use]
pub fn content_of(stored: &Message) -> enums::Message {
    enums::Message::from_bytes(&stored.content).unwrap_or_else(|error| {
        tracing::error!(%error, "stored content of a message cannot be read");
        types::Message::default().into()
    })
}

/// Whether a message is the channel's own word: who wrote it is not shown.
fn is_post(message: &enums::Message) -> bool {
    match message {
        enums::Message::Message(m) => m.post,
        enums::Message::MessageService(m) => m.post,
        enums::Message::MessageEmpty(_) => false,
    }
}

/// Who wrote it. Of what came in a private chat the chat says so, and Telegram's servers leave it out; without it in
/// what went out, TDLib takes the message for the other's.
fn from_id(peer: Peer, stored: &Message, post: bool) -> Option<enums::Peer> {
    let received = matches!(peer, Peer::User(user) if user == stored.from && !stored.out);
    (!received && !post).then(|| wire_peer(Peer::User(stored.from)))
}

fn fill(m: &mut types::Message, peer: Peer, id: i32, stored: &Message) {
    m.id = id;
    m.out = stored.out;
    m.peer_id = wire_peer(peer);
    m.from_id = from_id(peer, stored, m.post);
    m.date = stored.date;
    m.edit_date = stored.edit_date;
    m.pinned = stored.pinned;
    m.mentioned = stored.mentioned;
    m.media_unread = stored.media_unread;
    m.reply_to = reply(m.reply_to.take(), stored.reply);
}

fn fill_service(m: &mut types::MessageService, peer: Peer, id: i32, stored: &Message) {
    m.id = id;
    m.out = stored.out;
    m.peer_id = wire_peer(peer);
    m.from_id = from_id(peer, stored, m.post);
    m.date = stored.date;
    m.mentioned = stored.mentioned;
    m.media_unread = stored.media_unread;
    m.reply_to = reply(m.reply_to.take(), stored.reply);
}

/// The reply header with this box's id of what is answered; without one there is no header.
fn reply(
    header: Option<enums::MessageReplyHeader>,
    to: Option<MessageId>,
) -> Option<enums::MessageReplyHeader> {
    let MessageId(id) = to?;
    let mut header = match header {
        Some(enums::MessageReplyHeader::MessageReplyHeader(header)) => header,
        _ => types::MessageReplyHeader::default(),
    };
    header.reply_to_msg_id = Some(id);
    Some(header.into())
}

/// Who wrote a message, as its readers may know: a post is the channel's.
#[must_use]
pub fn author(peer: Peer, stored: &Message) -> Peer {
    match peer {
        Peer::Channel(_) if is_post(&content_of(stored)) => peer,
        _ => Peer::User(stored.from),
    }
}

/// What stands in for a message that is not there.
#[must_use]
pub fn message_empty(MessageId(id): MessageId) -> enums::Message {
    types::MessageEmpty { id, peer_id: None }.into()
}

/// Names everybody in a message's content.
pub fn referenced(message: &enums::Message, named: &mut Named) {
    match message {
        enums::Message::Message(m) => {
            in_forward(m.fwd_from.as_ref(), named);
            in_entities(m.entities.as_deref().unwrap_or_default(), named);
            in_media(m.media.as_ref(), named);
            named.users.extend(m.via_bot_id.map(UserId));
        }
        enums::Message::MessageService(m) => in_action(&m.action, named),
        enums::Message::MessageEmpty(_) => {}
    }
}

fn in_forward(header: Option<&enums::MessageFwdHeader>, named: &mut Named) {
    if let Some(enums::MessageFwdHeader::MessageFwdHeader(header)) = header {
        for peer in header
            .from_id
            .iter()
            .chain(&header.saved_from_peer)
            .chain(&header.saved_from_id)
        {
            named.wire_peer(peer);
        }
    }
}

fn in_entities(entities: &[enums::MessageEntity], named: &mut Named) {
    for entity in entities {
        if let enums::MessageEntity::MessageEntityMentionName(mention) = entity {
            named.users.insert(UserId(mention.user_id));
        }
    }
}

fn in_media(media: Option<&enums::MessageMedia>, named: &mut Named) {
    if let Some(enums::MessageMedia::MessageMediaContact(contact)) = media
        && contact.user_id != 0
    {
        named.users.insert(UserId(contact.user_id));
    }
}

fn in_action(action: &enums::MessageAction, named: &mut Named) {
    use enums::MessageAction as A;
    match action {
        A::MessageActionChatCreate(a) => named.users.extend(a.users.iter().copied().map(UserId)),
        A::MessageActionChatAddUser(a) => named.users.extend(a.users.iter().copied().map(UserId)),
        A::MessageActionChatDeleteUser(a) => drop(named.users.insert(UserId(a.user_id))),
        A::MessageActionChatJoinedByLink(a) => drop(named.users.insert(UserId(a.inviter_id))),
        A::MessageActionChannelMigrateFrom(a) => drop(named.chats.insert(ChatId(a.chat_id))),
        A::MessageActionChatMigrateTo(a) => drop(named.channels.insert(ChannelId(a.channel_id))),
        _ => {}
    }
}

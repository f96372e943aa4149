//! The library's values as the lines of the drivers.

use std::ops::Deref as _;

use grammers_client::tl::{enums, types};
use grammers_client::update::Update;
use serde_json::{Value, json};

pub fn peer_name(peer: &enums::Peer) -> String {
    match peer {
        enums::Peer::User(peer) => format!("user:{}", peer.user_id),
        enums::Peer::Chat(peer) => format!("chat:{}", peer.chat_id),
        enums::Peer::Channel(peer) => format!("channel:{}", peer.channel_id),
    }
}

pub fn message(raw: &enums::Message) -> Value {
    match raw {
        enums::Message::Empty(empty) => json!({ "id": empty.id, "peer": null }),
        enums::Message::Message(message) => ordinary(message),
        enums::Message::Service(message) => service(message),
    }
}

fn ordinary(raw: &types::Message) -> Value {
    let reply_to = match &raw.reply_to {
        Some(enums::MessageReplyHeader::Header(header)) => header.reply_to_msg_id,
        _ => None,
    };
    let media = match &raw.media {
        Some(enums::MessageMedia::Photo(_)) => Some("photo"),
        Some(enums::MessageMedia::Document(_)) => Some("document"),
        _ => None,
    };
    json!({
        "id": raw.id,
        "peer": peer_name(&raw.peer_id),
        "from": author(raw.out, raw.from_id.as_ref(), &raw.peer_id),
        "out": raw.out,
        "text": raw.message,
        "reply_to": reply_to,
        "edited": raw.edit_date.is_some(),
        "media": media,
        "album": raw.grouped_id.map(|id| id.to_string()),
        "service": null,
    })
}

fn service(raw: &types::MessageService) -> Value {
    json!({
        "id": raw.id,
        "peer": peer_name(&raw.peer_id),
        "from": author(raw.out, raw.from_id.as_ref(), &raw.peer_id),
        "out": raw.out,
        "text": "",
        "reply_to": null,
        "edited": false,
        "media": null,
        "album": null,
        "service": service_name(&raw.action),
    })
}

fn author(out: bool, from: Option<&enums::Peer>, peer: &enums::Peer) -> Option<String> {
    (!out).then(|| peer_name(from.unwrap_or(peer)))
}

fn service_name(action: &enums::MessageAction) -> String {
    match action {
        enums::MessageAction::ChatCreate(_) => "chat_create".to_owned(),
        enums::MessageAction::ChatAddUser(_) => "chat_add".to_owned(),
        enums::MessageAction::ChatDeleteUser(_) => "chat_delete".to_owned(),
        enums::MessageAction::ChatEditTitle(_) => "chat_title".to_owned(),
        enums::MessageAction::ChatJoinedByLink(_) => "chat_joined".to_owned(),
        other => format!("{other:?}"),
    }
}

pub fn user(raw: &types::User) -> Value {
    json!({
        "id": raw.id,
        "first_name": raw.first_name,
        "last_name": raw.last_name,
        "username": raw.username,
        "phone": raw.phone,
        "photo": matches!(raw.photo, Some(enums::UserProfilePhoto::Photo(_))),
    })
}

/// What an update says, if the scenarios care.
pub fn event(update: &Update) -> Option<Value> {
    match update {
        Update::NewMessage(new) => Some(json!({ "event": "message", "message": message(&new.deref().raw) })),
        Update::MessageEdited(edited) => {
            Some(json!({ "event": "edited", "message": message(&edited.deref().raw) }))
        }
        Update::MessageDeleted(deleted) => Some(json!({ "event": "deleted", "ids": deleted.messages() })),
        Update::Raw(raw) => raw_event(&raw.raw),
        _ => None,
    }
}

fn raw_event(update: &enums::Update) -> Option<Value> {
    match update {
        enums::Update::ReadHistoryOutbox(read) => {
            Some(json!({ "event": "read", "peer": peer_name(&read.peer), "max_id": read.max_id }))
        }
        enums::Update::ReadHistoryInbox(read) => {
            Some(json!({ "event": "read_here", "peer": peer_name(&read.peer), "max_id": read.max_id }))
        }
        enums::Update::UserTyping(typing) => {
            let user = format!("user:{}", typing.user_id);
            Some(json!({ "event": "typing", "peer": user, "user": user }))
        }
        enums::Update::ChatUserTyping(typing) => {
            let peer = format!("chat:{}", typing.chat_id);
            Some(json!({ "event": "typing", "peer": peer, "user": peer_name(&typing.from_id) }))
        }
        _ => None,
    }
}

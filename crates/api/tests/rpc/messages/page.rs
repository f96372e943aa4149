//! A list of messages in whichever form it is answered.

use havre_tl::enums;

/// A page of messages.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub messages: Vec<enums::Message>,
    /// How many there are in all.
    pub count: i32,
    /// Answered as all that there is.
    pub is_whole: bool,
    /// How many come before the page, where it is told.
    pub position: Option<i32>,
    users: Vec<enums::User>,
    chats: Vec<enums::Chat>,
}

pub fn page(answer: enums::messages::Messages) -> Page {
    match answer {
        enums::messages::Messages::Messages(all) => Page {
            count: i32::try_from(all.messages.len()).unwrap(),
            is_whole: true,
            position: None,
            messages: all.messages,
            users: all.users,
            chats: all.chats,
        },
        enums::messages::Messages::MessagesSlice(slice) => Page {
            count: slice.count,
            is_whole: false,
            position: slice.offset_id_offset,
            messages: slice.messages,
            users: slice.users,
            chats: slice.chats,
        },
        other => panic!("messages are expected: {other:?}"),
    }
}

impl Page {
    pub fn ids(&self) -> Vec<i32> {
        self.messages.iter().map(id_of).collect()
    }

    /// Texts; nothing for service messages.
    pub fn texts(&self) -> Vec<&str> {
        let texts = self.messages.iter().filter_map(|message| match message {
            enums::Message::Message(m) => Some(m.message.as_str()),
            _ => None,
        });
        texts.collect()
    }

    pub fn user_ids(&self) -> Vec<i64> {
        user_ids(&self.users)
    }

    pub fn chat_ids(&self) -> Vec<i64> {
        chat_ids(&self.chats)
    }
}

pub fn id_of(message: &enums::Message) -> i32 {
    match message {
        enums::Message::Message(m) => m.id,
        enums::Message::MessageService(m) => m.id,
        enums::Message::MessageEmpty(m) => m.id,
    }
}

/// Ids of people who can be shown and named, in order.
pub fn user_ids(users: &[enums::User]) -> Vec<i64> {
    let id = |user: &enums::User| match user {
        enums::User::User(u) if !u.min && u.access_hash.is_some() => u.id,
        other => panic!("a complete person is expected: {other:?}"),
    };
    let mut ids: Vec<i64> = users.iter().map(id).collect();
    ids.sort_unstable();
    ids
}

pub fn chat_ids(chats: &[enums::Chat]) -> Vec<i64> {
    let id = |chat: &enums::Chat| match chat {
        enums::Chat::Chat(chat) => chat.id,
        other => panic!("a group is expected: {other:?}"),
    };
    chats.iter().map(id).collect()
}

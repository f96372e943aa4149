//! Newtypes for everything that is numbered, so that no bare integer crosses a room.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);
    };
}

id!(
    /// A person or bot: random within 1..2^39, never reused.
    UserId(i64)
);
id!(
    /// A basic group: random within 1..2^39, never reused.
    ChatId(i64)
);
id!(
    /// A supergroup or broadcast channel: random within 1..2^39, never reused.
    ChannelId(i64)
);
id!(
    /// A message in one person's box, or in a channel: 1 ≤ id < 2^31, grows with creation (UP-15).
    MessageId(i32)
);
id!(
    /// Position in a person's update sequence (UP-1, UP-2).
    Pts(i32)
);
id!(
    /// Chosen by a client to make a send idempotent (UP-17).
    RandomId(i64)
);
id!(
    /// An authorization key's id: the last 8 bytes of its SHA-1.
    AuthKeyId(i64)
);
id!(
    /// A stored file: random.
    FileId(i64)
);
id!(
    /// Unix time in seconds.
    Time(i64)
);

impl Time {
    /// The wire's 32-bit date.
    #[must_use]
    pub fn date(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    /// This time and `seconds` more.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// The account that login codes and service notifications come from.
pub const SERVICE_USER: UserId = UserId(777_000);

/// Who a conversation is with, as the owner of a box sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Peer {
    /// A private chat with this person; with oneself it is "saved messages".
    User(UserId),
    /// A basic group.
    Chat(ChatId),
    /// A supergroup or broadcast channel.
    Channel(ChannelId),
}

/// Names a message across boxes: each box gives it an id of its own, the origin stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The partition that made it: its author's box, or for a service message of a group the group.
    pub source: Peer,
    /// The id in the author's box, or the group's own count of service messages.
    pub id: MessageId,
}

//! What is pushed to a client, as texts of messages.

use havre_tl::enums;
use tokio::sync::mpsc::UnboundedReceiver;

/// A message that came to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its id in their box.
    pub id: i32,
    /// Its text.
    pub text: String,
    /// How far they know their box with it.
    pub pts: i32,
}

impl Heard {
    /// A message, unless it is a service message.
    pub fn of(message: &enums::Message, pts: i32) -> Option<Self> {
        let enums::Message::Message(message) = message else {
            return None;
        };
        Some(Self {
            id: message.id,
            text: message.message.clone(),
            pts,
        })
    }

    /// Messages among some updates.
    pub fn all(updates: &enums::Updates) -> Vec<Self> {
        let enums::Updates::Updates(updates) = updates else {
            return Vec::new();
        };
        let heard = updates.updates.iter().filter_map(|update| match update {
            enums::Update::UpdateNewMessage(new) => Self::of(&new.message, new.pts),
            enums::Update::UpdateNewChannelMessage(new) => Self::of(&new.message, new.pts),
            _ => None,
        });
        heard.collect()
    }
}

/// Takes pushes until a message is the one that is waited for. Says whether it came before there were no more.
pub async fn heard(
    pushes: &mut UnboundedReceiver<enums::Updates>,
    mut is_it: impl FnMut(&str) -> bool,
) -> bool {
    while let Some(updates) = pushes.recv().await {
        if Heard::all(&updates).iter().any(|heard| is_it(&heard.text)) {
            return true;
        }
    }
    false
}

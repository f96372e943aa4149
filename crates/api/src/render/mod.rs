//! Stored things as the wire's objects, each as one viewer may see it. Shared by answers, pushes and
//! differences, so that all of them say the same (UP-5, UP-30).

mod channel;
mod channel_update;
mod chat;
mod dialog;
mod message;
pub mod reference;
mod update;
mod user;

use std::collections::BTreeSet;

use havre_domain::ids::{ChannelId, ChatId, Peer, UserId};
use havre_domain::keys;
use havre_domain::tx::Fault;
use havre_domain::world::World;
use havre_store::Key;
use havre_tl::{enums, types};

pub use channel::{channel, channel_for_all, channel_participant, full_channel_photo};
pub use channel_update::{channel_updates, channel_updates_for_all, channel_updates_of};
pub use chat::{chat, chat_or_forbidden, full_photo, invite, participants};
pub use dialog::{dialog, draft, notify_settings};
pub use message::{author, content_of, message, message_empty, referenced};
pub use update::{peer_settings, updates, updates_of};
pub use user::{fetch_person, photo_of, status, user, user_for_all};

/// Everybody that an answer names (UP-18): filled while rendering, loaded at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// People.
    pub users: BTreeSet<UserId>,
    /// Basic groups.
    pub chats: BTreeSet<ChatId>,
    /// Channels.
    pub channels: BTreeSet<ChannelId>,
}

impl Named {
    /// Names a peer.
    pub fn peer(&mut self, peer: Peer) {
        match peer {
            Peer::User(user) => self.users.insert(user),
            Peer::Chat(chat) => self.chats.insert(chat),
            Peer::Channel(channel) => self.channels.insert(channel),
        };
    }

    /// Names whoever a wire peer is.
    pub fn wire_peer(&mut self, peer: &enums::Peer) {
        match peer {
            enums::Peer::PeerUser(p) => self.peer(Peer::User(UserId(p.user_id))),
            enums::Peer::PeerChat(p) => self.peer(Peer::Chat(ChatId(p.chat_id))),
            enums::Peer::PeerChannel(p) => self.peer(Peer::Channel(ChannelId(p.channel_id))),
        }
    }

    /// Loads everybody as `viewer` may see them.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn load(
        self,
        world: &mut World,
        viewer: UserId,
    ) -> Result<(Vec<enums::User>, Vec<enums::Chat>), Fault> {
        let contacts: Vec<Key> = self.users.iter().map(|user| keys::contact(*user)).collect();
        world.view_user(viewer).fetch_ahead(&contacts).await?;
        let mut users = Vec::with_capacity(self.users.len());
        for user in self.users {
            users.push(self::user(world, viewer, user).await?);
        }
        let mut chats = Vec::with_capacity(self.chats.len());
        for chat in self.chats {
            chats.push(chat_or_forbidden(world, viewer, chat).await?);
        }
        for channel in self.channels {
            chats.push(self::channel(world, viewer, channel).await?);
        }
        Ok((users, chats))
    }
}

impl Named {
    /// Loads everybody as anybody may see them: `min`, for who knows them better already or learns more when they
    /// ask (core.telegram.org/api/min).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn load_for_all(
        self,
        world: &mut World,
    ) -> Result<(Vec<enums::User>, Vec<enums::Chat>), Fault> {
        let mut users = Vec::with_capacity(self.users.len());
        for user in self.users {
            users.push(user_for_all(world, user).await?);
        }
        let mut chats = Vec::with_capacity(self.channels.len());
        for channel in self.channels {
            chats.push(channel_for_all(world, channel).await?);
        }
        Ok((users, chats))
    }
}

/// A peer on the wire.
#[must_use]
pub fn peer(peer: Peer) -> enums::Peer {
    match peer {
        Peer::User(UserId(user_id)) => types::PeerUser { user_id }.into(),
        Peer::Chat(ChatId(chat_id)) => types::PeerChat { chat_id }.into(),
        Peer::Channel(ChannelId(channel_id)) => types::PeerChannel { channel_id }.into(),
    }
}

/// A conversation in a list of conversations.
#[must_use]
pub fn dialog_peer(p: Peer) -> enums::DialogPeer {
    types::DialogPeer { peer: peer(p) }.into()
}

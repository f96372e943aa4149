//! What notification settings belong to, and how they are kept.

use havre_domain::ids::Peer;
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// What notification settings belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A conversation.
    Peer(Peer),
    /// 0 people, 1 groups, 2 channels.
    All(u8),
}

/// What an `InputNotifyPeer` names. Groups have no topics of their own settings: a topic is its group.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn scope(cx: &mut Cx, input: &enums::InputNotifyPeer) -> Result<Scope, Error> {
    Ok(match input {
        enums::InputNotifyPeer::InputNotifyPeer(p) => Scope::Peer(cx.input_peer(&p.peer).await?),
        enums::InputNotifyPeer::InputNotifyForumTopic(p) => Scope::Peer(cx.input_peer(&p.peer).await?),
        enums::InputNotifyPeer::InputNotifyUsers => Scope::All(0),
        enums::InputNotifyPeer::InputNotifyChats => Scope::All(1),
        enums::InputNotifyPeer::InputNotifyBroadcasts => Scope::All(2),
        enums::InputNotifyPeer::InputNotifyCommunity(_) => return Err(RpcError::PEER_ID_INVALID.into()),
    })
}

/// Settings as they are kept and told: one sound for every platform.
#[must_use]
pub fn settings(input: enums::InputPeerNotifySettings) -> enums::PeerNotifySettings {
    let enums::InputPeerNotifySettings::InputPeerNotifySettings(s) = input;
    types::PeerNotifySettings {
        show_previews: s.show_previews,
        silent: s.silent,
        mute_until: s.mute_until,
        ios_sound: s.sound.clone(),
        android_sound: s.sound.clone(),
        other_sound: s.sound,
        stories_muted: s.stories_muted,
        stories_hide_sender: s.stories_hide_sender,
        stories_ios_sound: s.stories_sound.clone(),
        stories_android_sound: s.stories_sound.clone(),
        stories_other_sound: s.stories_sound,
    }
    .into()
}

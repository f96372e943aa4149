//! What all deeds with invite links share: the group or channel whose links they are, and where a hash leads.

use havre_domain::channel_members::Standing;
use havre_domain::channels;
use havre_domain::chats::{self, Group};
use havre_domain::ids::{ChannelId, Peer};
use havre_domain::invites::{self, Link};
use havre_domain::keys::partition;
use havre_domain::tx::Tx;
use havre_tl::enums;

use super::groups;
use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// A group or channel with links that the asker manages.
pub struct Keeper {
    /// Which.
    pub peer: Peer,
    /// Whether the asker made it.
    pub is_creator: bool,
}

impl Keeper {
    /// Where the links lie, to read.
    pub fn view<'a>(&self, cx: &'a mut Cx) -> &'a mut Tx {
        cx.world.view_peer(self.peer)
    }

    /// Where the links lie, to change.
    ///
    /// # Errors
    /// [`Error`].
    pub fn tx<'a>(&self, cx: &'a mut Cx) -> Result<&'a mut Tx, Error> {
        Ok(cx.world.subject(partition::peer(self.peer))?)
    }

    /// A link that the asker may manage: their own, or any when they are the creator.
    ///
    /// # Errors
    /// `400 INVITE_HASH_EXPIRED` when there is none, `400 CHAT_ADMIN_REQUIRED`.
    pub async fn managed(&self, cx: &mut Cx, link: &str) -> Result<Link, Error> {
        let me = cx.me()?;
        let link = invites::link(self.view(cx), invites::hash_in(link)).await?;
        let link = link.ok_or(RpcError::INVITE_HASH_EXPIRED)?;
        if link.admin != me && !self.is_creator {
            return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
        }
        Ok(link)
    }
}

/// The group or channel that an `InputPeer` names, when the asker may invite to it by links.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 CHAT_ID_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`.
pub async fn keeper(cx: &mut Cx, input: &enums::InputPeer) -> Result<Keeper, Error> {
    let me = cx.me()?;
    if !matches!(input, enums::InputPeer::InputPeerChannel(_)) {
        let group = groups::administered(cx, groups::chat_of(input)?).await?;
        return Ok(Keeper {
            peer: Peer::Chat(group.id),
            is_creator: group.chat.creator == me,
        });
    }
    let peer = cx.input_peer(input).await?;
    let Peer::Channel(channel) = peer else {
        return Err(RpcError::PEER_ID_INVALID.into());
    };
    let standing = cx.readable(channel).await?;
    if !standing.admin().is_some_and(|rights| rights.invite_users) {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    Ok(Keeper {
        peer,
        is_creator: standing.is_creator(),
    })
}

/// Where a link leads.
pub enum Invited {
    /// To a basic group.
    Group(Group),
    /// To a channel, as the asker stands to it.
    Channel(ChannelId, Standing),
}

/// The group or channel that a hash leads to, and the link itself.
///
/// # Errors
/// `400 INVITE_HASH_EMPTY`, `400 INVITE_HASH_INVALID`, `400 INVITE_HASH_EXPIRED`.
pub async fn invited(cx: &mut Cx, hash: &str) -> Result<(Invited, Link), Error> {
    let hash = invites::hash_in(hash);
    if hash.is_empty() {
        return Err(RpcError::INVITE_HASH_EMPTY.into());
    }
    if !invites::is_valid(hash) {
        return Err(RpcError::INVITE_HASH_INVALID.into());
    }
    let claim = cx.world.view(partition::invite(hash));
    let (chat, channel) = (chats::invited_to(claim).await?, channels::claimed(claim).await?);
    let invited = match (chat, channel) {
        (Some(id), _) => {
            let tx = cx.world.view(partition::chat(id));
            let group = Group::load(tx, id).await?.filter(|g| !g.chat.deactivated);
            group.map(|group| (Peer::Chat(id), Invited::Group(group)))
        }
        (None, Some(id)) => {
            let standing = cx.standing(id).await?.filter(|s| !s.channel.deleted);
            standing.map(|standing| (Peer::Channel(id), Invited::Channel(id, standing)))
        }
        (None, None) => return Err(RpcError::INVITE_HASH_INVALID.into()),
    };
    let (peer, invited) = invited.ok_or(RpcError::INVITE_HASH_EXPIRED)?;
    let link = invites::link(cx.world.view_peer(peer), hash).await?;
    Ok((invited, link.ok_or(RpcError::INVITE_HASH_EXPIRED)?))
}

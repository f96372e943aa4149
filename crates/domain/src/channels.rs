//! Supergroups and broadcast channels. A channel's partition is a box with one conversation, the channel itself:
//! [`crate::messages`], [`crate::search`] and [`crate::updates`] work on it as on a person's. Nothing of a
//! message goes to its readers' boxes, so posting is one commit however many they are.

use havre_tl::{Deserialize as _, Serialize as _, enums, types};
use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, ChatId, MessageId, Time, UserId};
use crate::keys::{self, partition};
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::usernames;

/// A supergroup or broadcast channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Title.
    pub title: String,
    /// Description.
    pub about: String,
    /// Photo, TL of the canonical layer (`photo`).
    pub photo: Option<Vec<u8>>,
    /// Who made it.
    pub creator: UserId,
    /// When.
    pub date: i32,
    /// Everybody in it may write; in a broadcast channel administrators only.
    pub megagroup: bool,
    /// Under which it is public, without `@`.
    pub username: Option<String>,
    /// What members may not do, TL of the canonical layer (`chatBannedRights`).
    pub default_banned: Option<Vec<u8>>,
    /// Posts show who wrote them.
    pub signatures: bool,
    /// Seconds between two messages of a member; 0 for none.
    pub slow_mode: i32,
    /// The basic group that it was.
    pub migrated_from: Option<ChatId>,
    /// The newest message that somebody other than its author has read.
    pub read_by_others: MessageId,
    /// Deleted: nothing can be done with it any more.
    pub deleted: bool,
}

/// The channel, if there is one.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn channel(tx: &mut Tx) -> Result<Option<Channel>, Fault> {
    tx.get(&keys::channel()).await
}

/// Stores a channel.
pub fn save(tx: &mut Tx, channel: &Channel) {
    tx.put(keys::channel(), channel);
}

/// Makes a claim (username, invite) lead to a channel, or nowhere.
pub fn claim(tx: &mut Tx, channel: Option<ChannelId>) {
    match channel {
        Some(channel) => tx.put(keys::claiming_channel(), &channel),
        None => tx.delete(keys::claiming_channel()),
    }
}

/// The channel that a claim leads to.
///
/// # Errors
/// [`Fault`].
pub async fn claimed(tx: &mut Tx) -> Result<Option<ChannelId>, Fault> {
    tx.get(&keys::claiming_channel()).await
}

/// Claims a free name in its partition and tells the channel. False when somebody else has it.
///
/// # Errors
/// [`Fault`].
pub async fn claim_name(tx: &mut Tx, id: ChannelId, name: &str) -> Result<bool, Fault> {
    let taken = usernames::owner(tx).await?.is_some() || claimed(tx).await?.is_some_and(|c| c != id);
    if !taken {
        claim(tx, Some(id));
        tx.send(
            partition::channel(id),
            &Effect::ChannelName(Some(name.to_owned())),
        );
    }
    Ok(!taken)
}

/// Puts a claimed name, or none, onto the channel and lets the old one go.
///
/// # Errors
/// [`Fault`].
pub async fn adopt(tx: &mut Tx, now: Time, name: Option<String>) -> Result<(), Fault> {
    let (Some(mut channel), Some(id)) = (channel(tx).await?, partition::as_channel(tx.partition())) else {
        return Ok(());
    };
    let is_new = |old: &String| name.as_ref().is_none_or(|new| !new.eq_ignore_ascii_case(old));
    if let Some(old) = channel.username.take().filter(is_new) {
        let old = partition::username(&old.to_ascii_lowercase());
        tx.send(old, &Effect::LeadTo(None));
    }
    channel.username = name;
    save(tx, &channel);
    updates::append(tx, now, Event::Channel(id)).await.map(drop)
}

/// Notes that somebody read up to `max_id` what others wrote. True when the mark moved.
///
/// # Errors
/// [`Fault`].
pub async fn was_read(tx: &mut Tx, max_id: MessageId) -> Result<bool, Fault> {
    let Some(mut channel) = channel(tx).await? else {
        return Ok(false);
    };
    let moves = max_id > channel.read_by_others;
    if moves {
        channel.read_by_others = max_id;
        save(tx, &channel);
    }
    Ok(moves)
}

/// Rights of members as they are kept.
#[must_use]
pub fn banned_rights(stored: Option<&[u8]>) -> types::ChatBannedRights {
    match stored.map(enums::ChatBannedRights::from_bytes) {
        Some(Ok(enums::ChatBannedRights::ChatBannedRights(rights))) => rights,
        _ => types::ChatBannedRights::default(),
    }
}

/// Rights of an administrator as they are kept.
#[must_use]
pub fn admin_rights(stored: &[u8]) -> types::ChatAdminRights {
    match enums::ChatAdminRights::from_bytes(stored) {
        Ok(enums::ChatAdminRights::ChatAdminRights(rights)) => rights,
        Err(_) => types::ChatAdminRights::default(),
    }
}

/// Every right that an administrator may have.
#[must_use]
pub fn all_rights(megagroup: bool) -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: !megagroup,
        edit_messages: !megagroup,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        manage_call: true,
        other: true,
        ..types::ChatAdminRights::default()
    }
}

/// Rights of members, to be kept.
#[must_use]
pub fn kept_banned(rights: types::ChatBannedRights) -> Vec<u8> {
    enums::ChatBannedRights::ChatBannedRights(rights).to_bytes()
}

/// Seconds ahead below which the end of restrictions means that they do not end.
const SHORTEST_BAN: i32 = 30;
/// Seconds ahead above which it means so, too.
const LONGEST_BAN: i32 = 366 * 24 * 3600;

/// When restrictions end that are to end at `until_date`; 0 for never
/// (core.telegram.org/method/channels.editBanned).
#[must_use]
pub fn end_of_ban(until_date: i32, now: Time) -> i32 {
    let ahead = until_date.saturating_sub(now.date());
    if (SHORTEST_BAN..=LONGEST_BAN).contains(&ahead) {
        until_date
    } else {
        0
    }
}

/// Whether restrictions hold: those that end at 0 always do.
#[must_use]
pub fn holds(rights: &types::ChatBannedRights, now: Time) -> bool {
    rights.until_date == 0 || rights.until_date > now.date()
}

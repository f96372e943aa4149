//! THE schema: every partition and every key, and nowhere else.
//!
//! ```text
//! user/<id>                        a person's account and message box            owner
//! ├── profile                      -> users::Profile                             users
//! ├── box                          -> updates::Counters (message id, pts)        updates
//! ├── password                     -> password::Password                         password
//! ├── login email                  -> login_emails::LoginEmail                   login_emails
//! ├── verification                 -> login_emails::Verification                 login_emails
//! ├── passkeys                     -> passkeys::Passkeys                         passkeys
//! ├── session/<auth key>           -> sessions::Session                          sessions
//! ├── contact/<user>               -> contacts::Contact                          contacts
//! ├── blocked/<user>               -> contacts::Blocked                          contacts
//! ├── privacy/<key>                -> privacy::Rules                             privacy
//! ├── photo/<n>                    -> users::Photo                               users
//! ├── grants                       -> sessions::Grants                           sessions
//! ├── given                        -> u32       how many invitations were given    invitations
//! ├── notify/<scope>               -> dialogs::Notify                            dialogs
//! ├── dialog/<peer>                -> dialogs::Dialog                            dialogs
//! ├── joined/<channel>             -> channel_members::Joined                    channel_members
//! ├── order/<folder>/<date>/<top>/<peer> -> ()  newest last; not of channels     dialogs
//! ├── pins/<folder>                -> dialogs::Pins                              dialogs
//! ├── unread                       -> dialogs::Unread                            dialogs
//! ├── message/<peer>/<id>          -> messages::Message                          messages
//! ├── place/<id>                   -> Peer      where a message id lies          messages
//! ├── origin/<source>/<id>         -> MessageId other boxes' name of a message   messages
//! ├── random/<peer>/<n>            -> random_ids::Row                            random_ids
//! ├── word/<token>/<id>            -> ()        search                           search
//! ├── media/<kind>/<peer>/<id>     -> ()        search by kind of media          search
//! ├── event/<pts>/<n>              -> updates::Logged                            updates
//! └── meter/<name>                 -> flood::Meter  how often something was done flood
//! chat/<id>                        a basic group
//! ├── chat                         -> chats::Chat                                chats
//! ├── member/<user>                -> chats::Member                              chats
//! ├── link/<hash>                  -> invites::Link                              invites
//! ├── successor                    -> ChannelId what it became                   chats
//! └── meter/<name>                 -> flood::Meter                               flood
//! channel/<id>                     a supergroup or broadcast channel: a box with one conversation
//! ├── channel                      -> channels::Channel                          channels
//! ├── census                       -> channel_members::Census                    channel_members
//! ├── attendant/<user>             -> channel_members::Member                    channel_members
//! ├── seat/<kind>/<date>/<user>    -> ()        members by kind, newest last     channel_members
//! ├── author/<user>/<id>           -> ()        who wrote which message          channel_messages
//! ├── random/<sender>/<random id>, expiry/..                                     messages
//! ├── link/<hash>                  -> invites::Link                              invites
//! ├── meter/<name>[/<user>]        -> flood::Meter                               flood
//! └── box, dialog/<itself>, message, place, word, media, event: as a person's
//! phone/<digits>                   -> phones::Phone under `claim`; invitations::Invitation under `invitation`;
//!                                     login_emails::Verification under `verification`; meter/<name>
//! username/<lower case>            -> usernames::Claim under `claim`; ChannelId under `channel`
//! invite/<hash>                    -> chats::InviteClaim under `claim`; ChannelId under `channel`
//! passkey/<hash of its id>         -> usernames::Claim under `claim`             passkeys
//! key/<auth key id>                -> auth_keys::AuthKey under `key`; state of a login under `login`;
//!                                     passkeys::Challenge under `passkey`
//! file/<file id>                   -> files::File under `file`                   files
//! server                           -> what one server has once, under a name     server
//! ```

use bytes::Bytes;
use havre_store::{Key, Partition};
use sha2::{Digest as _, Sha256};

use crate::ids::{AuthKeyId, ChannelId, ChatId, FileId, MessageId, Origin, Peer, Pts, UserId};

/// Keys from `start` up to but not including `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// First key, inclusive.
    pub start: Key,
    /// Last key, exclusive.
    pub end: Key,
}

/// Writes order-preserving keys: numbers big-endian, text ended by a zero byte.
#[derive(Clone)]
struct Path(Vec<u8>);

impl Path {
    fn new(tag: u8) -> Self {
        Self(vec![tag])
    }
    fn byte(mut self, n: u8) -> Self {
        self.0.push(n);
        self
    }
    /// A non-negative 32-bit number; negative ones do not occur in keys and are written as 0.
    fn i32(mut self, n: i32) -> Self {
        self.0.extend(n.max(0).to_be_bytes());
        self
    }
    /// Any 64-bit number, ordered with its sign.
    fn i64(mut self, n: i64) -> Self {
        self.0.extend((n.cast_unsigned() ^ (1 << 63)).to_be_bytes());
        self
    }
    fn peer(self, peer: Peer) -> Self {
        match peer {
            Peer::User(UserId(id)) => self.byte(1).i64(id),
            Peer::Chat(ChatId(id)) => self.byte(2).i64(id),
            Peer::Channel(ChannelId(id)) => self.byte(3).i64(id),
        }
    }
    /// Text without zero bytes; those are dropped.
    fn text(mut self, text: &str) -> Self {
        self.0.extend(text.bytes().filter(|b| *b != 0));
        self.byte(0)
    }
    fn key(self) -> Key {
        Bytes::from(self.0)
    }
    /// Everything that starts with this path.
    fn below(self) -> Span {
        let mut end = self.0.clone();
        // A path's last byte may be 0xff: carry into the byte before it.
        while end.last() == Some(&0xff) {
            end.pop();
        }
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        Span {
            start: self.key(),
            end: Bytes::from(end),
        }
    }
}

/// Partition names.
pub mod partition {
    use super::*;

    /// A person's account and box.
    #[must_use]
    pub fn user(UserId(id): UserId) -> Partition {
        Partition(Path::new(b'u').i64(id).key())
    }
    /// A basic group.
    #[must_use]
    pub fn chat(ChatId(id): ChatId) -> Partition {
        Partition(Path::new(b'c').i64(id).key())
    }
    /// A supergroup or broadcast channel.
    #[must_use]
    pub fn channel(ChannelId(id): ChannelId) -> Partition {
        Partition(Path::new(b'g').i64(id).key())
    }
    /// Whoever a conversation is with.
    #[must_use]
    pub fn peer(peer: Peer) -> Partition {
        match peer {
            Peer::User(id) => user(id),
            Peer::Chat(id) => chat(id),
            Peer::Channel(id) => channel(id),
        }
    }
    /// The claim of a phone number, digits only.
    #[must_use]
    pub fn phone(digits: &str) -> Partition {
        Partition(Path::new(b'p').text(digits).key())
    }
    /// The claim of a username, lower case.
    #[must_use]
    pub fn username(name: &str) -> Partition {
        Partition(Path::new(b'n').text(name).key())
    }
    /// The claim of an invite link's hash.
    #[must_use]
    pub fn invite(hash: &str) -> Partition {
        Partition(Path::new(b'i').text(hash).key())
    }
    /// The claim of a passkey's id.
    #[must_use]
    pub fn passkey(id: &[u8]) -> Partition {
        Partition([&[b'w'][..], &Sha256::digest(id)[..]].concat().into())
    }
    /// An authorization key.
    #[must_use]
    pub fn auth_key(AuthKeyId(id): AuthKeyId) -> Partition {
        Partition(Path::new(b'k').i64(id).key())
    }
    /// A file's metadata.
    #[must_use]
    pub fn file(FileId(id): FileId) -> Partition {
        Partition(Path::new(b'f').i64(id).key())
    }
    /// What one server has once.
    #[must_use]
    pub fn server() -> Partition {
        Partition(Path::new(b's').key())
    }

    /// The person whose partition this is, if it is a person's.
    #[must_use]
    pub fn as_user(partition: &Partition) -> Option<UserId> {
        numbered(partition, b'u').map(UserId)
    }

    /// The channel whose partition this is, if it is one's.
    #[must_use]
    pub fn as_channel(partition: &Partition) -> Option<ChannelId> {
        numbered(partition, b'g').map(ChannelId)
    }

    /// The authorization key whose partition this is, if it is one's.
    #[must_use]
    pub fn as_auth_key(partition: &Partition) -> Option<AuthKeyId> {
        numbered(partition, b'k').map(AuthKeyId)
    }

    /// The number of a partition of this kind.
    fn numbered(partition: &Partition, kind: u8) -> Option<i64> {
        let (_, id) = partition.0.split_first().filter(|(first, _)| **first == kind)?;
        let id: [u8; 8] = id.try_into().ok()?;
        Some((u64::from_be_bytes(id) ^ (1 << 63)).cast_signed())
    }
}

/// The one record of a claim: phone, username, invite, passkey.
#[must_use]
pub fn claim() -> Key {
    Path::new(1).key()
}
/// The record of an authorization key, and of a file.
#[must_use]
pub fn subject() -> Key {
    Path::new(2).key()
}
/// What a login in progress has reached on an authorization key.
#[must_use]
pub fn login() -> Key {
    Path::new(3).key()
}
/// The invitation that waits at a number.
#[must_use]
pub fn invitation() -> Key {
    Path::new(4).key()
}
/// What an authenticator is to sign for a login on an authorization key.
#[must_use]
pub fn passkey_challenge() -> Key {
    Path::new(5).key()
}
/// The channel that a claim leads to: username, invite.
#[must_use]
pub fn claiming_channel() -> Key {
    Path::new(6).key()
}
/// A person's profile.
#[must_use]
pub fn profile() -> Key {
    Path::new(10).key()
}
/// A box's counters.
#[must_use]
pub fn counters() -> Key {
    Path::new(11).key()
}
/// Two-step verification.
#[must_use]
pub fn password() -> Key {
    Path::new(12).key()
}
/// A person's login on one key.
#[must_use]
pub fn session(AuthKeyId(id): AuthKeyId) -> Key {
    Path::new(13).i64(id).key()
}
/// All logins.
#[must_use]
pub fn sessions() -> Span {
    Path::new(13).below()
}
/// A contact.
#[must_use]
pub fn contact(UserId(id): UserId) -> Key {
    Path::new(14).i64(id).key()
}
/// All contacts, by id.
#[must_use]
pub fn contacts() -> Span {
    Path::new(14).below()
}
/// A blocked person.
#[must_use]
pub fn blocked(UserId(id): UserId) -> Key {
    Path::new(15).i64(id).key()
}
/// All blocked people.
#[must_use]
pub fn all_blocked() -> Span {
    Path::new(15).below()
}
/// The person at the end of a [`contact`] or [`blocked`] key.
#[must_use]
pub fn user_of(key: &Key) -> Option<UserId> {
    number_of(key).map(UserId)
}
fn number_of(key: &Key) -> Option<i64> {
    let tail: [u8; 8] = key.get(key.len().checked_sub(8)?..)?.try_into().ok()?;
    Some((u64::from_be_bytes(tail) ^ (1 << 63)).cast_signed())
}
/// Rules of one privacy key.
#[must_use]
pub fn privacy(key: u8) -> Key {
    Path::new(16).byte(key).key()
}
/// A profile photo, by growing number.
#[must_use]
pub fn photo(n: i64) -> Key {
    Path::new(17).i64(n).key()
}
/// The number at the end of a [`photo`] key.
#[must_use]
pub fn photo_of(key: &Key) -> Option<i64> {
    number_of(key)
}
/// All profile photos, oldest first.
#[must_use]
pub fn photos() -> Span {
    Path::new(17).below()
}
/// Notification settings of a scope: 0 people, 1 groups, 2 channels.
#[must_use]
pub fn notify(scope: u8) -> Key {
    Path::new(18).byte(scope).key()
}
/// Logins that may be taken over to another key.
#[must_use]
pub fn grants() -> Key {
    Path::new(19).key()
}
/// A conversation.
#[must_use]
pub fn dialog(peer: Peer) -> Key {
    Path::new(20).peer(peer).key()
}
/// All conversations, by peer.
#[must_use]
pub fn dialogs() -> Span {
    Path::new(20).below()
}
/// All conversations with basic groups, by group.
#[must_use]
pub fn group_dialogs() -> Span {
    Path::new(20).byte(2).below()
}
/// A conversation's place in its folder.
#[must_use]
pub fn order(folder: u8, date: i32, top: MessageId, peer: Peer) -> Key {
    Path::new(21).byte(folder).i32(date).i32(top.0).peer(peer).key()
}
/// A folder's conversations, newest last.
#[must_use]
pub fn folder(folder: u8) -> Span {
    Path::new(21).byte(folder).below()
}
/// The part of a folder strictly older than (date, top, peer).
#[must_use]
pub fn folder_before(folder: u8, date: i32, top: MessageId, peer: Option<Peer>) -> Span {
    let start = Path::new(21).byte(folder);
    let end = start.clone().i32(date).i32(top.0);
    let end = match peer {
        Some(peer) => end.peer(peer),
        None => end,
    };
    Span {
        start: start.key(),
        end: end.key(),
    }
}
/// The peer at the end of an [`order`] or of a [`dialog`] key.
#[must_use]
pub fn peer_of(key: &Key) -> Option<Peer> {
    let tail = key.get(key.len().checked_sub(9)?..)?;
    let (kind, id) = tail.split_first()?;
    let id = (u64::from_be_bytes(id.try_into().ok()?) ^ (1 << 63)).cast_signed();
    match kind {
        1 => Some(Peer::User(UserId(id))),
        2 => Some(Peer::Chat(ChatId(id))),
        3 => Some(Peer::Channel(ChannelId(id))),
        _ => None,
    }
}
/// Pinned conversations of a folder, in order.
#[must_use]
pub fn pins(folder: u8) -> Key {
    Path::new(22).byte(folder).key()
}
/// A message.
#[must_use]
pub fn message(peer: Peer, MessageId(id): MessageId) -> Key {
    Path::new(23).peer(peer).i32(id).key()
}
/// Messages of a conversation with `from <= id < to`.
#[must_use]
pub fn history(peer: Peer, from: MessageId, to: MessageId) -> Span {
    Span {
        start: message(peer, from),
        end: message(peer, to),
    }
}
/// The message id at the end of a [`message`], [`word`] or [`media`] key.
#[must_use]
pub fn message_id_of(key: &Key) -> Option<MessageId> {
    let tail = key.get(key.len().checked_sub(4)?..)?;
    Some(MessageId(i32::from_be_bytes(tail.try_into().ok()?)))
}
/// Where a message id lies.
#[must_use]
pub fn place(MessageId(id): MessageId) -> Key {
    Path::new(24).i32(id).key()
}
/// This box's id of a message made elsewhere.
#[must_use]
pub fn origin(origin: Origin) -> Key {
    Path::new(25).peer(origin.source).i32(origin.id.0).key()
}
/// Some of what was sent under random ids in a conversation; the rows are filled in turn.
#[must_use]
pub fn random(peer: Peer, place: u8) -> Key {
    Path::new(26).peer(peer).byte(place).key()
}
/// A word in a message.
#[must_use]
pub fn word(token: &str, MessageId(id): MessageId) -> Key {
    Path::new(28).text(token).i32(id).key()
}
/// Messages with `token`, with `from <= id < to`.
#[must_use]
pub fn word_span(token: &str, from: MessageId, to: MessageId) -> Span {
    Span {
        start: word(token, from),
        end: word(token, to),
    }
}
/// Every word that starts with `prefix`.
#[must_use]
pub fn words_from(prefix: &str) -> Span {
    let mut path = Path::new(28);
    path.0.extend(prefix.bytes().filter(|b| *b != 0));
    path.below()
}
/// A message with media of a kind.
#[must_use]
pub fn media(kind: u8, peer: Peer, MessageId(id): MessageId) -> Key {
    Path::new(29).byte(kind).peer(peer).i32(id).key()
}
/// All messages with media of a kind, by conversation.
#[must_use]
pub fn media_everywhere(kind: u8) -> Span {
    Path::new(29).byte(kind).below()
}
/// Messages of a conversation with media of a kind, with `from <= id < to`.
#[must_use]
pub fn media_span(kind: u8, peer: Peer, from: MessageId, to: MessageId) -> Span {
    Span {
        start: media(kind, peer, from),
        end: media(kind, peer, to),
    }
}
/// Event `n` at `pts`: n = 0 moved pts there, n > 0 happened after it without moving it.
#[must_use]
pub fn event(Pts(pts): Pts, n: i32) -> Key {
    Path::new(30).i32(pts).i32(n).key()
}
/// Events after everything at `pts` with n = 0, up to the end of the log.
#[must_use]
pub fn events_after(pts: Pts) -> Span {
    Span {
        start: event(pts, 1),
        end: event(Pts(i32::MAX), i32::MAX),
    }
}
/// Events without pts that happened at `pts`.
#[must_use]
pub fn events_at(pts: Pts) -> Span {
    Span {
        start: event(pts, 1),
        end: event(pts, i32::MAX),
    }
}
/// Pts and n of an [`event`] key.
#[must_use]
pub fn event_of(key: &Key) -> Option<(Pts, i32)> {
    let (pts, n) = key.get(1..9)?.split_at(4);
    Some((
        Pts(i32::from_be_bytes(pts.try_into().ok()?)),
        i32::from_be_bytes(n.try_into().ok()?),
    ))
}
/// A flood meter.
#[must_use]
pub fn meter(name: &str) -> Key {
    Path::new(32).text(name).key()
}
/// A flood meter of somebody in a partition that many use.
#[must_use]
pub fn meter_of(name: &str, UserId(by): UserId) -> Key {
    Path::new(32).text(name).i64(by).key()
}
/// Unread messages of all conversations together.
#[must_use]
pub fn unread() -> Key {
    Path::new(33).key()
}
/// How many invitations a person has given out.
#[must_use]
pub fn invitations_given() -> Key {
    Path::new(34).key()
}
/// A person's passkeys.
#[must_use]
pub fn passkeys() -> Key {
    Path::new(35).key()
}
/// The e-mail address that a person's login codes go to.
#[must_use]
pub fn login_email() -> Key {
    Path::new(36).key()
}
/// An e-mail address that is verified: a person's own, or for an attempt to log in with a number.
#[must_use]
pub fn verification() -> Key {
    Path::new(37).key()
}
/// A basic group.
#[must_use]
pub fn chat() -> Key {
    Path::new(40).key()
}
/// A member of a basic group.
#[must_use]
pub fn member(UserId(id): UserId) -> Key {
    Path::new(41).i64(id).key()
}
/// All members.
#[must_use]
pub fn members() -> Span {
    Path::new(41).below()
}
/// An invite link of a basic group.
#[must_use]
pub fn link(hash: &str) -> Key {
    Path::new(42).text(hash).key()
}
/// All invite links.
#[must_use]
pub fn links() -> Span {
    Path::new(42).below()
}
/// The channel that a basic group became.
#[must_use]
pub fn successor() -> Key {
    Path::new(43).key()
}
/// A channel.
#[must_use]
pub fn channel() -> Key {
    Path::new(60).key()
}
/// How many of which kind of member a channel has.
#[must_use]
pub fn census() -> Key {
    Path::new(61).key()
}
/// Somebody whom a channel knows.
#[must_use]
pub fn attendant(UserId(id): UserId) -> Key {
    Path::new(62).i64(id).key()
}
/// The place of somebody among the members of a kind.
#[must_use]
pub fn seat(kind: u8, date: i32, UserId(id): UserId) -> Key {
    Path::new(63).byte(kind).i32(date).i64(id).key()
}
/// All members of a kind, who came last is last.
#[must_use]
pub fn seats(kind: u8) -> Span {
    Path::new(63).byte(kind).below()
}
/// A message by its author.
#[must_use]
pub fn author(UserId(author): UserId, MessageId(id): MessageId) -> Key {
    Path::new(64).i64(author).i32(id).key()
}
/// An author's messages with `from <= id < to`.
#[must_use]
pub fn written(by: UserId, from: MessageId, to: MessageId) -> Span {
    Span {
        start: author(by, from),
        end: author(by, to),
    }
}
/// Where messages with `from <= id < to` lie.
#[must_use]
pub fn places(from: MessageId, to: MessageId) -> Span {
    Span {
        start: place(from),
        end: place(to),
    }
}
/// A channel that a person is in.
#[must_use]
pub fn joined(ChannelId(id): ChannelId) -> Key {
    Path::new(65).i64(id).key()
}
/// All channels that a person is in.
#[must_use]
pub fn all_joined() -> Span {
    Path::new(65).below()
}
/// The channel at the end of a [`joined`] key.
#[must_use]
pub fn joined_of(key: &Key) -> Option<ChannelId> {
    number_of(key).map(ChannelId)
}
/// Something that a server has once.
#[must_use]
pub fn once(name: &str) -> Key {
    Path::new(50).text(name).key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_what_was_written() {
        let peer = Peer::Chat(ChatId(1 << 40));
        let key = message(peer, MessageId(77));
        assert_eq!(message_id_of(&key), Some(MessageId(77)));
        assert_eq!(peer_of(&order(1, 5, MessageId(3), peer)), Some(peer));
        assert_eq!(event_of(&event(Pts(9), 2)), Some((Pts(9), 2)));
        let user = UserId(123_456);
        assert_eq!(partition::as_user(&partition::user(user)), Some(user));
        assert_eq!(partition::as_user(&partition::chat(ChatId(123_456))), None);
    }

    #[test]
    fn order_of_keys_is_order_of_numbers() {
        let peer = Peer::User(UserId(1));
        assert!(message(peer, MessageId(2)) < message(peer, MessageId(10)));
        assert!(event(Pts(255), 9) < event(Pts(256), 0));
        assert!(random(peer, 1) < random(peer, 2));
        let span = words_from("ha");
        let inside = word("havre", MessageId(1));
        assert!(span.start <= inside && inside < span.end);
        assert!(word("hb", MessageId(1)) >= span.end);
    }
}

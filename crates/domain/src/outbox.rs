//! Effects: what one partition's commit asks of another, and the courier that delivers them.
//!
//! The transactional outbox: effects are written in the sender's commit; the receiver's commit records
//! how far it has come, so each is applied once however often it is delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use havre_store::{EffectId, Partition, Pending, Store};
use serde::{Deserialize, Serialize};

use crate::auth_keys::Awaits;
use crate::channel_members::{self, Joined};
use crate::ids::{AuthKeyId, ChannelId, ChatId, MessageId, Origin, Peer, Time, UserId};
use crate::invitations::{self, Invitation};
use crate::keys::{self, partition};
use crate::messages::{self, Arrival};
use crate::passkeys::{self, Proved};
use crate::search::{self, Kind};
use crate::sessions::{self, Session};
use crate::successions::{self, Succession};
use crate::turns::Turns;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::users::Profile;
use crate::{auth_keys, channels, chats, dialogs, login_emails};

/// What a commit asks of another partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// To a person: a message.
    Arrive(Arrival),
    /// To a person: a message was edited by its author.
    Edited {
        /// Which.
        origin: Origin,
        /// TL of the canonical layer.
        content: Vec<u8>,
        /// When; nothing when the edit is not to be seen as one.
        edit_date: Option<i32>,
    },
    /// To a person: messages were deleted for everybody.
    Deleted {
        /// Which.
        origins: Vec<Origin>,
    },
    /// To a person: somebody read what they wrote, up to this message.
    WasRead {
        /// The conversation as the receiver sees it.
        peer: Peer,
        /// The newest message that was read.
        origin: Origin,
    },
    /// To a person: their voice or video note was listened to or watched.
    Consumed {
        /// Which.
        origin: Origin,
    },
    /// To a person: a message was pinned or unpinned for everybody.
    Pinned {
        /// Which.
        origin: Origin,
        /// Pinned or unpinned.
        pinned: bool,
    },
    /// To a person: they exist now, and are logged in.
    SignedUp {
        /// The account.
        profile: Profile,
        /// Their first login.
        session: Session,
    },
    /// To a person: a login was made.
    LoggedIn(Session),
    /// To a person: a username was claimed for them (or given up, `None`).
    Username(Option<String>),
    /// To a person: what is known of somebody changed.
    UserChanged(UserId),
    /// To a person: a basic group changed.
    ChatChanged(ChatId),
    /// To a person: what members of a basic group may do changed.
    ChatRights(ChatId),
    /// To a person: whatever this author wrote in a basic group is to go.
    Purge {
        /// The group.
        chat: ChatId,
        /// The author.
        author: UserId,
    },
    /// To a key: this person is logged in.
    Authorize(UserId),
    /// To a key: this person is logged out.
    Revoke(UserId),
    /// To a claim: given up by this person.
    Release(UserId),
    /// To an invite's claim: it leads to this group, or nowhere.
    Invite(Option<ChatId>),
    /// To a person: the login on this key ended, as the key is now somebody else's.
    LoggedOut(AuthKeyId),
    /// To a key: a password is asked for.
    AwaitPassword(Awaits),
    /// To a temporary key: it is bound to this permanent one.
    Bind(AuthKeyId),
    /// To a temporary key: this permanent one, which it was bound to, lets it go.
    Unbind(AuthKeyId),
    /// To a number's claim: somebody is invited with it.
    Invitation(Invitation),
    /// To a passkey's claim: this person has it.
    Claim(UserId),
    /// To a person: somebody proved to be them with a passkey.
    Proved(Proved),
    /// To a person: where their login codes go by e-mail.
    LoginEmail(login_emails::Change),
    /// To a person: they are in a channel now, where this was said before.
    Joined {
        /// Which.
        channel: ChannelId,
        /// Since when.
        joined: Joined,
        /// The newest message before.
        read: MessageId,
    },
    /// To a person: they are in a channel no more.
    Parted(ChannelId),
    /// To a person: a channel changed, or what they may do in it.
    ChannelChanged(ChannelId),
    /// To a channel: somebody read up to here what others wrote.
    ChannelRead(MessageId),
    /// To a channel: a username was claimed for it (or given up, `None`).
    ChannelName(Option<String>),
    /// To a channel that is not there yet: a basic group became it.
    Succeed(Box<Succession>),
    /// To a claim (username, invite): it leads to this channel, or nowhere.
    LeadTo(Option<ChannelId>),
}

/// Applies an effect to the partition that it was sent to.
///
/// # Errors
/// [`Fault`].
pub async fn apply(tx: &mut Tx, now: Time, effect: Effect) -> Result<(), Fault> {
    match (partition::as_user(tx.partition()), effect) {
        (Some(owner), effect) => apply_to_user(tx, now, owner, effect).await,
        (None, Effect::Authorize(user)) => auth_keys::set_user(tx, Some(user), None).await,
        (None, Effect::Revoke(user)) => auth_keys::set_user(tx, None, Some(user)).await,
        (None, Effect::Release(user)) => crate::usernames::release(tx, user).await,
        (None, Effect::Invite(chat)) => {
            chats::claim_invite(tx, chat);
            Ok(())
        }
        (None, Effect::AwaitPassword(awaits)) => auth_keys::await_password(tx, awaits).await,
        (None, Effect::Bind(permanent)) => auth_keys::bind(tx, permanent).await,
        (None, Effect::Unbind(permanent)) => auth_keys::unbind(tx, permanent).await,
        (None, Effect::Claim(user)) => passkeys::claim(tx, user).await,
        (None, Effect::ChannelRead(max_id)) => channels::was_read(tx, max_id).await.map(drop),
        (None, Effect::Succeed(succession)) => Box::pin(successions::begin(tx, now, *succession)).await,
        (None, Effect::ChannelName(name)) => channels::adopt(tx, now, name).await,
        (None, Effect::LeadTo(channel)) => {
            channels::claim(tx, channel);
            Ok(())
        }
        (None, Effect::Invitation(invitation)) => invitations::keep(tx, &invitation).await,
        (None, _) => Err(Fault::Defect("an effect for a person was sent elsewhere")),
    }
}

async fn apply_to_user(tx: &mut Tx, now: Time, owner: UserId, effect: Effect) -> Result<(), Fault> {
    match effect {
        Effect::Arrive(arrival) => arrive(tx, now, owner, arrival).await,
        Effect::Edited {
            origin,
            content,
            edit_date,
        } => edited(tx, now, owner, origin, content, edit_date).await,
        Effect::Deleted { origins } => deleted(tx, now, owner, &origins).await,
        Effect::WasRead { peer, origin } => was_read(tx, now, owner, peer, origin).await,
        Effect::Consumed { origin } => consumed(tx, now, owner, origin).await,
        Effect::Pinned { origin, pinned } => pin(tx, now, owner, origin, pinned).await,
        Effect::SignedUp { profile, session } => {
            tx.put(keys::profile(), &profile);
            sessions::add(tx, &session);
            Ok(())
        }
        Effect::LoggedIn(session) => {
            sessions::admit(tx, now, owner, &session).await?;
            updates::append(tx, now, Event::NewLogin(session.key))
                .await
                .map(drop)
        }
        Effect::Proved(proved) => passkeys::log_in(tx, now, owner, proved).await,
        Effect::LoginEmail(change) => login_emails::change(tx, now, change).await,
        Effect::LoggedOut(key) => sessions::end(tx, now, owner, key).await.map(drop),
        Effect::Username(name) => crate::usernames::adopt(tx, owner, now, name).await,
        Effect::UserChanged(user) => updates::append(tx, now, Event::User(user)).await.map(drop),
        Effect::ChatChanged(chat) => updates::append(tx, now, Event::Chat(chat)).await.map(drop),
        Effect::ChatRights(chat) => updates::append(tx, now, Event::ChatRights(chat)).await.map(drop),
        Effect::Joined {
            channel,
            joined,
            read,
        } => channel_members::joins(tx, now, channel, joined, read).await,
        Effect::Parted(channel) => channel_members::parts(tx, now, channel).await,
        Effect::ChannelChanged(channel) => updates::append(tx, now, Event::Channel(channel)).await.map(drop),
        Effect::Purge { chat, author } => messages::purge(tx, now, Peer::Chat(chat), author).await,
        _ => Err(Fault::Defect("an effect for something else was sent to a person")),
    }
}

/// A message from somebody blocked does not arrive; in a group it does.
async fn arrive(tx: &mut Tx, now: Time, owner: UserId, arrival: Arrival) -> Result<(), Fault> {
    // What taking it in looks at, in one round trip.
    let looked_at = [
        keys::blocked(arrival.from),
        keys::counters(),
        keys::dialog(arrival.peer),
        keys::unread(),
    ];
    tx.fetch_ahead(&looked_at).await?;
    let private = matches!(arrival.peer, Peer::User(_));
    if private
        && tx
            .get::<crate::contacts::Blocked>(&keys::blocked(arrival.from))
            .await?
            .is_some()
    {
        return Ok(());
    }
    messages::receive(tx, now, owner, arrival).await.map(drop)
}

async fn edited(
    tx: &mut Tx,
    now: Time,
    owner: UserId,
    origin: Origin,
    content: Vec<u8>,
    edit_date: Option<i32>,
) -> Result<(), Fault> {
    let Some(id) = messages::local_id(tx, owner, origin).await? else {
        return Ok(());
    };
    let Some((peer, message)) = messages::find(tx, id).await? else {
        return Ok(());
    };
    messages::edit(tx, now, (peer, id), message, content, edit_date)
        .await
        .map(drop)
}

async fn deleted(tx: &mut Tx, now: Time, owner: UserId, origins: &[Origin]) -> Result<(), Fault> {
    let mut ids = Vec::with_capacity(origins.len());
    for &origin in origins {
        ids.extend(messages::local_id(tx, owner, origin).await?);
    }
    messages::delete(tx, now, &ids).await.map(drop)
}

async fn was_read(tx: &mut Tx, now: Time, owner: UserId, peer: Peer, origin: Origin) -> Result<(), Fault> {
    let Some(id) = messages::local_id(tx, owner, origin).await? else {
        return Ok(());
    };
    messages::was_read(tx, now, peer, id).await.map(drop)
}

async fn consumed(tx: &mut Tx, now: Time, owner: UserId, origin: Origin) -> Result<(), Fault> {
    let Some(id) = messages::local_id(tx, owner, origin).await? else {
        return Ok(());
    };
    messages::consume(tx, now, &[id]).await.map(drop)
}

async fn pin(tx: &mut Tx, now: Time, owner: UserId, origin: Origin, pinned: bool) -> Result<(), Fault> {
    let Some(id) = messages::local_id(tx, owner, origin).await? else {
        return Ok(());
    };
    set_pinned(tx, now, id, pinned).await.map(drop)
}

/// Pins or unpins one message in a box. False when nothing changed.
///
/// # Errors
/// [`Fault`].
pub async fn set_pinned(
    tx: &mut Tx,
    now: Time,
    id: crate::ids::MessageId,
    pinned: bool,
) -> Result<bool, Fault> {
    let Some((peer, mut message)) = messages::find(tx, id).await? else {
        return Ok(false);
    };
    if message.pinned == pinned {
        return Ok(false);
    }
    message.pinned = pinned;
    tx.put(keys::message(peer, id), &message);
    search::mark(tx, Kind::Pinned, peer, id, pinned);
    let newest = search::newest_pinned(tx, peer).await?;
    dialogs::change(tx, peer, |d| d.pinned_message = newest).await?;
    updates::append(
        tx,
        now,
        Event::Pinned {
            peer,
            ids: vec![id],
            pinned,
        },
    )
    .await?;
    Ok(true)
}

/// Most effects taken from an outbox at once.
const PAGE: usize = 512;
/// Most receiving partitions that one delivery works on at the same time.
const ABREAST: usize = 16;
/// Conflicts after which an effect is left to a later delivery.
const TRIES_MAX: usize = 64;

/// Delivers effects.
#[derive(Clone)]
pub struct Courier {
    store: Arc<dyn Store>,
    turns: Arc<Turns>,
}

/// What a delivery did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Partitions that were changed.
    pub changed: BTreeSet<Partition>,
    /// Those that have effects of their own to send on.
    sending: BTreeSet<Partition>,
    /// Whether every effect was applied; the rest waits for the next delivery.
    pub complete: bool,
}

/// What was applied to one partition.
struct Applied {
    to: Partition,
    applied: Vec<EffectId>,
    /// It has effects of its own now.
    sends_on: bool,
    /// Nothing is left.
    complete: bool,
}

impl Courier {
    /// A courier over a store, who waits for turns at partitions.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, turns: Arc<Turns>) -> Self {
        Self { store, turns }
    }

    /// Delivers everything in the outbox of `from`, and what that causes in turn.
    ///
    /// # Errors
    /// [`Fault`] when an outbox cannot be read. An effect that cannot be applied now does not fail the
    /// delivery: it waits.
    pub async fn deliver(&self, from: Partition, now: Time) -> Result<Delivered, Fault> {
        let mut total = Delivered {
            complete: true,
            ..Delivered::default()
        };
        let mut queue = vec![from];
        while let Some(from) = queue.pop() {
            let one = self.deliver_one(&from, now).await?;
            total.complete &= one.complete;
            total.changed.extend(one.changed);
            queue.extend(one.sending);
        }
        Ok(total)
    }

    async fn deliver_one(&self, from: &Partition, now: Time) -> Result<Delivered, Fault> {
        let mut total = Delivered {
            complete: true,
            ..Delivered::default()
        };
        let mut after = None;
        loop {
            let page = self.store.outbox(from, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(total) };
            after = Some(last.id);
            let full = page.len() == PAGE;
            let mut by_target: BTreeMap<Partition, Vec<Pending>> = BTreeMap::new();
            for pending in page {
                by_target
                    .entry(pending.effect.to.clone())
                    .or_default()
                    .push(pending);
            }
            let work = by_target
                .into_iter()
                .map(|(to, pending)| self.deliver_to(from, to, pending, now));
            let mut results = futures::stream::iter(work).buffer_unordered(ABREAST);
            while let Some(results) = results.next().await {
                if !results.applied.is_empty() {
                    self.store.settle(from, &results.applied).await?;
                    total.changed.insert(results.to.clone());
                }
                if results.sends_on {
                    total.sending.insert(results.to);
                }
                total.complete &= results.complete;
            }
            if !full {
                return Ok(total);
            }
        }
    }

    /// Applies effects in order until one cannot be applied.
    async fn deliver_to(&self, from: &Partition, to: Partition, pending: Vec<Pending>, now: Time) -> Applied {
        let mut done = Applied {
            applied: Vec::with_capacity(pending.len()),
            sends_on: false,
            complete: true,
            to,
        };
        let _turn = self.turns.take(&done.to).await;
        for one in pending {
            match self.apply_one(from, &done.to, &one, now).await {
                Ok(sends_on) => {
                    done.applied.push(one.id);
                    done.sends_on |= sends_on;
                }
                Err(_) => {
                    done.complete = false;
                    break;
                }
            }
        }
        done
    }

    /// True when what was applied has effects of its own.
    async fn apply_one(
        &self,
        from: &Partition,
        to: &Partition,
        pending: &Pending,
        now: Time,
    ) -> Result<bool, Fault> {
        for _ in 0..TRIES_MAX {
            let mut tx = Tx::open(self.store.clone(), to.clone());
            let tried = async {
                if !tx.receive(from.clone(), pending.id).await? {
                    return Ok(false);
                }
                apply(&mut tx, now, crate::record::decode(&pending.effect.body)?).await?;
                tx.commit().await
            }
            .await;
            match tried {
                Err(Fault::Conflict) => {}
                done => return done,
            }
        }
        Err(Fault::Conflict)
    }
}

/// Whether a partition is one whose changes are pushed: a person's, a channel's, a key's.
#[must_use]
pub fn pushed(partition: &Partition) -> Option<Pushed> {
    if let Some(user) = partition::as_user(partition) {
        return Some(Pushed::User(user));
    }
    if let Some(channel) = partition::as_channel(partition) {
        return Some(Pushed::Channel(channel));
    }
    partition::as_auth_key(partition).map(Pushed::Key)
}

/// Who is told after a partition changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// A person's sessions, from the log of events.
    User(UserId),
    /// Who is in a channel, from its log of events.
    Channel(ChannelId),
    /// A key's sessions: who is logged in on it changed.
    Key(AuthKeyId),
}

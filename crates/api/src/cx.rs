//! What a method sees: the world, who asks, and what is to happen after the commit.

use std::sync::Arc;

use havre_domain::auth_keys::Client;
use havre_domain::channel_members::Standing;
use havre_domain::dialogs::{self, Dialog};
use havre_domain::flood::{self, Allowance};
use havre_domain::ids::{AuthKeyId, ChannelId, ChatId, MessageId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::login_emails::Address;
use havre_domain::turns::Turn;
use havre_domain::tx::{Fault, Tx};
use havre_domain::updates::{self, Cursor};
use havre_domain::waiting_room::Class;
use havre_domain::world::World;
use havre_domain::{channel_dialogs, chats, messages, users};
use havre_store::Partition;
use havre_tl::{enums, types};

use crate::dispatch::Api;
use crate::error::{Error, RpcError};
use crate::live::SessionRef;
use crate::render;

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, before login too.
    Open,
    /// Who is logged in.
    Login,
}

/// What happens once the commit is durable; nothing of it when the call fails or is tried again.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// Give a login code to the provider.
    SendCode {
        /// Digits only.
        phone: String,
        /// The code.
        code: String,
        /// Why somebody wants it.
        class: Class,
    },
    /// Send a login code to an e-mail address.
    SendMail {
        /// Whose owner it is for.
        to: Address,
        /// The code.
        code: String,
    },
    /// Tell a person's sessions something that is not kept: typing, status.
    Tell {
        /// Whom.
        user: UserId,
        /// What, complete with users and chats as they see them.
        updates: Box<enums::Updates>,
    },
    /// Tell the sessions of a key something before anybody is logged in on it.
    TellKey {
        /// Which key.
        key: AuthKeyId,
        /// What.
        updates: Box<enums::Updates>,
    },
    /// Clear a person's draft for a conversation whose messages lie elsewhere than in their box.
    ClearDraft {
        /// Whose.
        user: UserId,
        /// For which conversation.
        peer: Peer,
    },
    /// Forget what is cached of a key, as it changed.
    KeyChanged(AuthKeyId),
}

/// One call in progress.
pub struct Cx {
    /// Partitions, time, randomness.
    pub world: World,
    /// The server's parts that are not partitions: files, settings, who is connected.
    pub api: Arc<Api>,
    /// The permanent key of the caller; the temporary one before it is bound.
    pub key: AuthKeyId,
    /// The session that asks.
    pub session: SessionRef,
    /// Id of the message that asks.
    pub msg_id: i64,
    /// Who is logged in.
    pub user: Option<UserId>,
    /// What the client said of itself.
    pub client: Client,
    /// Address of the connection, without port.
    pub address: String,
    /// The data centre that the client takes this server for. All of them are here; `TDLib` asks for the configuration
    /// hundreds of times a second when it names another.
    pub dc_id: i32,
    /// What happens after the commit.
    pub after: Vec<After>,
    /// Commit what is staged even though the call fails: a counter of wrong codes.
    pub keep_on_error: bool,
    /// Events that the answer itself tells: not pushed to the session that asks.
    pub told: Option<(UserId, Cursor, Cursor)>,
    /// Events of a channel that the answer itself tells.
    pub told_of_channel: Option<(ChannelId, Cursor, Cursor)>,
    /// Partitions that [`Self::settle`] changed: pushed once the answer is known, so that who asks is not
    /// pushed what the answer tells.
    pub settled: Vec<Partition>,
    /// Messages that this call sends, to be counted once they are committed.
    pub messages_sent: u64,
    /// Held while others have to wait for this call to be done.
    pub turn: Option<Turn>,
}

/// Times that an answer is read again when others change meanwhile what it shows.
const READ_TRIES_MAX: usize = 50;

impl Cx {
    /// Who asks.
    ///
    /// # Errors
    /// `401 AUTH_KEY_UNREGISTERED` before login.
    pub fn me(&self) -> Result<UserId, Error> {
        self.user.ok_or(Error::Rpc(RpcError::AUTH_KEY_UNREGISTERED))
    }

    /// The asker's own box, to change.
    ///
    /// # Errors
    /// As for [`Self::me`].
    pub fn own(&mut self) -> Result<&mut Tx, Error> {
        let me = self.me()?;
        Ok(self.world.user(me)?)
    }

    /// The asker's own box, to read.
    ///
    /// # Errors
    /// As for [`Self::me`].
    pub fn view_own(&mut self) -> Result<&mut Tx, Error> {
        let me = self.me()?;
        Ok(self.world.view_user(me))
    }

    /// Counts deeds of the asker that may be done so often only; part of the commit of this call.
    ///
    /// # Errors
    /// `420 FLOOD_WAIT_n`.
    pub async fn spend(&mut self, allowance: Allowance, times: u32) -> Result<(), Error> {
        let now = self.world.now;
        let spent = flood::spend(self.own()?, now, allowance, times).await?;
        Ok(spent.map_err(RpcError::from)?)
    }

    /// As [`Self::spend`], for a call that changes another partition than the asker's: counted in a commit
    /// of its own, before anything of the asker's box was read. A call that is tried again counts again.
    ///
    /// # Errors
    /// `420 FLOOD_WAIT_n`.
    pub async fn spend_before(&mut self, allowance: Allowance, times: u32) -> Result<(), Error> {
        let me = self.me()?;
        let mut world = self.api.world();
        let now = world.now;
        flood::spend(world.user(me)?, now, allowance, times)
            .await?
            .map_err(RpcError::from)?;
        world.commit().await?;
        Ok(())
    }

    /// Whom an `InputUser` names. The access hash must be the one that this asker was given.
    ///
    /// # Errors
    /// `400 USER_ID_INVALID`.
    pub async fn input_user(&mut self, input: &enums::InputUser) -> Result<UserId, Error> {
        let me = self.me()?;
        match input {
            enums::InputUser::InputUserSelf => Ok(me),
            enums::InputUser::InputUser(u) => self.known_user(UserId(u.user_id), u.access_hash).await,
            enums::InputUser::InputUserFromMessage(u) => {
                self.named_in(&u.peer, MessageId(u.msg_id), UserId(u.user_id))
                    .await
            }
            _ => Err(RpcError::USER_ID_INVALID.into()),
        }
    }

    async fn known_user(&mut self, user: UserId, access_hash: i64) -> Result<UserId, Error> {
        let me = self.me()?;
        let right = user == me || self.world.secret.access_hash(me, user) == access_hash;
        if right && (user == havre_domain::ids::SERVICE_USER || self.exists(user).await?) {
            return Ok(user);
        }
        Err(RpcError::USER_ID_INVALID.into())
    }

    async fn exists(&mut self, user: UserId) -> Result<bool, Error> {
        Ok(users::profile(self.world.view_user(user)).await?.is_some())
    }

    /// Whom an `InputPeer` names: a person whose access hash is right, or a group that the asker is or
    /// was in.
    ///
    /// # Errors
    /// `400 PEER_ID_INVALID`.
    pub async fn input_peer(&mut self, input: &enums::InputPeer) -> Result<Peer, Error> {
        match input {
            enums::InputPeer::InputPeerUserFromMessage(u) => {
                let named = self.named_in(&u.peer, MessageId(u.msg_id), UserId(u.user_id));
                named.await.map(Peer::User)
            }
            input => self.plain_peer(input).await,
        }
    }

    /// Somebody whom a message names that the asker can read: who was shown them without an access hash says where
    /// (core.telegram.org/api/min).
    async fn named_in(
        &mut self,
        input: &enums::InputPeer,
        id: MessageId,
        user: UserId,
    ) -> Result<UserId, Error> {
        let peer = self.plain_peer(input).await?;
        let mut named = render::Named::default();
        if let Some(message) = messages::find_in(self.view_box(peer)?, peer, id).await? {
            drop(render::message(&self.world, peer, id, &message, &mut named));
        }
        if named.users.contains(&user) && self.exists(user).await? {
            return Ok(user);
        }
        Err(RpcError::USER_ID_INVALID.into())
    }

    async fn plain_peer(&mut self, input: &enums::InputPeer) -> Result<Peer, Error> {
        let me = self.me()?;
        match input {
            enums::InputPeer::InputPeerSelf => Ok(Peer::User(me)),
            enums::InputPeer::InputPeerUser(u) => {
                let known = self.known_user(UserId(u.user_id), u.access_hash).await;
                known.map(Peer::User).map_err(|e| match e {
                    Error::Rpc(_) => RpcError::PEER_ID_INVALID.into(),
                    fault => fault,
                })
            }
            enums::InputPeer::InputPeerChat(c) => Ok(Peer::Chat(self.known_chat(ChatId(c.chat_id)).await?)),
            enums::InputPeer::InputPeerChannel(c) => {
                let channel = self.known_channel(ChannelId(c.channel_id), c.access_hash).await?;
                self.readable(channel).await?;
                Ok(Peer::Channel(channel))
            }
            _ => Err(RpcError::PEER_ID_INVALID.into()),
        }
    }

    /// A group that the asker may name: they are a member, or their box holds a conversation with it.
    ///
    /// # Errors
    /// `400 PEER_ID_INVALID`.
    pub async fn known_chat(&mut self, chat: ChatId) -> Result<ChatId, Error> {
        let me = self.me()?;
        let member = chats::member(self.world.view(partition::chat(chat)), me)
            .await?
            .is_some();
        let peer = Peer::Chat(chat);
        if member || dialogs::dialog(self.view_own()?, peer).await? != Dialog::default() {
            return Ok(chat);
        }
        Err(RpcError::PEER_ID_INVALID.into())
    }

    /// As [`Self::input_peer`], of a conversation whose messages lie in the asker's own box.
    ///
    /// # Errors
    /// `400 PEER_ID_INVALID`.
    pub async fn own_peer(&mut self, input: &enums::InputPeer) -> Result<Peer, Error> {
        match self.input_peer(input).await? {
            Peer::Channel(_) => Err(RpcError::PEER_ID_INVALID.into()),
            peer => Ok(peer),
        }
    }

    /// The channel that an `InputChannel` names; the asker need not be in it.
    ///
    /// # Errors
    /// `400 CHANNEL_INVALID`.
    pub async fn input_channel(&mut self, input: &enums::InputChannel) -> Result<ChannelId, Error> {
        match input {
            enums::InputChannel::InputChannel(c) => {
                self.known_channel(ChannelId(c.channel_id), c.access_hash).await
            }
            _ => Err(RpcError::CHANNEL_INVALID.into()),
        }
    }

    async fn known_channel(&mut self, channel: ChannelId, access_hash: i64) -> Result<ChannelId, Error> {
        let me = self.me()?;
        let right = self.world.secret.channel_hash(me, channel) == access_hash;
        if right && self.standing(channel).await?.is_some() {
            return Ok(channel);
        }
        Err(RpcError::CHANNEL_INVALID.into())
    }

    /// A channel as the asker stands to it; nothing when there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn standing(&mut self, channel: ChannelId) -> Result<Option<Standing>, Error> {
        let me = self.me()?;
        Ok(Standing::load(self.world.view(partition::channel(channel)), me).await?)
    }

    /// A channel that the asker may read.
    ///
    /// # Errors
    /// `406 CHANNEL_PRIVATE`.
    pub async fn readable(&mut self, channel: ChannelId) -> Result<Standing, Error> {
        let now = self.world.now;
        let standing = self.standing(channel).await?.filter(|s| s.may_read(now));
        standing.ok_or(RpcError::CHANNEL_PRIVATE.into())
    }

    /// Where the messages of a conversation lie, to read: in the asker's own box, or with the channel.
    ///
    /// # Errors
    /// As for [`Self::me`].
    pub fn view_box(&mut self, peer: Peer) -> Result<&mut Tx, Error> {
        match peer {
            Peer::Channel(channel) => Ok(self.world.view(partition::channel(channel))),
            Peer::User(_) | Peer::Chat(_) => self.view_own(),
        }
    }

    /// A conversation as the asker has it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn dialog(&mut self, peer: Peer) -> Result<Dialog, Error> {
        let me = self.me()?;
        Ok(match peer {
            Peer::Channel(channel) => channel_dialogs::dialog(&mut self.world, me, channel).await?,
            Peer::User(_) | Peer::Chat(_) => dialogs::dialog(self.view_own()?, peer).await?,
        })
    }

    /// Where a channel's log of events ends now.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn channel_cursor(&mut self, channel: ChannelId) -> Result<Cursor, Error> {
        Ok(updates::cursor(self.world.view(partition::channel(channel))).await?)
    }

    /// As [`Self::updates_since`], for what this call made happen in a channel.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn channel_updates_since(
        &mut self,
        channel: ChannelId,
        from: Cursor,
    ) -> Result<types::Updates, Error> {
        for _ in 0..READ_TRIES_MAX {
            match self.read_channel_since(channel, from).await {
                Err(Error::Fault(Fault::Conflict)) if !self.settled.is_empty() => self.world.refresh()?,
                done => return done,
            }
        }
        Err(Fault::Conflict.into())
    }

    async fn read_channel_since(
        &mut self,
        channel: ChannelId,
        from: Cursor,
    ) -> Result<types::Updates, Error> {
        let me = self.me()?;
        let tx = self.world.view(partition::channel(channel));
        let (events, to) = if self.settled.is_empty() {
            updates::made_beyond(tx, from)?
        } else {
            updates::beyond(tx, from, crate::live::PUSH_EVENTS_MAX).await?
        };
        self.told_of_channel = Some((channel, from, to));
        Ok(render::channel_updates(&mut self.world, me, channel, &events).await?)
    }

    /// Where the asker's log of events ends now, to render later what a deed adds to it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cursor(&mut self) -> Result<Cursor, Error> {
        Ok(updates::cursor(self.view_own()?).await?)
    }

    /// Everything that this call made happen in the asker's box since `from`, where the log ended before it;
    /// once it has settled, whatever happened there. It is the answer of the call: the session that asks will
    /// not be pushed it again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn updates_since(&mut self, from: Cursor) -> Result<types::Updates, Error> {
        for _ in 0..READ_TRIES_MAX {
            match self.read_since(from).await {
                // What is committed must not be done again: only the reading is.
                Err(Error::Fault(Fault::Conflict)) if !self.settled.is_empty() => self.world.refresh()?,
                done => return done,
            }
        }
        Err(Fault::Conflict.into())
    }

    async fn read_since(&mut self, from: Cursor) -> Result<types::Updates, Error> {
        let me = self.me()?;
        let (events, to) = if self.settled.is_empty() {
            updates::made_beyond(self.view_own()?, from)?
        } else {
            updates::beyond(self.view_own()?, from, crate::live::PUSH_EVENTS_MAX).await?
        };
        self.told = Some((me, from, to));
        Ok(render::updates(&mut self.world, me, &events).await?)
    }

    /// Keeps events without pts that this call adds to the asker's log after `from` from the session that asks: it did
    /// that itself, and may meanwhile have done the next thing.
    ///
    /// # Errors
    /// [`Error`].
    pub fn keep_from_asker(&mut self, from: Cursor) -> Result<(), Error> {
        let me = self.me()?;
        let (events, to) = updates::made_beyond(self.view_own()?, from)?;
        if events.iter().all(|placed| placed.event.pts_count() == 0) {
            self.told = Some((me, from, to));
        }
        Ok(())
    }

    /// Commits what is staged and waits until its effects are applied: for answers that show what an
    /// effect did. Nothing can be changed by this call afterwards.
    ///
    /// # Errors
    /// [`Error`]; a conflict makes the dispatcher run the method again.
    pub async fn settle(&mut self) -> Result<(), Error> {
        if let Some(committed) = self.world.commit().await? {
            self.api.metrics.reached.add(committed.reached.len() as u64);
            self.settled.push(committed.partition);
            self.settled.extend(committed.reached);
            // What is delivered may come back to the same partition.
            self.turn = None;
            for from in committed.sending {
                let delivered = self.api.clone().apply_effects(from).await;
                self.settled.extend(delivered);
            }
        }
        Ok(())
    }

    /// Which events the answer tells, for the dispatcher to pass over when it pushes.
    #[must_use]
    pub fn told_now(&self) -> Option<crate::live::Told> {
        self.told.map(|(user, from, to)| crate::live::Told {
            user,
            from,
            to,
            session: self.session,
        })
    }
}

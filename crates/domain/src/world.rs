//! What a deed sees: the instant, seeded randomness, and partitions, of which it may change one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use havre_store::{Partition, Store};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::direct;
use crate::ids::{ChannelId, Peer, Time, UserId};
use crate::keys::partition;
use crate::turns::Turns;
use crate::tx::{Fault, Tx};

/// A secret that all nodes of one server share; made once, kept in the server's partition.
#[derive(Clone)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// A keyed hash of labelled data: access hashes and file references are made of it.
    #[must_use]
    pub fn hash(&self, label: &str, data: &[i64]) -> [u8; 32] {
        let mut hash = Sha256::new()
            .chain_update(self.0)
            .chain_update(label.as_bytes())
            .chain_update([0]);
        for n in data {
            hash.update(n.to_be_bytes());
        }
        hash.chain_update(self.0).finalize().into()
    }

    /// The access hash under which `viewer` may name `user`: nobody can name whom he was never shown.
    #[must_use]
    pub fn access_hash(&self, viewer: UserId, user: UserId) -> i64 {
        self.number("user", &[viewer.0, user.0])
    }

    /// The access hash under which `viewer` may name `channel`.
    #[must_use]
    pub fn channel_hash(&self, viewer: UserId, channel: ChannelId) -> i64 {
        self.number("channel", &[viewer.0, channel.0])
    }

    fn number(&self, label: &str, data: &[i64]) -> i64 {
        let hash = self.hash(label, data);
        i64::from_be_bytes([
            hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
        ])
    }
}

/// Reads anywhere, writes in one partition.
pub struct World {
    store: Arc<dyn Store>,
    /// When the deed happens.
    pub now: Time,
    /// Randomness of the deed; the same seed gives the same deed.
    pub rng: ChaCha12Rng,
    /// The server's secret.
    pub secret: Secret,
    open: BTreeMap<Partition, Tx>,
    subject: Option<Partition>,
    contested: Option<Partition>,
    turns: Arc<Turns>,
}

impl World {
    /// A world in which nothing was read.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, now: Time, seed: [u8; 32], secret: Secret) -> Self {
        let rng = ChaCha12Rng::from_seed(seed);
        Self {
            store,
            now,
            rng,
            secret,
            open: BTreeMap::new(),
            subject: None,
            contested: None,
            turns: Arc::default(),
        }
    }

    /// A world whose deeds leave partitions alone that others wait their turn for.
    #[must_use]
    pub fn with_turns(self, turns: Arc<Turns>) -> Self {
        Self { turns, ..self }
    }

    /// The partition that this deed changes. The first call decides which it is.
    ///
    /// # Errors
    /// [`Fault::Defect`] when the deed already changes another one.
    pub fn subject(&mut self, partition: Partition) -> Result<&mut Tx, Fault> {
        if self.subject.get_or_insert_with(|| partition.clone()) != &partition {
            return Err(Fault::Defect("one deed may change one partition only"));
        }
        let tx = self.view(partition);
        tx.make_writable();
        Ok(tx)
    }

    /// A partition to read; staged changes are seen when it is the subject.
    pub fn view(&mut self, partition: Partition) -> &mut Tx {
        let store = &self.store;
        self.open
            .entry(partition)
            .or_insert_with_key(|p| Tx::peek(store.clone(), p.clone()))
    }

    /// A person's box as the subject.
    ///
    /// # Errors
    /// As for [`Self::subject`].
    pub fn user(&mut self, user: UserId) -> Result<&mut Tx, Fault> {
        self.subject(partition::user(user))
    }

    /// A person's partition to read.
    pub fn view_user(&mut self, user: UserId) -> &mut Tx {
        self.view(partition::user(user))
    }

    /// The partition of whoever is behind `peer`, to read.
    pub fn view_peer(&mut self, peer: Peer) -> &mut Tx {
        self.view(partition::peer(peer))
    }

    /// Commits the subject and forgets everything that was read. What it asks of other partitions is applied
    /// with it as far as that can be. Returns what was committed, if anything was staged.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when somebody else committed first.
    pub async fn commit(&mut self) -> Result<Option<Committed>, Fault> {
        let open = std::mem::take(&mut self.open);
        let Some(partition) = self.subject.take() else {
            return Ok(None);
        };
        let Some(tx) = open
            .into_iter()
            .find_map(|(p, tx)| (p == partition).then_some(tx))
        else {
            return Ok(None);
        };
        if !tx.is_changed() {
            return Ok(None);
        }
        let deliveries = direct::apply(&self.store, &self.turns, self.now, &tx).await;
        let committed = tx.commit_delivering(deliveries).await;
        if matches!(committed, Err(Fault::Conflict)) {
            self.contested = Some(partition.clone());
        }
        let reached = committed?;
        Ok(Some(Committed {
            partition,
            reached: reached.changed,
            sending: reached.sending,
        }))
    }

    /// The partition that somebody else committed to first.
    #[must_use]
    pub fn contested(&self) -> Option<&Partition> {
        self.contested.as_ref()
    }

    /// Forgets everything that was read, so that what comes next sees what others committed.
    ///
    /// # Errors
    /// [`Fault::Defect`] when something is staged.
    pub fn refresh(&mut self) -> Result<(), Fault> {
        if self.open.values().any(Tx::is_changed) {
            return Err(Fault::Defect("refresh with staged changes"));
        }
        self.open.clear();
        self.subject = None;
        Ok(())
    }

    /// A random id within 1..2^39: client libraries refuse a person's id of 2^40 and more, and a group's
    /// above 999 999 999 999 (grammers `PeerId`, TDLib `UserId` and `ChatId`).
    pub fn random_id(&mut self) -> i64 {
        i64::try_from(self.rng.next_u64() >> 25).unwrap_or(1).max(1)
    }

    /// A random 64-bit number.
    pub fn random_i64(&mut self) -> i64 {
        self.rng.next_u64().cast_signed()
    }

    /// Random decimal digits, each as likely as any other.
    pub fn random_digits(&mut self, len: usize) -> String {
        let mut digits = String::with_capacity(len);
        while digits.len() < len {
            let [byte] = self.random_bytes();
            // 250 is the largest multiple of ten in a byte.
            if byte < 250 {
                digits.push(char::from(b'0' + byte % 10));
            }
        }
        digits
    }

    /// Random bytes.
    pub fn random_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

/// What a commit left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The partition that changed.
    pub partition: Partition,
    /// Other partitions in which its effects were applied.
    pub reached: BTreeSet<Partition>,
    /// Partitions whose outbox has effects to deliver.
    pub sending: BTreeSet<Partition>,
}

//! Making an authorization key, the server's side (core.telegram.org/mtproto/auth_key).
//!
//! ```text
//! client                         server
//! req_pq_multi           ──►
//!                        ◄──     resPQ
//! req_DH_params          ──►     work: RSA, g^a
//!                        ◄──     server_DH_params_ok
//! set_client_DH_params   ──►     work: g_b^a; the key is stored
//!                        ◄──     dh_gen_ok
//! ```
//! A repeated request gets the identical answer (HS-5). Arithmetic that takes long leaves as [`Work`].

use std::sync::Arc;

use rand_core::Rng;

use crate::bytes::{Malformed, Reader, Writer as _};
use crate::crypto::ige::Ige;
use crate::crypto::keys::handshake_cipher;
use crate::crypto::{AuthKey, DH_PRIME, G, RsaKey, dh, equal, modexp, power_of_g, sha1, sha256};
use crate::limits::{HANDSHAKE_MS, PLAIN_LEN_MAX, REQ_PQ_MAX};
use crate::primes::{self, Pq};
use crate::time::Millis;

const REQ_PQ: u32 = 0x6046_9778;
pub(crate) const REQ_PQ_MULTI: u32 = 0xbe7e_8ef1;
pub(crate) const RES_PQ: u32 = 0x0516_2463;
pub(crate) const REQ_DH_PARAMS: u32 = 0xd712_e4be;
pub(crate) const P_Q_INNER_DATA: u32 = 0x83c9_5aec;
pub(crate) const P_Q_INNER_DATA_DC: u32 = 0xa9f5_5f95;
pub(crate) const P_Q_INNER_DATA_TEMP: u32 = 0x3c6a_84d4;
pub(crate) const P_Q_INNER_DATA_TEMP_DC: u32 = 0x56fd_df88;
pub(crate) const SERVER_DH_PARAMS_OK: u32 = 0xd0e8_075c;
pub(crate) const SERVER_DH_INNER_DATA: u32 = 0xb589_0dba;
pub(crate) const SET_CLIENT_DH_PARAMS: u32 = 0xf504_5f1f;
pub(crate) const CLIENT_DH_INNER_DATA: u32 = 0x6643_b654;
pub(crate) const DH_GEN_OK: u32 = 0x3bcb_f734;
pub(crate) const DH_GEN_RETRY: u32 = 0x46dc_1fb9;
const DH_GEN_FAIL: u32 = 0xa69d_ae02;
const MSGS_ACK: u32 = 0x62d6_b459;

/// Bytes of the secret exponent: 320 random bits in a safe-prime group of 2048
/// (docs/decisions/0001-short-dh-exponent.md).
pub(crate) const EXPONENT_LEN: usize = 40;
/// Data centres that clients have compiled in. TDLib begins at 1, others at 2 or 4: all of them are here.
const DC_IDS: std::ops::RangeInclusive<u32> = 1..=5;
/// Shortest and longest life of a temporary key, seconds.
const EXPIRES_IN: std::ops::RangeInclusive<i32> = 60..=7 * 24 * 3600;
/// Tries at a key whose id is free.
const RETRIES_MAX: u32 = 3;

/// The peer broke a rule of the handshake; what it gets is in [`HandshakeError::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a request, or not as the schema says.
    #[error("malformed handshake request")]
    Malformed,
    /// Not the request that the handshake waits for.
    #[error("handshake request out of order")]
    OutOfOrder,
    /// Nonces that are not those of this handshake.
    #[error("foreign nonce")]
    Nonce,
    /// Factors that are not those of pq.
    #[error("wrong factors")]
    Factors,
    /// A key of ours was asked for that we do not have.
    #[error("unknown fingerprint")]
    Fingerprint,
    /// RSA or AES data that do not open.
    #[error("data that do not open")]
    Sealed,
    /// Inner fields that differ from the outer ones, or are out of range.
    #[error("wrong inner data")]
    Inner,
    /// A data centre that is not ours.
    #[error("wrong data centre")]
    Dc,
    /// A public value that is too small or too large.
    #[error("public value out of range")]
    PublicValue,
    /// Too many handshakes on one connection, or too slow a one.
    #[error("too many or too slow handshakes")]
    Limit,
}

impl HandshakeError {
    /// The transport error that the peer gets (TR-7).
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Dc => -444,
            Self::Limit => -429,
            _ => -404,
        }
    }
}

impl From<Malformed> for HandshakeError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What the server is, for handshakes.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its keys.
    pub keys: Arc<[RsaKey]>,
    /// The data centre that it calls itself; it answers to the other well-known ones too.
    pub dc_id: i32,
}

/// What follows from an input.
#[derive(Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Say this.
    Reply(Vec<u8>),
    /// Do this elsewhere and give back what came of it.
    Work(Box<Work>),
    /// Keep this key, then say how it went with [`Handshake::stored`].
    Store(NewKey),
}

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub key: AuthKey,
    /// When it ends, for a temporary key.
    pub expires: Option<Millis>,
    /// The first salt (HS-13).
    pub salt: i64,
}

/// How keeping a key went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is durable.
    Kept,
    /// Another key has its id.
    Taken,
}

pub(crate) struct Nonces {
    pub(crate) client: [u8; 16],
    pub(crate) server: [u8; 16],
    pub(crate) new: [u8; 32],
}

impl Nonces {
    pub(crate) fn cipher(&self) -> Ige {
        handshake_cipher(&self.new, &self.server)
    }

    pub(crate) fn salt(&self) -> i64 {
        let xor: [u8; 8] = std::array::from_fn(|i| self.new[i] ^ self.server[i]);
        i64::from_le_bytes(xor)
    }
}

enum State {
    /// Nothing was asked yet.
    Idle,
    /// resPQ was sent.
    Pq {
        nonce: [u8; 16],
        server_nonce: [u8; 16],
        pq: Pq,
    },
    /// server_DH_params_ok was sent.
    Dh {
        nonces: Nonces,
        exponent: [u8; EXPONENT_LEN],
        expires: Option<Millis>,
        retry: [u8; 8],
        retries: u32,
    },
    /// Work of this run is under way.
    Working(u32),
    /// The key is being kept.
    Storing {
        nonces: Nonces,
        new: NewKey,
        exponent: [u8; EXPONENT_LEN],
        retries: u32,
    },
    /// The key is made, or it failed.
    Done,
}

/// One connection's handshakes, one after the other.
pub struct Handshake {
    state: State,
    started: Millis,
    count: u32,
    last: Option<(Vec<u8>, Vec<u8>)>,
    asked: Vec<u8>,
}

impl Default for Handshake {
    fn default() -> Self {
        Self {
            state: State::Idle,
            started: Millis(0),
            count: 0,
            last: None,
            asked: Vec::new(),
        }
    }
}

impl Handshake {
    /// Takes the body of a plain packet.
    ///
    /// # Errors
    /// [`HandshakeError`]: the peer gets its code; later requests of this run fail too.
    pub fn handle(
        &mut self,
        now: Millis,
        identity: &Identity,
        body: &[u8],
        rng: &mut impl Rng,
    ) -> Result<Step, HandshakeError> {
        if let Some((request, answer)) = &self.last
            && request == body
        {
            return Ok(Step::Reply(answer.clone()));
        }
        if self.is_asked(body) {
            return Ok(Step::Nothing);
        }
        let step = self.request(now, identity, body, rng);
        self.settle(step)
    }

    /// Whether this was asked before: it gets the answer of then, or waits for the same one.
    pub(crate) fn is_repeat(&self, body: &[u8]) -> bool {
        self.last.as_ref().is_some_and(|(request, _)| request == body) || self.is_asked(body)
    }

    fn is_asked(&self, body: &[u8]) -> bool {
        matches!(self.state, State::Working(_) | State::Storing { .. }) && self.asked == body
    }

    /// How many runs the peer has begun.
    pub(crate) fn begun(&self) -> u32 {
        self.count
    }

    fn request(
        &mut self,
        now: Millis,
        identity: &Identity,
        body: &[u8],
        rng: &mut impl Rng,
    ) -> Result<Step, HandshakeError> {
        if body.len() > PLAIN_LEN_MAX {
            return Err(HandshakeError::Malformed);
        }
        let mut reader = Reader(body);
        let request = reader.u32()?;
        if request == MSGS_ACK {
            return Ok(Step::Nothing);
        }
        self.asked = body.to_vec();
        match request {
            REQ_PQ | REQ_PQ_MULTI => self.req_pq(now, identity, reader, rng),
            REQ_DH_PARAMS => self.req_dh_params(now, identity, reader, rng),
            SET_CLIENT_DH_PARAMS => self.set_client_dh_params(now, reader),
            _ => Err(HandshakeError::OutOfOrder),
        }
    }

    /// After an error the run is over; an answer is kept for repeats of its request.
    fn settle(&mut self, step: Result<Step, HandshakeError>) -> Result<Step, HandshakeError> {
        if step.is_err() {
            self.state = State::Idle;
            self.last = None;
        }
        step.map(|step| self.remember(step))
    }

    fn remember(&mut self, step: Step) -> Step {
        if let Step::Reply(answer) = &step {
            self.last = Some((std::mem::take(&mut self.asked), answer.clone()));
        }
        step
    }

    fn req_pq(
        &mut self,
        now: Millis,
        identity: &Identity,
        mut reader: Reader<'_>,
        rng: &mut impl Rng,
    ) -> Result<Step, HandshakeError> {
        self.count += 1;
        if self.count > REQ_PQ_MAX {
            return Err(HandshakeError::Limit);
        }
        let nonce: [u8; 16] = reader.array()?;
        let mut server_nonce = [0; 16];
        rng.fill_bytes(&mut server_nonce);
        let pq = primes::draw(rng);
        let mut answer = Vec::with_capacity(96);
        answer.u32(RES_PQ);
        answer.extend(nonce);
        answer.extend(server_nonce);
        answer.string(&primes::be(pq.product()));
        answer.longs(&identity.keys.iter().map(RsaKey::fingerprint).collect::<Vec<_>>());
        self.state = State::Pq {
            nonce,
            server_nonce,
            pq,
        };
        self.started = now;
        Ok(Step::Reply(answer))
    }

    fn in_time(&self, now: Millis) -> Result<(), HandshakeError> {
        if now > self.started.plus(HANDSHAKE_MS) {
            Err(HandshakeError::Limit)
        } else {
            Ok(())
        }
    }

    fn req_dh_params(
        &mut self,
        now: Millis,
        identity: &Identity,
        mut reader: Reader<'_>,
        rng: &mut impl Rng,
    ) -> Result<Step, HandshakeError> {
        self.in_time(now)?;
        let State::Pq {
            nonce,
            server_nonce,
            pq,
        } = &self.state
        else {
            return Err(HandshakeError::OutOfOrder);
        };
        let nonces: [[u8; 16]; 2] = [reader.array()?, reader.array()?];
        if nonces != [*nonce, *server_nonce] {
            return Err(HandshakeError::Nonce);
        }
        let (p, q) = (reader.string()?, reader.string()?);
        if p != primes::be(pq.p) || q != primes::be(pq.q) {
            return Err(HandshakeError::Factors);
        }
        let fingerprint = reader.i64()?;
        let at = identity
            .keys
            .iter()
            .position(|key| key.fingerprint() == fingerprint);
        let at = at.ok_or(HandshakeError::Fingerprint)?;
        let encrypted = reader.string()?.try_into().map_err(|_| HandshakeError::Sealed)?;
        let mut exponent = [0; EXPONENT_LEN];
        rng.fill_bytes(&mut exponent);
        let mut padding = [0; 16];
        rng.fill_bytes(&mut padding);
        let (keys, dc_id) = (identity.keys.clone(), identity.dc_id);
        let work = Work(
            self.count,
            Task::Rsa {
                keys,
                at,
                dc_id,
                encrypted,
                nonces,
                pq: *pq,
                exponent,
                padding,
                now,
            },
        );
        self.state = State::Working(self.count);
        Ok(Step::Work(Box::new(work)))
    }

    fn set_client_dh_params(&mut self, now: Millis, mut reader: Reader<'_>) -> Result<Step, HandshakeError> {
        self.in_time(now)?;
        let state = std::mem::replace(&mut self.state, State::Idle);
        let State::Dh {
            nonces,
            exponent,
            expires,
            retry,
            retries,
        } = state
        else {
            return Err(HandshakeError::OutOfOrder);
        };
        let named: [[u8; 16]; 2] = [reader.array()?, reader.array()?];
        if named != [nonces.client, nonces.server] {
            return Err(HandshakeError::Nonce);
        }
        let g_b = client_value(&nonces, reader.string()?, retry)?;
        self.state = State::Working(self.count);
        let work = Work(
            self.count,
            Task::Dh {
                nonces,
                exponent,
                expires,
                g_b,
                retries,
            },
        );
        Ok(Step::Work(Box::new(work)))
    }

    /// Takes what came of work; nothing follows when the peer has begun anew since.
    ///
    /// # Errors
    /// [`HandshakeError`].
    pub fn handle_done(&mut self, done: WorkDone) -> Result<Step, HandshakeError> {
        if !matches!(self.state, State::Working(run) if run == done.0) {
            return Ok(Step::Nothing);
        }
        let step = done.1.map(|outcome| self.outcome(outcome));
        self.settle(step)
    }

    fn outcome(&mut self, outcome: Outcome) -> Step {
        match outcome {
            Outcome::Rsa {
                nonces,
                exponent,
                expires,
                answer,
            } => {
                self.state = State::Dh {
                    nonces,
                    exponent,
                    expires,
                    retry: [0; 8],
                    retries: 0,
                };
                Step::Reply(answer)
            }
            Outcome::Dh {
                nonces,
                exponent,
                new,
                retries,
            } => {
                self.state = State::Storing {
                    nonces,
                    new: new.clone(),
                    exponent,
                    retries,
                };
                Step::Store(new)
            }
        }
    }

    /// No place was free for the work of this run: it is over (HS-15).
    pub fn handle_refused(&mut self) {
        self.state = State::Idle;
        self.last = None;
    }

    /// Says how keeping the key went: `dh_gen_ok` leaves only now (HS-12).
    pub fn stored(&mut self, stored: Stored) -> Step {
        if !matches!(self.state, State::Storing { .. }) {
            return Step::Nothing;
        }
        let State::Storing {
            nonces,
            new,
            exponent,
            retries,
        } = std::mem::replace(&mut self.state, State::Done)
        else {
            return Step::Nothing;
        };
        let aux = new.key.aux_hash();
        let answer = match stored {
            Stored::Kept => dh_gen(DH_GEN_OK, 1, &nonces, aux),
            Stored::Taken if retries < RETRIES_MAX => {
                let answer = dh_gen(DH_GEN_RETRY, 2, &nonces, aux);
                let (expires, retries) = (new.expires, retries + 1);
                self.state = State::Dh {
                    nonces,
                    exponent,
                    expires,
                    retry: aux,
                    retries,
                };
                answer
            }
            Stored::Taken => dh_gen(DH_GEN_FAIL, 3, &nonces, aux),
        };
        self.remember(Step::Reply(answer))
    }
}

fn dh_gen(constructor: u32, n: u8, nonces: &Nonces, aux: [u8; 8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(52);
    answer.u32(constructor);
    answer.extend(nonces.client);
    answer.extend(nonces.server);
    answer.extend(&sha1(&[&nonces.new, &[n], &aux])[4..]);
    answer
}

/// g_b out of `client_DH_inner_data`.
fn client_value(nonces: &Nonces, encrypted: &[u8], retry: [u8; 8]) -> Result<[u8; 256], HandshakeError> {
    let mut data = encrypted.to_vec();
    if data.len() < 32 || !data.len().is_multiple_of(16) {
        return Err(HandshakeError::Sealed);
    }
    nonces.cipher().decrypt(&mut data);
    let (hash, inner) = data.split_at(20);
    let mut reader = Reader(inner);
    if reader.u32()? != CLIENT_DH_INNER_DATA {
        return Err(HandshakeError::Sealed);
    }
    let named: [[u8; 16]; 2] = [reader.array()?, reader.array()?];
    let retry_id: [u8; 8] = reader.array()?;
    let g_b = reader.string()?;
    let len = inner.len() - reader.0.len();
    if reader.0.len() > 15 || !equal(&sha1(&[&inner[..len]]), hash) {
        return Err(HandshakeError::Sealed);
    }
    if named != [nonces.client, nonces.server] || retry_id != retry {
        return Err(HandshakeError::Inner);
    }
    let mut value = [0; 256];
    let at = 256_usize
        .checked_sub(g_b.len())
        .ok_or(HandshakeError::PublicValue)?;
    value[at..].copy_from_slice(g_b);
    if dh::is_in_range(&value) {
        Ok(value)
    } else {
        Err(HandshakeError::PublicValue)
    }
}

/// Arithmetic that takes about a millisecond: run it where nobody waits for it.
#[derive(Debug)]
pub struct Work(u32, Task);

/// What came of [`Work`].
#[derive(Debug)]
pub struct WorkDone(u32, Result<Outcome, HandshakeError>);

enum Task {
    Rsa {
        keys: Arc<[RsaKey]>,
        at: usize,
        dc_id: i32,
        encrypted: [u8; 256],
        nonces: [[u8; 16]; 2],
        pq: Pq,
        exponent: [u8; EXPONENT_LEN],
        padding: [u8; 16],
        now: Millis,
    },
    Dh {
        nonces: Nonces,
        exponent: [u8; EXPONENT_LEN],
        expires: Option<Millis>,
        g_b: [u8; 256],
        retries: u32,
    },
}

enum Outcome {
    Rsa {
        nonces: Nonces,
        exponent: [u8; EXPONENT_LEN],
        expires: Option<Millis>,
        answer: Vec<u8>,
    },
    Dh {
        nonces: Nonces,
        exponent: [u8; EXPONENT_LEN],
        new: NewKey,
        retries: u32,
    },
}

// Secrets stay out of logs.
impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Rsa { .. }) {
            "Rsa"
        } else {
            "Dh"
        })
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Rsa { .. }) {
            "Rsa"
        } else {
            "Dh"
        })
    }
}

impl Work {
    /// Does it.
    #[must_use]
    pub fn run(self) -> WorkDone {
        WorkDone(self.0, self.1.run())
    }
}

impl Task {
    fn run(self) -> Result<Outcome, HandshakeError> {
        match self {
            Self::Rsa {
                keys,
                at,
                dc_id,
                encrypted,
                nonces,
                pq,
                exponent,
                padding,
                now,
            } => {
                let inner = rsa(&keys[at], dc_id, &encrypted, nonces, pq)?;
                let nonces = Nonces {
                    client: nonces[0],
                    server: nonces[1],
                    new: inner.new_nonce,
                };
                let expires = inner.expires_in.map(|s| now.plus(i64::from(s) * 1000));
                let answer = server_dh_params(&nonces, &exponent, padding, now);
                Ok(Outcome::Rsa {
                    nonces,
                    exponent,
                    expires,
                    answer,
                })
            }
            Self::Dh {
                nonces,
                exponent,
                expires,
                g_b,
                retries,
            } => {
                let secret = modexp(&g_b, &exponent, &DH_PRIME).ok_or(HandshakeError::PublicValue)?;
                let new = NewKey {
                    key: AuthKey::new(secret),
                    expires,
                    salt: nonces.salt(),
                };
                Ok(Outcome::Dh {
                    nonces,
                    exponent,
                    new,
                    retries,
                })
            }
        }
    }
}

/// What the client hides in RSA.
struct Inner<'a> {
    /// pq, p, q.
    numbers: [&'a [u8]; 3],
    nonces: [[u8; 16]; 2],
    new_nonce: [u8; 32],
    dc_id: Option<i32>,
    expires_in: Option<i32>,
}

struct Checked {
    new_nonce: [u8; 32],
    expires_in: Option<i32>,
}

/// Opens the client's inner data, in either scheme (HS-6), and checks it (HS-7, HS-8).
fn rsa(
    key: &RsaKey,
    dc_id: i32,
    encrypted: &[u8; 256],
    nonces: [[u8; 16]; 2],
    pq: Pq,
) -> Result<Checked, HandshakeError> {
    let decrypted = key.decrypt_raw(encrypted).ok_or(HandshakeError::Sealed)?;
    match rsa_pad(&decrypted) {
        Some(data) => inner_data(&data)?.0.check(dc_id, nonces, pq),
        None => older_scheme(&decrypted)?.check(dc_id, nonces, pq),
    }
}

/// Undoes RSA_PAD: 32 bytes of key hidden by a hash, then 224 bytes under that key.
fn rsa_pad(decrypted: &[u8; 256]) -> Option<[u8; 192]> {
    let (hidden, sealed) = decrypted.split_at(32);
    let mask = sha256(&[sealed]);
    let key: [u8; 32] = std::array::from_fn(|i| hidden[i] ^ mask[i]);
    let mut data = sealed.to_vec();
    Ige { key, iv: [0; 32] }.decrypt(&mut data);
    let (reversed, hash) = data.split_at(192);
    let mut data: [u8; 192] = reversed.try_into().ok()?;
    data.reverse();
    equal(&sha256(&[&key, &data]), hash).then_some(data)
}

/// The scheme of before 2021: SHA-1, data, filler.
fn older_scheme(decrypted: &[u8; 256]) -> Result<Inner<'_>, HandshakeError> {
    let (hash, data) = decrypted[1..].split_at(20);
    let (inner, len) = inner_data(data)?;
    if decrypted[0] == 0 && equal(&sha1(&[&data[..len]]), hash) {
        Ok(inner)
    } else {
        Err(HandshakeError::Sealed)
    }
}

/// The inner data at the start of `data`, and their length.
fn inner_data(data: &[u8]) -> Result<(Inner<'_>, usize), HandshakeError> {
    let mut reader = Reader(data);
    let (has_dc, is_temp) = match reader.u32()? {
        P_Q_INNER_DATA => (false, false),
        P_Q_INNER_DATA_DC => (true, false),
        P_Q_INNER_DATA_TEMP => (false, true),
        P_Q_INNER_DATA_TEMP_DC => (true, true),
        _ => return Err(HandshakeError::Sealed),
    };
    let inner = Inner {
        numbers: [reader.string()?, reader.string()?, reader.string()?],
        nonces: [reader.array()?, reader.array()?],
        new_nonce: reader.array()?,
        dc_id: if has_dc { Some(reader.i32()?) } else { None },
        expires_in: if is_temp { Some(reader.i32()?) } else { None },
    };
    Ok((inner, data.len() - reader.0.len()))
}

impl Inner<'_> {
    fn check(&self, dc_id: i32, nonces: [[u8; 16]; 2], pq: Pq) -> Result<Checked, HandshakeError> {
        let numbers = [pq.product(), pq.p, pq.q].map(primes::be);
        let in_time = self.expires_in.is_none_or(|s| EXPIRES_IN.contains(&s));
        if self.numbers[..] != numbers[..] || self.nonces != nonces || !in_time {
            return Err(HandshakeError::Inner);
        }
        // Labels are not identity: the media twin (negative) is this server too.
        let asked = self.dc_id.unwrap_or(dc_id).unsigned_abs();
        if asked != dc_id.unsigned_abs() && !DC_IDS.contains(&asked) {
            return Err(HandshakeError::Dc);
        }
        Ok(Checked {
            new_nonce: self.new_nonce,
            expires_in: self.expires_in,
        })
    }
}

fn server_dh_params(
    nonces: &Nonces,
    exponent: &[u8; EXPONENT_LEN],
    padding: [u8; 16],
    now: Millis,
) -> Vec<u8> {
    let g_a = power_of_g(exponent);
    let mut inner = Vec::with_capacity(600);
    inner.u32(SERVER_DH_INNER_DATA);
    inner.extend(nonces.client);
    inner.extend(nonces.server);
    inner.i32(G);
    inner.string(&DH_PRIME);
    inner.string(&g_a);
    inner.i32(now.seconds());
    let mut sealed = sha1(&[&inner]).to_vec();
    sealed.extend(inner);
    let missing = (16 - sealed.len() % 16) % 16;
    sealed.extend(&padding[..missing]);
    nonces.cipher().encrypt(&mut sealed);
    let mut answer = Vec::with_capacity(sealed.len() + 40);
    answer.u32(SERVER_DH_PARAMS_OK);
    answer.extend(nonces.client);
    answer.extend(nonces.server);
    answer.string(&sealed);
    answer
}

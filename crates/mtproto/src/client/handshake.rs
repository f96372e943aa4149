//! Making an authorization key, the client's side (core.telegram.org/mtproto/auth_key).

use rand_core::Rng;

use super::ClientError;
use crate::bytes::{Reader, Writer as _};
use crate::crypto::ige::Ige;
use crate::crypto::{AuthKey, DH_PRIME, G, RsaKey, dh, equal, modexp, power_of_g, sha1, sha256};
use crate::handshake::{self as wire, EXPONENT_LEN, Nonces};
use crate::limits::IDS_MAX;
use crate::primes;
use crate::time::Millis;

/// How inner data are hidden from everybody but the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaScheme {
    /// RSA_PAD, since 2021.
    #[default]
    Padded,
    /// SHA-1, data, filler: what older clients still use.
    Sha1,
}

/// What kind of key is wanted, and how it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRequest {
    /// The scheme.
    pub scheme: RsaScheme,
    /// The data centre to name; none for the constructors without it.
    pub dc_id: Option<i32>,
    /// Life of a temporary key, seconds; none for a permanent one.
    pub expires_in: Option<i32>,
}

/// A key that was made.
pub(super) struct Made {
    pub(super) key: AuthKey,
    pub(super) salt: i64,
    pub(super) expires: Option<Millis>,
    pub(super) server_time: Millis,
}

pub(super) enum Step {
    Say(Vec<u8>),
    Made(Made),
}

/// The group and the server's public value.
struct Agreement {
    nonces: Nonces,
    g_a: [u8; 256],
    server_time: Millis,
    started: Millis,
}

enum State {
    Pq { nonce: [u8; 16] },
    Dh { nonces: Nonces, started: Millis },
    Gen { agreement: Box<Agreement>, key: AuthKey },
    Done,
}

pub(super) struct ClientHandshake {
    request: KeyRequest,
    state: State,
}

impl ClientHandshake {
    /// Begins; the bytes are the first request.
    pub(super) fn start(request: KeyRequest, rng: &mut impl Rng) -> (Self, Vec<u8>) {
        let nonce = random(rng);
        let mut body = Vec::with_capacity(20);
        body.u32(wire::REQ_PQ_MULTI);
        body.extend(nonce);
        let state = State::Pq { nonce };
        (Self { request, state }, body)
    }

    /// Takes the server's next answer. The arithmetic is done here: some milliseconds.
    pub(super) fn handle(
        &mut self,
        now: Millis,
        server_key: &RsaKey,
        body: &[u8],
        rng: &mut impl Rng,
    ) -> Result<Step, ClientError> {
        let mut reader = Reader(body);
        let constructor = reader.u32()?;
        match (std::mem::replace(&mut self.state, State::Done), constructor) {
            (State::Pq { nonce }, wire::RES_PQ) => self.res_pq(now, server_key, nonce, reader, rng),
            (State::Dh { nonces, started }, wire::SERVER_DH_PARAMS_OK) => {
                let agreement = agree(nonces, started, reader)?;
                self.offer(agreement, [0; 8], rng)
            }
            (State::Gen { agreement, key }, _) => self.finish(agreement, key, constructor, reader, rng),
            _ => Err(ClientError::Malformed),
        }
    }

    fn res_pq(
        &mut self,
        now: Millis,
        server_key: &RsaKey,
        nonce: [u8; 16],
        mut reader: Reader<'_>,
        rng: &mut impl Rng,
    ) -> Result<Step, ClientError> {
        if reader.array::<16>()? != nonce {
            return Err(ClientError::Nonce);
        }
        let server_nonce: [u8; 16] = reader.array()?;
        let pq = primes::from_be(reader.string()?).ok_or(ClientError::Malformed)?;
        let factors = primes::factor(pq).ok_or(ClientError::Malformed)?;
        let fingerprint = server_key.fingerprint();
        if !reader.longs(IDS_MAX)?.contains(&fingerprint) {
            return Err(ClientError::UnknownKey);
        }
        let nonces = Nonces {
            client: nonce,
            server: server_nonce,
            new: random(rng),
        };
        let numbers = [pq, factors.p, factors.q].map(primes::be);
        let inner = self.inner_data(&numbers, &nonces);
        let sealed = seal(self.request.scheme, server_key, &inner, rng);
        let mut body = Vec::with_capacity(340);
        body.u32(wire::REQ_DH_PARAMS);
        body.extend(nonce);
        body.extend(server_nonce);
        numbers[1..].iter().for_each(|n| body.string(n));
        body.i64(fingerprint);
        body.string(&sealed);
        self.state = State::Dh { nonces, started: now };
        Ok(Step::Say(body))
    }

    fn inner_data(&self, numbers: &[Vec<u8>; 3], nonces: &Nonces) -> Vec<u8> {
        let mut inner = Vec::with_capacity(128);
        inner.u32(match (self.request.dc_id, self.request.expires_in) {
            (None, None) => wire::P_Q_INNER_DATA,
            (Some(_), None) => wire::P_Q_INNER_DATA_DC,
            (None, Some(_)) => wire::P_Q_INNER_DATA_TEMP,
            (Some(_), Some(_)) => wire::P_Q_INNER_DATA_TEMP_DC,
        });
        numbers.iter().for_each(|n| inner.string(n));
        inner.extend(nonces.client);
        inner.extend(nonces.server);
        inner.extend(nonces.new);
        let numbers = self.request.dc_id.iter().chain(&self.request.expires_in);
        numbers.for_each(|n| inner.i32(*n));
        inner
    }

    /// Sends g_b; the key is known from now on.
    fn offer(
        &mut self,
        agreement: Box<Agreement>,
        retry: [u8; 8],
        rng: &mut impl Rng,
    ) -> Result<Step, ClientError> {
        let exponent: [u8; EXPONENT_LEN] = random(rng);
        let g_b = power_of_g(&exponent);
        let key = modexp(&agreement.g_a, &exponent, &DH_PRIME).ok_or(ClientError::Group)?;
        let nonces = &agreement.nonces;
        let mut inner = Vec::with_capacity(304);
        inner.u32(wire::CLIENT_DH_INNER_DATA);
        inner.extend(nonces.client);
        inner.extend(nonces.server);
        inner.extend(retry);
        inner.string(&g_b);
        let mut sealed = sha1(&[&inner]).to_vec();
        sealed.extend(inner);
        let padding: [u8; 16] = random(rng);
        sealed.extend(&padding[..(16 - sealed.len() % 16) % 16]);
        nonces.cipher().encrypt(&mut sealed);
        let mut body = Vec::with_capacity(400);
        body.u32(wire::SET_CLIENT_DH_PARAMS);
        body.extend(nonces.client);
        body.extend(nonces.server);
        body.string(&sealed);
        let key = AuthKey::new(key);
        self.state = State::Gen { agreement, key };
        Ok(Step::Say(body))
    }

    fn finish(
        &mut self,
        agreement: Box<Agreement>,
        key: AuthKey,
        constructor: u32,
        mut reader: Reader<'_>,
        rng: &mut impl Rng,
    ) -> Result<Step, ClientError> {
        agreement.nonces.check(&mut reader)?;
        let n = match constructor {
            wire::DH_GEN_OK => 1,
            wire::DH_GEN_RETRY => 2,
            _ => return Err(ClientError::Refused),
        };
        let hash = sha1(&[&agreement.nonces.new, &[n], &key.aux_hash()]);
        if !equal(&reader.array::<16>()?, &hash[4..]) {
            return Err(ClientError::Sealed);
        }
        if constructor == wire::DH_GEN_RETRY {
            return self.offer(agreement, key.aux_hash(), rng);
        }
        let seconds = self.request.expires_in.map(i64::from);
        Ok(Step::Made(Made {
            key,
            salt: agreement.nonces.salt(),
            expires: seconds.map(|s| agreement.started.plus(s * 1000)),
            server_time: agreement.server_time,
        }))
    }
}

impl Nonces {
    fn check(&self, reader: &mut Reader<'_>) -> Result<(), ClientError> {
        let named: [[u8; 16]; 2] = [reader.array()?, reader.array()?];
        if named == [self.client, self.server] {
            Ok(())
        } else {
            Err(ClientError::Nonce)
        }
    }
}

/// Opens and checks the server's half of the agreement (HS-9).
fn agree(nonces: Nonces, started: Millis, mut reader: Reader<'_>) -> Result<Box<Agreement>, ClientError> {
    nonces.check(&mut reader)?;
    let mut data = reader.string()?.to_vec();
    if !data.len().is_multiple_of(16) || data.len() < 32 {
        return Err(ClientError::Sealed);
    }
    nonces.cipher().decrypt(&mut data);
    let (hash, answer) = data.split_at(20);
    let mut inner = Reader(answer);
    if inner.u32()? != wire::SERVER_DH_INNER_DATA {
        return Err(ClientError::Sealed);
    }
    nonces.check(&mut inner)?;
    let (g, prime) = (inner.i32()?, inner.string()?);
    let g_a: [u8; 256] = inner.string()?.try_into().map_err(|_| ClientError::Group)?;
    let server_time = Millis(i64::from(inner.i32()?) * 1000);
    let len = answer.len() - inner.0.len();
    if inner.0.len() > 15 || !equal(&sha1(&[&answer[..len]]), hash) {
        return Err(ClientError::Sealed);
    }
    if g != G || prime != DH_PRIME || !dh::is_in_range(&g_a) {
        return Err(ClientError::Group);
    }
    Ok(Box::new(Agreement {
        nonces,
        g_a,
        server_time,
        started,
    }))
}

fn random<const N: usize>(rng: &mut impl Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Encrypts inner data (at most 144 bytes) to the server's key.
fn seal(scheme: RsaScheme, key: &RsaKey, inner: &[u8], rng: &mut impl Rng) -> [u8; 256] {
    loop {
        let input = match scheme {
            RsaScheme::Padded => rsa_pad(inner, rng),
            RsaScheme::Sha1 => older_scheme(inner, rng),
        };
        // About one padded value in some is not below the modulus: another is drawn.
        if let Some(sealed) = key.encrypt_raw(&input) {
            return sealed;
        }
    }
}

fn rsa_pad(inner: &[u8], rng: &mut impl Rng) -> [u8; 256] {
    let mut data: [u8; 192] = random(rng);
    data[..inner.len()].copy_from_slice(inner);
    let key: [u8; 32] = random(rng);
    let hash = sha256(&[&key, &data]);
    data.reverse();
    let mut input = [0; 256];
    input[32..224].copy_from_slice(&data);
    input[224..].copy_from_slice(&hash);
    Ige { key, iv: [0; 32] }.encrypt(&mut input[32..]);
    let mask = sha256(&[&input[32..]]);
    for i in 0..32 {
        input[i] = key[i] ^ mask[i];
    }
    input
}

fn older_scheme(inner: &[u8], rng: &mut impl Rng) -> [u8; 256] {
    let mut input: [u8; 256] = random(rng);
    input[0] = 0;
    input[1..21].copy_from_slice(&sha1(&[inner]));
    input[21..21 + inner.len()].copy_from_slice(inner);
    input
}

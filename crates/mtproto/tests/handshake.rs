//! Rules HS-1 to HS-15: making a key. The client here is written by hand, so that it can break each rule.
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod common;

use common::*;
use havre_mtproto::bytes::{Reader, Writer as _};
use havre_mtproto::client::{ClientConnection, ClosedBecause, KeyRequest, Output as Told};
use havre_mtproto::connection::{Connection, KeyLookup, Output as Ask};
use havre_mtproto::crypto::dh::is_in_range;
use havre_mtproto::crypto::ige::Ige;
use havre_mtproto::crypto::keys::{Direction, handshake_cipher};
use havre_mtproto::crypto::{AuthKey, DH_PRIME, modexp, sha1, sha256};
use havre_mtproto::handshake::{Handshake, HandshakeError, Identity, NewKey, Step, Stored};
use havre_mtproto::limits::{HANDSHAKE_MS, PLAIN_LEN_MAX, REQ_PQ_MAX, SILENT_MS};
use havre_mtproto::transport::{Framing, Transport};
use havre_mtproto::{packet, primes};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;

const P_Q_INNER_DATA: u32 = 0x83c9_5aec;
const P_Q_INNER_DATA_DC: u32 = 0xa9f5_5f95;
const P_Q_INNER_DATA_TEMP: u32 = 0x3c6a_84d4;
const P_Q_INNER_DATA_TEMP_DC: u32 = 0x56fd_df88;
const REQ_DH_PARAMS: u32 = 0xd712_e4be;
const SERVER_DH_PARAMS_OK: u32 = 0xd0e8_075c;
const SERVER_DH_INNER_DATA: u32 = 0xb589_0dba;
const SET_CLIENT_DH_PARAMS: u32 = 0xf504_5f1f;
const CLIENT_DH_INNER_DATA: u32 = 0x6643_b654;
const DH_GEN_OK: u32 = 0x3bcb_f734;
const DH_GEN_RETRY: u32 = 0x46dc_1fb9;
const DH_GEN_FAIL: u32 = 0xa69d_ae02;

/// One run, by hand.
struct Run {
    server: Handshake,
    identity: Identity,
    rng: ChaCha12Rng,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    numbers: [Vec<u8>; 3],
    fingerprints: Vec<i64>,
}

/// What the server said.
#[derive(Debug)]
enum Said {
    Nothing,
    Answer(Vec<u8>),
    Store(NewKey),
}

impl Said {
    fn answer(self) -> Vec<u8> {
        match self {
            Self::Answer(body) => body,
            other => panic!("{other:?}"),
        }
    }
}

fn req_pq(constructor: u32, nonce: [u8; 16]) -> Vec<u8> {
    object(constructor, |b| b.extend(nonce))
}

impl Run {
    /// As far as resPQ.
    fn new() -> Self {
        let mut run = Self {
            server: Handshake::default(),
            identity: identity(),
            rng: ChaCha12Rng::seed_from_u64(3),
            nonce: [11; 16],
            server_nonce: [0; 16],
            new_nonce: [13; 32],
            numbers: Default::default(),
            fingerprints: Vec::new(),
        };
        run.begin(id::REQ_PQ_MULTI);
        run
    }

    fn begin(&mut self, constructor: u32) -> Vec<u8> {
        let answer = self.ask(&req_pq(constructor, self.nonce)).unwrap().answer();
        let mut reader = Reader(&answer);
        assert_eq!(reader.u32().unwrap(), id::RES_PQ);
        assert_eq!(reader.array().unwrap(), self.nonce);
        self.server_nonce = reader.array().unwrap();
        let pq = primes::from_be(reader.string().unwrap()).unwrap();
        let factors = primes::factor(pq).unwrap();
        self.numbers = [pq, factors.p, factors.q].map(primes::be);
        self.fingerprints = reader.longs(10).unwrap();
        assert_eq!(reader.0, b"");
        answer
    }

    /// Asks, and does the server's work.
    fn ask(&mut self, body: &[u8]) -> Result<Said, HandshakeError> {
        let step = self.server.handle(NOW, &self.identity, body, &mut self.rng)?;
        self.follow(step)
    }

    fn follow(&mut self, step: Step) -> Result<Said, HandshakeError> {
        match step {
            Step::Nothing => Ok(Said::Nothing),
            Step::Reply(body) => Ok(Said::Answer(body)),
            Step::Store(new) => Ok(Said::Store(new)),
            Step::Work(work) => {
                let step = self.server.handle_done(work.run())?;
                self.follow(step)
            }
        }
    }

    fn inner(&self, constructor: u32, tail: &[i32]) -> Vec<u8> {
        object(constructor, |b| {
            self.numbers.iter().for_each(|n| b.string(n));
            b.extend(self.nonce);
            b.extend(self.server_nonce);
            b.extend(self.new_nonce);
            tail.iter().for_each(|n| b.i32(*n));
        })
    }

    fn req_dh(&self, encrypted: &[u8]) -> Vec<u8> {
        object(REQ_DH_PARAMS, |b| {
            b.extend(self.nonce);
            b.extend(self.server_nonce);
            self.numbers[1..].iter().for_each(|n| b.string(n));
            b.i64(public_key().fingerprint());
            b.string(encrypted);
        })
    }

    /// Says this inner data; what the server answers.
    fn say_inner(&mut self, inner: &[u8]) -> Result<Said, HandshakeError> {
        let body = self.req_dh(&rsa_pad(inner));
        self.ask(&body)
    }

    fn cipher(&self) -> Ige {
        handshake_cipher(&self.new_nonce, &self.server_nonce)
    }

    /// As far as server_DH_params_ok: its answer opened.
    fn server_dh(&mut self) -> Vec<u8> {
        let inner = self.inner(P_Q_INNER_DATA, &[]);
        let answer = self.say_inner(&inner).unwrap().answer();
        self.open_server_dh(&answer)
    }

    fn open_server_dh(&self, answer: &[u8]) -> Vec<u8> {
        let mut reader = Reader(answer);
        assert_eq!(reader.u32().unwrap(), SERVER_DH_PARAMS_OK);
        assert_eq!(reader.array().unwrap(), self.nonce);
        assert_eq!(reader.array().unwrap(), self.server_nonce);
        let mut sealed = reader.string().unwrap().to_vec();
        self.cipher().decrypt(&mut sealed);
        sealed
    }

    fn client_inner(&self, retry: [u8; 8], g_b: &[u8]) -> Vec<u8> {
        object(CLIENT_DH_INNER_DATA, |b| {
            b.extend(self.nonce);
            b.extend(self.server_nonce);
            b.extend(retry);
            b.string(g_b);
        })
    }

    fn set_dh(&self, inner: &[u8]) -> Vec<u8> {
        let mut sealed = sha1(&[inner]).to_vec();
        sealed.extend(inner);
        sealed.resize(sealed.len().next_multiple_of(16), 5);
        self.cipher().encrypt(&mut sealed);
        object(SET_CLIENT_DH_PARAMS, |b| {
            b.extend(self.nonce);
            b.extend(self.server_nonce);
            b.string(&sealed);
        })
    }

    /// The hash at the end of dh_gen_*.
    fn new_nonce_hash(&self, n: u8, key: &AuthKey) -> Vec<u8> {
        sha1(&[&self.new_nonce, &[n], &sha1(&[key.secret()])[..8]])[4..].to_vec()
    }
}

fn rsa_pad(inner: &[u8]) -> [u8; 256] {
    (0..)
        .find_map(|n| {
            let mut data = [n; 192];
            data[..inner.len()].copy_from_slice(inner);
            let key = [n ^ 0x5a; 32];
            let hash = sha256(&[&key, &data]);
            data.reverse();
            let mut sealed = [&data[..], &hash].concat();
            Ige { key, iv: [0; 32] }.encrypt(&mut sealed);
            let mask = sha256(&[&sealed]);
            let hidden: Vec<u8> = key.iter().zip(mask).map(|(k, m)| k ^ m).collect();
            let input: [u8; 256] = [hidden, sealed].concat().try_into().unwrap();
            public_key().encrypt_raw(&input)
        })
        .unwrap()
}

fn older_scheme(inner: &[u8]) -> [u8; 256] {
    let mut input = [7; 256];
    input[0] = 0;
    input[1..21].copy_from_slice(&sha1(&[inner]));
    input[21..21 + inner.len()].copy_from_slice(inner);
    public_key().encrypt_raw(&input).unwrap()
}

/// g^b and the key that follows from the server's answer.
fn agree(server_dh: &[u8], b: u8) -> ([u8; 256], AuthKey) {
    let g_a = g_a(server_dh);
    let exponent = [b; 40];
    let g_b = modexp(&[3], &exponent, &DH_PRIME).unwrap();
    (g_b, AuthKey::new(modexp(&g_a, &exponent, &DH_PRIME).unwrap()))
}

fn g_a(server_dh: &[u8]) -> Vec<u8> {
    let mut reader = Reader(&server_dh[20 + 4 + 32 + 4..]);
    reader.string().unwrap();
    reader.string().unwrap().to_vec()
}

#[test]
fn hs_1_any_message_id_is_good_for_a_plain_packet() {
    for msg_id in [0, 1, -1, NOW.msg_id()] {
        let mut transport = Transport::client(Framing::Intermediate, None);
        let mut out = transport.take_own();
        let packet = packet::plain(msg_id, &req_pq(id::REQ_PQ, [1; 16]));
        transport.send(&packet, false, &mut ChaCha12Rng::seed_from_u64(1), &mut out);
        let mut connection = Connection::new(NOW, identity(), [1; 32]);
        connection.receive(NOW, &out);
        let Some(Ask::Write(answer)) = connection.poll() else {
            panic!("no answer")
        };
        let body = packet::open_plain(&answer[4..]).unwrap();
        assert_eq!(constructor(body), id::RES_PQ);
        let answered_at = i64::from_le_bytes(*answer[12..].first_chunk().unwrap());
        assert_eq!(answered_at & 3, 1);
    }
}

#[test]
fn hs_2_nothing_else_is_served_in_plain() {
    let mut run = Run::new();
    assert!(matches!(run.ask(&acks(&[1, 2])), Ok(Said::Nothing)));
    for body in [ping(1), echo(1), vec![], vec![1, 2, 3], object(DH_GEN_OK, |_| {})] {
        let error = run.ask(&body).unwrap_err();
        assert_eq!(error.code(), -404);
    }
    assert_eq!(run.ask(&vec![0x78; PLAIN_LEN_MAX + 4]).unwrap_err().code(), -404);
}

#[test]
fn hs_3_the_server_nonce_is_fresh_and_pq_without_leading_zeros() {
    let mut run = Run::new();
    let (nonce, pq) = (run.server_nonce, run.numbers[0].clone());
    run.nonce = [12; 16];
    run.begin(id::REQ_PQ);
    assert_ne!((run.server_nonce, &run.numbers[0]), (nonce, &pq));
    let [pq, p, q] = run.numbers.clone().map(|n| primes::from_be(&n).unwrap());
    assert!(p < q && p * q == pq && pq < 1 << 63);
    assert_ne!(run.numbers[0][0], 0);
}

#[test]
fn hs_4_the_fingerprint_is_that_of_the_documentation() {
    let key = private_key();
    let mut tl = Vec::new();
    tl.string(key.modulus());
    tl.string(&[1, 0, 1]);
    let expected = i64::from_le_bytes(sha1(&[&tl])[12..].try_into().unwrap());
    assert_eq!(key.fingerprint(), expected);
    assert_eq!(public_key().fingerprint(), expected);
    assert_eq!(Run::new().fingerprints, [expected]);
}

#[test]
fn hs_5_a_repeated_request_gets_the_identical_answer() {
    let mut run = Run::new();
    let request = req_pq(id::REQ_PQ_MULTI, run.nonce);
    assert_eq!(
        run.ask(&request).unwrap().answer(),
        run.ask(&request).unwrap().answer()
    );
    let inner = run.inner(P_Q_INNER_DATA, &[]);
    let request = run.req_dh(&rsa_pad(&inner));
    let first = run.ask(&request).unwrap().answer();
    assert_eq!(run.ask(&request).unwrap().answer(), first);
    let (g_b, key) = agree(&run.open_server_dh(&first), 9);
    let request = run.set_dh(&run.client_inner([0; 8], &g_b));
    assert!(matches!(run.ask(&request), Ok(Said::Store(new)) if new.key == key));
    assert!(matches!(run.ask(&request), Ok(Said::Nothing)), "it is being kept");
    let Step::Reply(last) = run.server.stored(Stored::Kept) else {
        panic!("no answer")
    };
    assert_eq!(run.ask(&request).unwrap().answer(), last);
}

#[test]
fn hs_5_after_a_wrong_request_the_run_is_over() {
    let wrong: [fn(&mut Run) -> Vec<u8>; 4] = [
        |run| {
            run.nonce = [1; 16];
            run.req_dh(&[0; 256])
        },
        |run| run.set_dh(&[]),
        |_| vec![1],
        |_| vec![0; PLAIN_LEN_MAX + 4],
    ];
    for wrong in wrong {
        let mut run = Run::new();
        let (nonce, inner) = (run.nonce, run.inner(P_Q_INNER_DATA, &[]));
        let wrong = wrong(&mut run);
        assert_eq!(run.ask(&wrong).unwrap_err().code(), -404);
        run.nonce = nonce;
        assert_eq!(run.say_inner(&inner).unwrap_err(), HandshakeError::OutOfOrder);
        // Another run may begin, even with the request of the first.
        run.begin(id::REQ_PQ_MULTI);
        run.server_dh();
    }
}

#[test]
fn hs_5_a_run_takes_ten_minutes_at_most() {
    let mut run = Run::new();
    let body = run.req_dh(&rsa_pad(&run.inner(P_Q_INNER_DATA, &[])));
    let late = NOW.plus(HANDSHAKE_MS + 1);
    let step = run.server.handle(late, &run.identity, &body, &mut run.rng);
    assert_eq!(step.unwrap_err(), HandshakeError::Limit);
}

#[test]
fn hs_5_work_of_a_run_that_was_given_up_leads_nowhere() {
    let mut run = Run::new();
    let old = run.req_dh(&rsa_pad(&run.inner(P_Q_INNER_DATA, &[])));
    let Ok(Step::Work(old_work)) = run.server.handle(NOW, &run.identity, &old, &mut run.rng) else {
        panic!("no work")
    };
    run.nonce = [12; 16];
    run.begin(id::REQ_PQ_MULTI);
    let new = run.req_dh(&rsa_pad(&run.inner(P_Q_INNER_DATA, &[])));
    let Ok(Step::Work(new_work)) = run.server.handle(NOW, &run.identity, &new, &mut run.rng) else {
        panic!("no work")
    };
    assert!(matches!(
        run.server.handle_done(old_work.run()),
        Ok(Step::Nothing)
    ));
    assert!(matches!(
        run.server.handle_done(new_work.run()),
        Ok(Step::Reply(_))
    ));
}

#[test]
fn hs_6_what_the_outer_request_must_say() {
    let code = |change: fn(&mut Run) -> Vec<u8>| {
        let mut run = Run::new();
        let body = change(&mut run);
        run.ask(&body).unwrap_err()
    };
    let sealed = |run: &Run| rsa_pad(&run.inner(P_Q_INNER_DATA, &[]));
    assert_eq!(
        code(|run| {
            run.server_nonce = [0; 16];
            run.req_dh(&[1; 256])
        }),
        HandshakeError::Nonce
    );
    assert_eq!(
        code(|run| {
            run.numbers.swap(1, 2);
            run.req_dh(&[1; 256])
        }),
        HandshakeError::Factors
    );
    assert_eq!(
        code(|run| {
            // Leading zeros are not how the factors were sent.
            run.numbers[1].insert(0, 0);
            run.req_dh(&[1; 256])
        }),
        HandshakeError::Factors
    );
    assert_eq!(code(|run| run.req_dh(&[1; 255])), HandshakeError::Sealed);
    assert_eq!(code(|run| run.req_dh(&[0xff; 256])), HandshakeError::Sealed);
    assert_eq!(code(|run| run.req_dh(&[1; 256])), HandshakeError::Sealed);
    let mut run = Run::new();
    let mut body = run.req_dh(&sealed(&run));
    let at = body.len() - 256 - 4 - 8;
    body[at] ^= 1;
    assert_eq!(run.ask(&body).unwrap_err(), HandshakeError::Fingerprint);
}

#[test]
fn hs_6_both_schemes_are_opened_and_neither_without_its_hash() {
    let mut run = Run::new();
    let inner = run.inner(P_Q_INNER_DATA, &[]);
    let body = run.req_dh(&older_scheme(&inner));
    run.ask(&body).unwrap().answer();
    let mut run = Run::new();
    let inner = run.inner(P_Q_INNER_DATA_DC, &[99]);
    let mut input = [7; 256];
    input[0] = 0;
    input[21..21 + inner.len()].copy_from_slice(&inner);
    let sealed = public_key().encrypt_raw(&input).unwrap();
    let body = run.req_dh(&sealed);
    // Not −444: nothing inside is looked at before the hash is right.
    assert_eq!(run.ask(&body).unwrap_err(), HandshakeError::Sealed);
}

#[test]
fn hs_7_all_inner_data_are_accepted() {
    let kinds: [(u32, &[i32], bool); 6] = [
        (P_Q_INNER_DATA, &[], false),
        (P_Q_INNER_DATA_DC, &[2], false),
        (P_Q_INNER_DATA_TEMP, &[86_400], true),
        (P_Q_INNER_DATA_TEMP_DC, &[2, 60], true),
        (P_Q_INNER_DATA_TEMP_DC, &[-2, 604_800], true),
        (P_Q_INNER_DATA_TEMP_DC, &[1, 3_600], true),
    ];
    for (constructor, tail, is_temp) in kinds {
        let mut run = Run::new();
        let inner = run.inner(constructor, tail);
        let answer = run.say_inner(&inner).unwrap().answer();
        let (g_b, _) = agree(&run.open_server_dh(&answer), 9);
        let body = run.set_dh(&run.client_inner([0; 8], &g_b));
        let Said::Store(new) = run.ask(&body).unwrap() else {
            panic!("no key")
        };
        let expires = is_temp.then(|| NOW.plus(i64::from(tail[tail.len() - 1]) * 1000));
        assert_eq!(new.expires, expires);
    }
}

#[test]
fn hs_8_inner_data_must_agree_with_the_outer() {
    let changes: [fn(&mut Run); 4] = [
        |run| run.numbers.swap(1, 2),
        |run| run.numbers[0][0] ^= 1,
        |run| run.nonce[0] ^= 1,
        |run| run.server_nonce[0] ^= 1,
    ];
    for change in changes {
        let mut run = Run::new();
        let mut other = Run::new();
        (other.server_nonce, other.numbers) = (run.server_nonce, run.numbers.clone());
        change(&mut other);
        let inner = other.inner(P_Q_INNER_DATA, &[]);
        assert_eq!(run.say_inner(&inner).unwrap_err(), HandshakeError::Inner);
    }
    for expires_in in [59, 0, -1, i32::MAX] {
        let mut run = Run::new();
        let inner = run.inner(P_Q_INNER_DATA_TEMP, &[expires_in]);
        assert_eq!(run.say_inner(&inner).unwrap_err(), HandshakeError::Inner);
    }
}

#[test]
fn hs_8_every_data_centre_that_clients_know_is_here_and_no_other() {
    for (dc_id, expected) in [
        (1, 0),
        (2, 0),
        (-4, 0),
        (5, 0),
        (6, -444),
        (0, -444),
        (10_002, -444),
    ] {
        let mut run = Run::new();
        let inner = run.inner(P_Q_INNER_DATA_DC, &[dc_id]);
        let code = run.say_inner(&inner).map_or_else(HandshakeError::code, |_| 0);
        assert_eq!(code, expected, "data centre {dc_id}");
    }
}

#[test]
fn hs_9_server_dh_inner_data() {
    let mut run = Run::new();
    let sealed = run.server_dh();
    let mut reader = Reader(&sealed[20..]);
    assert_eq!(reader.u32().unwrap(), SERVER_DH_INNER_DATA);
    assert_eq!(reader.array().unwrap(), run.nonce);
    assert_eq!(reader.array().unwrap(), run.server_nonce);
    assert_eq!(reader.i32().unwrap(), 3);
    assert_eq!(reader.string().unwrap(), DH_PRIME);
    assert!(is_in_range(reader.string().unwrap().try_into().unwrap()));
    assert_eq!(reader.i32().unwrap(), NOW.seconds());
    let len = sealed.len() - reader.0.len();
    assert!(reader.0.len() < 16, "padding");
    assert_eq!(sha1(&[&sealed[20..len]]), sealed[..20]);
    let mut other = Run::new();
    other.rng = ChaCha12Rng::seed_from_u64(4);
    assert_ne!(
        g_a(&other.server_dh()),
        g_a(&sealed),
        "a fresh exponent each time"
    );
}

#[test]
fn hs_10_client_dh_inner_data_are_checked() {
    let change = |change: fn(&mut Vec<u8>, &Run), expected: HandshakeError| {
        let mut run = Run::new();
        let (g_b, _) = agree(&run.server_dh(), 9);
        let mut inner = run.client_inner([0; 8], &g_b);
        change(&mut inner, &run);
        let body = run.set_dh(&inner);
        assert_eq!(run.ask(&body).unwrap_err(), expected);
    };
    change(|inner, _| inner[0] ^= 1, HandshakeError::Sealed);
    change(|inner, _| inner[4] ^= 1, HandshakeError::Inner);
    change(|inner, _| inner[20] ^= 1, HandshakeError::Inner);
    change(|inner, _| inner[36] ^= 1, HandshakeError::Inner);
    change(|inner, _| inner.extend([0; 32]), HandshakeError::Sealed);
    let mut run = Run::new();
    let (g_b, _) = agree(&run.server_dh(), 9);
    let mut body = run.set_dh(&run.client_inner([0; 8], &g_b));
    *body.last_mut().unwrap() ^= 1;
    assert!(run.ask(&body).is_err());
}

#[test]
fn hs_10_public_values_out_of_range_are_refused() {
    let mut nearly = DH_PRIME;
    nearly[255] -= 1;
    for g_b in [&[1][..], &[0; 256], &DH_PRIME, &nearly, &[1; 257]] {
        let mut run = Run::new();
        run.server_dh();
        let body = run.set_dh(&run.client_inner([0; 8], g_b));
        assert_eq!(run.ask(&body).unwrap_err(), HandshakeError::PublicValue);
    }
}

#[test]
fn hs_11_key_id_and_hashes_and_hs_13_the_first_salt() {
    let mut run = Run::new();
    let (g_b, key) = agree(&run.server_dh(), 9);
    let body = run.set_dh(&run.client_inner([0; 8], &g_b));
    let Said::Store(new) = run.ask(&body).unwrap() else {
        panic!("no key")
    };
    assert_eq!(new.key, key);
    assert_eq!(key.id().to_le_bytes(), sha1(&[key.secret()])[12..]);
    let salt: Vec<u8> = (0..8).map(|i| run.new_nonce[i] ^ run.server_nonce[i]).collect();
    assert_eq!(new.salt.to_le_bytes(), salt[..]);
    let Step::Reply(answer) = run.server.stored(Stored::Kept) else {
        panic!("no answer")
    };
    let expected = object(DH_GEN_OK, |b| {
        b.extend(run.nonce);
        b.extend(run.server_nonce);
        b.extend(run.new_nonce_hash(1, &key));
    });
    assert_eq!(answer, expected);
}

#[test]
fn hs_11_a_key_id_that_is_taken_is_tried_again() {
    let mut run = Run::new();
    let server_dh = run.server_dh();
    let mut retry = [0; 8];
    for attempt in 0..=3 {
        let (g_b, key) = agree(&server_dh, 20 + attempt);
        let body = run.set_dh(&run.client_inner(retry, &g_b));
        assert!(matches!(run.ask(&body).unwrap(), Said::Store(new) if new.key == key));
        let Step::Reply(answer) = run.server.stored(Stored::Taken) else {
            panic!("no answer")
        };
        let (expected, n) = if attempt < 3 {
            (DH_GEN_RETRY, 2)
        } else {
            (DH_GEN_FAIL, 3)
        };
        assert_eq!(constructor(&answer), expected);
        assert_eq!(answer[36..], run.new_nonce_hash(n, &key));
        retry = key.aux_hash();
    }
    let (g_b, _) = agree(&server_dh, 50);
    let body = run.set_dh(&run.client_inner(retry, &g_b));
    assert_eq!(run.ask(&body).unwrap_err(), HandshakeError::OutOfOrder);
}

#[test]
fn hs_11_a_client_tries_again_until_its_key_is_kept() {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut client = ClientConnection::new(NOW, config(Framing::Abridged), [2; 32]);
    let (mut tries, mut made) = (0, None);
    for _ in 0..20 {
        while let Some(told) = client.poll() {
            match told {
                Told::Write(bytes) => connection.receive(NOW, &bytes),
                Told::KeyMade { key, .. } => made = Some(key),
                other => panic!("{other:?}"),
            }
        }
        while let Some(ask) = connection.poll() {
            match ask {
                Ask::Write(bytes) => client.receive(NOW, &bytes),
                Ask::Work(work) => connection.work_done(NOW, Some(work.run())),
                Ask::StoreKey(_) => {
                    tries += 1;
                    let stored = if tries == 3 { Stored::Kept } else { Stored::Taken };
                    connection.key_stored(NOW, Some(stored));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(tries, 3);
    assert_eq!(made.as_ref(), client.key());
    assert!(made.is_some());
}

/// A client and a connection that have come as far as the key that is to be stored.
fn before_storing() -> (ClientConnection, Connection) {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut client = ClientConnection::new(NOW, config(Framing::Abridged), [2; 32]);
    loop {
        while let Some(Told::Write(bytes)) = client.poll() {
            connection.receive(NOW, &bytes);
        }
        while let Some(ask) = connection.poll() {
            match ask {
                Ask::Write(bytes) => client.receive(NOW, &bytes),
                Ask::Work(work) => connection.work_done(NOW, Some(work.run())),
                Ask::StoreKey(_) => return (client, connection),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn hs_12_dh_gen_ok_leaves_only_when_the_key_is_kept() {
    let (mut client, mut connection) = before_storing();
    assert!(connection.poll().is_none());
    connection.key_stored(NOW, Some(Stored::Kept));
    let Some(Ask::Write(bytes)) = connection.poll() else {
        panic!("no answer")
    };
    client.receive(NOW, &bytes);
    assert!(matches!(client.poll(), Some(Told::KeyMade { .. })));
    // A store that failed: no word that would make the client drop anything.
    let (_, mut connection) = before_storing();
    connection.key_stored(NOW, None);
    assert!(matches!(connection.poll(), Some(Ask::Close)));
}

#[test]
fn hs_12_a_run_begun_while_a_key_is_kept_goes_on() {
    let mut run = Run::new();
    let (g_b, _) = agree(&run.server_dh(), 9);
    let body = run.set_dh(&run.client_inner([0; 8], &g_b));
    assert!(matches!(run.ask(&body), Ok(Said::Store(_))));
    run.nonce = [12; 16];
    run.begin(id::REQ_PQ_MULTI);
    assert!(matches!(run.server.stored(Stored::Kept), Step::Nothing));
    run.server_dh();
}

#[test]
fn hs_13_the_first_salt_is_good_on_its_connection() {
    let mut pair = Pair::new(config(Framing::Intermediate));
    let call = pair.client.call(NOW, echo(1));
    let told = pair.run();
    assert_eq!(results(&told), [(call, echo(1))]);
    assert_eq!(pair.server.executed.len(), 1);
    let bad_salt = told.iter().any(|told| matches!(told, Told::BadMessage { .. }));
    assert!(!bad_salt);
}

#[test]
fn hs_14_sealed_packets_in_the_middle_of_a_handshake_are_served() {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut transport = Transport::client(Framing::Intermediate, None);
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut out = transport.take_own();
    // A probe, a second probe with another nonce, a session's packet, a third probe.
    for nonce in [[1; 16], [2; 16]] {
        let probe = packet::plain(1, &req_pq(id::REQ_PQ, nonce));
        transport.send(&probe, false, &mut rng, &mut out);
    }
    let inside = message(NOW.msg_id(), 1, ping(1));
    let sealed = packet::seal(&auth_key(), Direction::ToServer, (1, 2), &inside, &mut rng);
    transport.send(&sealed, false, &mut rng, &mut out);
    let probe = packet::plain(1, &req_pq(id::REQ_PQ, [3; 16]));
    transport.send(&probe, false, &mut rng, &mut out);
    connection.receive(NOW, &out);
    let (mut answers, mut packets) = (0, 0);
    while let Some(ask) = connection.poll() {
        match ask {
            Ask::NeedKey(_) => connection.key_found(NOW, KeyLookup::Found(auth_key())),
            Ask::Write(_) => answers += 1,
            Ask::Packet(packet) => {
                packets += 1;
                assert_eq!(packet.message, inside);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((answers, packets), (3, 1));
}

#[test]
fn hs_15_requests_are_counted_and_a_full_lane_refuses_at_once() {
    let mut run = Run::new();
    for n in 1..REQ_PQ_MAX {
        run.nonce = [n as u8; 16];
        run.begin(id::REQ_PQ);
    }
    let error = run.ask(&req_pq(id::REQ_PQ, [99; 16])).unwrap_err();
    assert_eq!((error, error.code()), (HandshakeError::Limit, -429));

    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut client = ClientConnection::new(NOW, config(Framing::Abridged), [2; 32]);
    let mut told_last = None;
    for _ in 0..6 {
        while let Some(told) = client.poll() {
            match told {
                Told::Write(bytes) => connection.receive(NOW, &bytes),
                other => told_last = Some(other),
            }
        }
        while let Some(ask) = connection.poll() {
            match ask {
                Ask::Write(bytes) => client.receive(NOW, &bytes),
                Ask::Work(_) => connection.work_done(NOW, None),
                Ask::Close => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(told_last, Some(Told::Closed(ClosedBecause::Told(-429))));
}

#[test]
fn hs_15_who_works_for_its_key_is_not_cut_off_by_our_slowness() {
    let mut connection = Connection::new(NOW, identity(), [1; 32]);
    let mut client = ClientConnection::new(NOW, config(Framing::Abridged), [2; 32]);
    let mut now = NOW;
    let mut works = 0;
    while client.key().is_none() {
        while let Some(Told::Write(bytes)) = client.poll() {
            connection.receive(now, &bytes);
        }
        while let Some(ask) = connection.poll() {
            match ask {
                Ask::Write(bytes) => client.receive(now, &bytes),
                Ask::Work(work) => {
                    works += 1;
                    now = now.plus(SILENT_MS - 1_000);
                    connection.handle_timeout(now);
                    connection.work_done(now, Some(work.run()));
                }
                Ask::StoreKey(_) => connection.key_stored(now, Some(Stored::Kept)),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(works, 2);
}

#[test]
fn clients_refuse_servers_that_they_do_not_know() {
    let mut pair = Pair::new(config(Framing::Abridged));
    pair.server.identity.keys = std::sync::Arc::new([]);
    pair.reconnect();
    assert!(matches!(
        pair.run()[..],
        [Told::Closed(ClosedBecause::Handshake(_))]
    ));
    let mut configured = config(Framing::Abridged);
    configured.key_request = KeyRequest {
        dc_id: Some(77),
        ..KeyRequest::default()
    };
    assert_eq!(
        Pair::new(configured).run(),
        [Told::Closed(ClosedBecause::Told(-444))]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_requests_never_panic(
        requests in prop::collection::vec(
            (
                prop::sample::select(vec![
                    id::REQ_PQ, id::REQ_PQ_MULTI, REQ_DH_PARAMS, SET_CLIENT_DH_PARAMS, id::MSGS_ACK, 0,
                ]),
                prop::collection::vec(any::<u8>(), 0..400),
            ),
            0..10,
        ),
        far in 0_usize..3,
    ) {
        let mut run = Run::new();
        if far > 0 {
            let server_dh = run.server_dh();
            if far > 1 {
                let (g_b, _) = agree(&server_dh, 9);
                let body = run.set_dh(&run.client_inner([0; 8], &g_b));
                run.ask(&body).unwrap();
            }
        }
        for (constructor, rest) in requests {
            let mut body = object(constructor, |b| b.extend(rest));
            // Half of them know the nonces.
            if body.len() >= 36 && body[35] & 1 == 0 {
                body[4..20].copy_from_slice(&run.nonce);
                body[20..36].copy_from_slice(&run.server_nonce);
            }
            let _ = run.ask(&body);
        }
    }
}

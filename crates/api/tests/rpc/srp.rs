//! The client's side of SRP (core.telegram.org/api/srp), for tests of two-step verification.

use havre_mtproto::crypto::{DH_PRIME, G, modexp, sha256};
use havre_sim::Client;
use havre_tl::{enums, functions, types};

type Number = [u8; 256];
pub type Algo = types::PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow;

fn padded(bytes: &[u8]) -> Number {
    let mut number = [0; 256];
    number[256 - bytes.len()..].copy_from_slice(bytes);
    number
}

fn generator() -> Number {
    padded(&G.to_be_bytes())
}

fn power(base: &Number, exponent: &[u8]) -> Number {
    modexp(base, exponent, &DH_PRIME).unwrap()
}

/// `a + b` and `a - b` modulo the prime.
fn sum(a: &Number, b: &Number) -> Number {
    let (mut out, mut carry) = ([0; 256], 0);
    for i in (0..256).rev() {
        let n = u16::from(a[i]) + u16::from(b[i]) + carry;
        (out[i], carry) = (n as u8, n >> 8);
    }
    if carry != 0 || out >= DH_PRIME {
        less(&out, &DH_PRIME)
    } else {
        out
    }
}

fn less(a: &Number, b: &Number) -> Number {
    let (mut out, mut borrow) = ([0; 256], 0);
    for i in (0..256).rev() {
        let n = i16::from(a[i]) - i16::from(b[i]) - borrow;
        (out[i], borrow) = (n as u8, i16::from(n < 0));
    }
    out
}

fn difference(a: &Number, b: &Number) -> Number {
    sum(a, &less(&DH_PRIME, b))
}

/// By doubling and adding.
fn product(a: &Number, b: &Number) -> Number {
    let mut product = [0; 256];
    for bit in 0..2048 {
        product = sum(&product, &product);
        if b[bit / 8] & (0x80 >> (bit % 8)) != 0 {
            product = sum(&product, a);
        }
    }
    product
}

/// What stands for the slow hash of a password; the server never computes it.
fn exponent(password: &str, algo: &Algo) -> [u8; 32] {
    sha256(&[&algo.salt1, password.as_bytes(), &algo.salt2])
}

pub fn algo(algo: enums::PasswordKdfAlgo) -> Algo {
    match algo {
        enums::PasswordKdfAlgo::PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(algo) => {
            algo
        }
        other => panic!("{other:?}"),
    }
}

pub fn state(client: &Client) -> types::account::Password {
    let enums::account::Password::Password(state) = client.call(functions::account::GetPassword {}).unwrap();
    state
}

/// What proves a password.
pub fn proof(client: &Client, password: &str) -> enums::InputCheckPasswordSRP {
    proof_for(&state(client), password)
}

pub fn proof_for(state: &types::account::Password, password: &str) -> enums::InputCheckPasswordSRP {
    let algo = algo(state.current_algo.clone().expect("there is a password"));
    let b: Number = state.srp_b.as_deref().unwrap().try_into().unwrap();
    let (x, secret) = (exponent(password, &algo), [0x42; 256]);
    let a = power(&generator(), &secret);
    let k = padded(&sha256(&[&DH_PRIME, &generator()]));
    let u = sha256(&[&a, &b]);
    let base = difference(&b, &product(&k, &power(&generator(), &x)));
    let shared = product(&power(&base, &secret), &power(&power(&base, &u), &x));
    let (hp, hg) = (sha256(&[&DH_PRIME]), sha256(&[&generator()]));
    let mixed: [u8; 32] = std::array::from_fn(|i| hp[i] ^ hg[i]);
    let (s1, s2) = (sha256(&[&algo.salt1]), sha256(&[&algo.salt2]));
    let m1 = sha256(&[&mixed, &s1, &s2, &a, &b, &sha256(&[&shared])]);
    types::InputCheckPasswordSRP {
        srp_id: state.srp_id.unwrap(),
        a: a.to_vec(),
        m1: m1.to_vec(),
    }
    .into()
}

/// Settings that set a password.
pub fn settings(
    state: &types::account::Password,
    password: &str,
    hint: &str,
) -> types::account::PasswordInputSettings {
    let mut algo = algo(state.new_algo.clone());
    algo.salt1.extend([7; 32]);
    let verifier = power(&generator(), &exponent(password, &algo));
    types::account::PasswordInputSettings {
        new_algo: Some(algo.into()),
        new_password_hash: Some(verifier.to_vec()),
        hint: Some(hint.into()),
        ..Default::default()
    }
}

/// Sets the first password of somebody.
pub fn set(client: &Client, password: &str) {
    let state = state(client);
    let done = client.call(functions::account::UpdatePasswordSettings {
        password: enums::InputCheckPasswordSRP::InputCheckPasswordEmpty,
        new_settings: settings(&state, password, "the usual").into(),
    });
    assert_eq!(done, Ok(true));
}

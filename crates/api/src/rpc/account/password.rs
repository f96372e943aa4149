//! Checking a password by SRP. Nothing is kept between the two steps: the server's secret exponent follows
//! from the server's secret and the step's id, which says when the step began and for which password.

use havre_domain::ids::{Time, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::limits::SRP_TTL;
use havre_domain::password::{self, Lock, Password};
use havre_domain::srp::{self, Step};
use havre_mtproto::crypto::{DH_PRIME, G};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// The way that passwords are hashed.
pub type Algo = types::PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow;

/// Bytes of the server's part of the first salt.
pub const SALT1_LEN: usize = 8;
/// Bytes of the second salt.
const SALT2_LEN: usize = 16;

/// How a password is hashed with these salts.
#[must_use]
pub fn algo(salt1: &[u8], salt2: &[u8]) -> Algo {
    Algo {
        salt1: salt1.to_vec(),
        salt2: salt2.to_vec(),
        g: G,
        p: DH_PRIME.to_vec(),
    }
}

/// How the next password of a person is to be hashed; the client adds to the first salt.
#[must_use]
pub fn next_algo(cx: &Cx, user: UserId, password: &Password) -> Algo {
    let data = [user.0, i64::from(password.version)];
    let salts = cx.world.secret.hash("password salts", &data);
    let (salt1, rest) = salts.split_at(SALT1_LEN);
    algo(salt1, &rest[..SALT2_LEN])
}

/// A new step for a person's password: its id.
pub fn begin(cx: &mut Cx, password: &Password) -> i64 {
    let [a, b] = cx.world.random_bytes();
    let random = i64::from(u16::from_be_bytes([a, b]));
    cx.world.now.0 << 32 | i64::from(password.version) << 16 | random
}

/// The server's side of a step on the caller's key.
fn step<'a>(cx: &Cx, user: UserId, id: i64, lock: &'a Lock) -> Option<Step<'a>> {
    let half = |n| cx.world.secret.hash("srp", &[user.0, cx.key.0, id, n]);
    let mut secret = [0; 64];
    secret[..32].copy_from_slice(&half(0));
    secret[32..].copy_from_slice(&half(1));
    Some(Step {
        salts: (&lock.salt1, &lock.salt2),
        verifier: lock.verifier.as_slice().try_into().ok()?,
        secret,
    })
}

/// The server's public number of a step.
///
/// # Errors
/// [`Error`] when the password's record is damaged.
pub fn public(cx: &Cx, user: UserId, id: i64, lock: &Lock) -> Result<Vec<u8>, Error> {
    let public = step(cx, user, id, lock).and_then(|step| step.public());
    Ok(public.ok_or(RpcError::INTERNAL)?.to_vec())
}

/// Checks that the caller knows the password of `user`, whose partition becomes the subject. A wrong
/// password is counted.
///
/// # Errors
/// `400 PASSWORD_HASH_INVALID`, `400 SRP_ID_INVALID`, `400 SRP_A_INVALID`, `400 SRP_PASSWORD_CHANGED`,
/// `420 FLOOD_WAIT_n`.
pub async fn check(cx: &mut Cx, user: UserId, proof: &enums::InputCheckPasswordSRP) -> Result<(), Error> {
    let (now, key) = (cx.world.now, cx.key);
    let enums::InputCheckPasswordSRP::InputCheckPasswordSRP(proof) = proof else {
        return Err(RpcError::PASSWORD_HASH_INVALID.into());
    };
    let mut password = password::password(cx.world.user(user)?).await?;
    let lock = password.lock.clone().ok_or(RpcError::PASSWORD_HASH_INVALID)?;
    password.may_try(now, key).map_err(RpcError::flood_wait)?;
    check_id(now, proof.srp_id, &password)?;
    let a = srp::number(&proof.a).filter(srp::is_acceptable);
    let a = a.ok_or(RpcError::SRP_A_INVALID)?;
    let proved = step(cx, user, proof.srp_id, &lock).and_then(|step| step.is_proved(&a, &proof.m1));
    if proved.ok_or(RpcError::INTERNAL)? {
        return Ok(());
    }
    password.note_wrong(now, key);
    cx.world
        .subject(partition::user(user))?
        .put(keys::password(), &password);
    cx.keep_on_error = true;
    Err(RpcError::PASSWORD_HASH_INVALID.into())
}

fn check_id(now: Time, id: i64, password: &Password) -> Result<(), RpcError> {
    let began = Time(id >> 32);
    if began > now || began.plus(SRP_TTL) <= now {
        return Err(RpcError::SRP_ID_INVALID);
    }
    if id >> 16 & 0xffff != i64::from(password.version) {
        return Err(RpcError::SRP_PASSWORD_CHANGED);
    }
    Ok(())
}

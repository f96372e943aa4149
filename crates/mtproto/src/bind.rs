//! The envelope of `auth.bindTempAuthKey`: one packet of MTProto 1 under the permanent key
//! (core.telegram.org/method/auth.bindTempAuthKey).

use crate::bytes::Reader;
use crate::crypto::{AuthKey, equal, sha1};

/// `bind_auth_key_inner#75a3f765`
const BIND_AUTH_KEY_INNER: u32 = 0x75a3_f765;
/// Its bytes: the constructor, four longs and an int.
const INNER_LEN: usize = 40;
/// Bytes of the plaintext before it: salt, session, message id, number and length.
const HEAD_LEN: usize = 32;

/// What the owner of both keys says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Message id of the envelope; that of the request around it.
    pub msg_id: i64,
    /// Random, repeated in the request.
    pub nonce: i64,
    /// The temporary key.
    pub temp_auth_key_id: i64,
    /// The permanent key.
    pub perm_auth_key_id: i64,
    /// The session of the request.
    pub temp_session_id: i64,
    /// When the binding ends, unix seconds.
    pub expires_at: i32,
}

/// Opens the envelope. Nothing when it is not what the permanent key's owner wrote (RP-6).
#[must_use]
pub fn open(permanent: &AuthKey, envelope: &[u8]) -> Option<Binding> {
    let mut head = Reader(envelope);
    if head.i64().ok()? != permanent.id() {
        return None;
    }
    let msg_key: [u8; 16] = head.array().ok()?;
    let mut plain = head.0.to_vec();
    if plain.len() != (HEAD_LEN + INNER_LEN).next_multiple_of(16) {
        return None;
    }
    permanent.cipher_v1(&msg_key).decrypt(&mut plain);
    let mut reader = Reader(&plain);
    // Random instead of salt and session.
    reader.take(16).ok()?;
    let msg_id = reader.i64().ok()?;
    let (seq_no, len) = (reader.i32().ok()?, usize::try_from(reader.i32().ok()?).ok()?);
    let unpadded = &plain[..HEAD_LEN + INNER_LEN];
    if seq_no != 0 || len != INNER_LEN || !equal(&sha1(&[unpadded])[4..20], &msg_key) {
        return None;
    }
    inner(reader, msg_id)
}

fn inner(mut reader: Reader<'_>, msg_id: i64) -> Option<Binding> {
    if reader.u32().ok()? != BIND_AUTH_KEY_INNER {
        return None;
    }
    Some(Binding {
        msg_id,
        nonce: reader.i64().ok()?,
        temp_auth_key_id: reader.i64().ok()?,
        perm_auth_key_id: reader.i64().ok()?,
        temp_session_id: reader.i64().ok()?,
        expires_at: reader.i32().ok()?,
    })
}

/// Makes the envelope: the client's part. `random` fills salt, session and padding.
#[must_use]
pub fn seal(permanent: &AuthKey, binding: &Binding, random: &[u8; 32]) -> Vec<u8> {
    use crate::bytes::Writer as _;
    let mut plain = random[..16].to_vec();
    plain.i64(binding.msg_id);
    plain.i32(0);
    plain.i32(40);
    plain.u32(BIND_AUTH_KEY_INNER);
    plain.i64(binding.nonce);
    plain.i64(binding.temp_auth_key_id);
    plain.i64(binding.perm_auth_key_id);
    plain.i64(binding.temp_session_id);
    plain.i32(binding.expires_at);
    let mut msg_key = [0; 16];
    msg_key.copy_from_slice(&sha1(&[&plain])[4..20]);
    let padding = (16 - plain.len() % 16) % 16;
    plain.extend(&random[16..16 + padding]);
    permanent.cipher_v1(&msg_key).encrypt(&mut plain);
    let mut envelope = permanent.id().to_le_bytes().to_vec();
    envelope.extend(msg_key);
    envelope.extend(plain);
    envelope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rp_6_the_envelope_opens_under_its_key_only() {
        let key = AuthKey::new([9; 256]);
        let binding = Binding {
            msg_id: 4,
            nonce: 5,
            temp_auth_key_id: 6,
            perm_auth_key_id: key.id(),
            temp_session_id: 7,
            expires_at: 8,
        };
        let mut envelope = seal(&key, &binding, &[3; 32]);
        assert_eq!(open(&key, &envelope), Some(binding));
        assert_eq!(open(&AuthKey::new([8; 256]), &envelope), None);
        *envelope.last_mut().unwrap() ^= 1;
        envelope[30] ^= 1;
        assert_eq!(open(&key, &envelope), None);
    }
}

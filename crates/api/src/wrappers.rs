//! Calls around calls: `invokeWithLayer`, `initConnection` and their kin, in any order and at any depth
//! that clients use, with `gzip_packed` anywhere between.

use std::borrow::Cow;
use std::io::Read as _;

use havre_domain::auth_keys::Client;
use havre_tl::{Deserialize, Identifiable, functions};

use crate::error::RpcError;

/// Most wrappers around one call.
const DEPTH_MAX: usize = 12;
/// Most bytes that a packed call may unpack to.
const UNPACKED_MAX: u64 = 10 << 20;
/// `gzip_packed#3072cfa1`
const GZIP_PACKED: u32 = 0x3072_cfa1;

/// A call without its wrappers, and what they said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unwrapped<'a> {
    /// The call.
    pub body: Cow<'a, [u8]>,
    /// The layer announced.
    pub layer: Option<i32>,
    /// What the client says of itself; its layer is in `layer`.
    pub client: Option<Client>,
    /// No pushes wanted by this session.
    pub without_updates: bool,
    /// Run after these messages.
    pub after: Vec<i64>,
}

/// Takes the wrappers off.
///
/// # Errors
/// `400 INPUT_REQUEST_INVALID` for what cannot be read, `400 INPUT_REQUEST_TOO_LONG` for what unpacks to
/// too much.
pub fn unwrap(body: &[u8]) -> Result<Unwrapped<'_>, RpcError> {
    let mut call = Unwrapped {
        body: Cow::Borrowed(body),
        ..Unwrapped::default()
    };
    for _ in 0..DEPTH_MAX {
        match peel(&mut call)? {
            Some(inner) => call.body = inner,
            None => return Ok(call),
        }
    }
    Err(RpcError::INPUT_REQUEST_INVALID)
}

/// The call inside the outermost wrapper; nothing when there is no wrapper.
fn peel<'a>(call: &mut Unwrapped<'a>) -> Result<Option<Cow<'a, [u8]>>, RpcError> {
    let body = std::mem::take(&mut call.body);
    let Some(id) = body.get(..4) else {
        return Err(RpcError::INPUT_REQUEST_INVALID);
    };
    let inner = match u32::from_le_bytes([id[0], id[1], id[2], id[3]]) {
        GZIP_PACKED => unpack(&body)?,
        functions::InvokeWithLayer::CONSTRUCTOR_ID => {
            let f: functions::InvokeWithLayer = read(&body)?;
            call.layer = Some(f.layer);
            f.query
        }
        functions::InitConnection::CONSTRUCTOR_ID => init(call, read(&body)?),
        functions::InvokeAfterMsg::CONSTRUCTOR_ID => {
            let f: functions::InvokeAfterMsg = read(&body)?;
            call.after.push(f.msg_id);
            f.query
        }
        functions::InvokeAfterMsgs::CONSTRUCTOR_ID => {
            let f: functions::InvokeAfterMsgs = read(&body)?;
            call.after.extend(f.msg_ids);
            f.query
        }
        functions::InvokeWithoutUpdates::CONSTRUCTOR_ID => {
            call.without_updates = true;
            read::<functions::InvokeWithoutUpdates>(&body)?.query
        }
        functions::InvokeWithReCaptcha::CONSTRUCTOR_ID => {
            read::<functions::InvokeWithReCaptcha>(&body)?.query
        }
        functions::InvokeWithGooglePlayIntegrity::CONSTRUCTOR_ID => {
            read::<functions::InvokeWithGooglePlayIntegrity>(&body)?.query
        }
        functions::InvokeWithApnsSecret::CONSTRUCTOR_ID => {
            read::<functions::InvokeWithApnsSecret>(&body)?.query
        }
        _ => {
            call.body = body;
            return Ok(None);
        }
    };
    Ok(Some(Cow::Owned(inner)))
}

fn read<F: Deserialize>(body: &[u8]) -> Result<F, RpcError> {
    F::from_bytes(body).map_err(|_| RpcError::INPUT_REQUEST_INVALID)
}

/// Longest text that is kept of what a client says of itself, bytes.
const CLIENT_TEXT_MAX: usize = 128;

fn init(call: &mut Unwrapped<'_>, f: functions::InitConnection) -> Vec<u8> {
    let short = |mut text: String| {
        let end = (0..=CLIENT_TEXT_MAX.min(text.len()))
            .rev()
            .find(|i| text.is_char_boundary(*i));
        text.truncate(end.unwrap_or(0));
        text
    };
    call.client = Some(Client {
        layer: 0,
        api_id: f.api_id,
        device_model: short(f.device_model),
        system_version: short(f.system_version),
        app_version: short(f.app_version),
        lang_code: short(f.lang_code),
    });
    f.query
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, RpcError> {
    let mut reader = havre_tl::Reader::new(&body[4..]);
    let packed: Vec<u8> = reader.read().map_err(|_| RpcError::INPUT_REQUEST_INVALID)?;
    let mut unpacked = Vec::new();
    // gzip by the rules, zlib by mtcute.
    let is_gzip = packed.starts_with(&[0x1f, 0x8b]);
    let done = if is_gzip {
        flate2::read::GzDecoder::new(&packed[..])
            .take(UNPACKED_MAX + 1)
            .read_to_end(&mut unpacked)
    } else {
        flate2::read::ZlibDecoder::new(&packed[..])
            .take(UNPACKED_MAX + 1)
            .read_to_end(&mut unpacked)
    };
    done.map_err(|_| RpcError::INPUT_REQUEST_INVALID)?;
    if unpacked.len() as u64 > UNPACKED_MAX {
        return Err(RpcError::INPUT_REQUEST_TOO_LONG);
    }
    Ok(unpacked)
}

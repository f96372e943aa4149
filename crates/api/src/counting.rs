//! What is counted of calls, in one place: methods do not know that they are watched.

use std::time::Duration;

use havre_metrics::{Code, Flood, Metrics, Namespace};
use havre_tl::{Identifiable, functions, types};

use crate::cx::Cx;
use crate::dispatch::Reply;
use crate::error::RpcError;
use crate::rpc;

/// Counts a call that was answered. `method` is nothing when the call could not be read so far.
pub fn answered(metrics: &Metrics, method: Option<u32>, time: Duration, reply: &Reply) {
    let namespace = method.map_or(Namespace::Other, rpc::namespace);
    metrics.calls.of(namespace).took(time);
    let Reply::Error(error) = reply else { return };
    // An error's name is fixed; what was asked, and who asked, stay out of the log.
    tracing::debug!(method, error = %error.text, "a call was refused");
    let code = code(error.code);
    metrics.call_errors.of(code).inc();
    if code == Code::Flood {
        metrics.floods.of(flood(method.unwrap_or_default())).inc();
    } else if method == Some(functions::auth::SignIn::CONSTRUCTOR_ID)
        && *error == RpcError::PHONE_CODE_INVALID
    {
        metrics.codes_wrong.inc();
    } else if *error == RpcError::PASSWORD_HASH_INVALID {
        metrics.passwords_wrong.inc();
    }
}

fn code(code: i32) -> Code {
    match code {
        400 => Code::BadRequest,
        401 => Code::Unauthorized,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        406 => Code::NotAcceptable,
        420 => Code::Flood,
        500 => Code::Internal,
        _ => Code::Other,
    }
}

/// What somebody did too often who is told so by this method.
fn flood(method: u32) -> Flood {
    match method {
        functions::auth::SendCode::CONSTRUCTOR_ID | functions::auth::ResendCode::CONSTRUCTOR_ID => {
            return Flood::Codes;
        }
        functions::messages::SendMessage::CONSTRUCTOR_ID
        | functions::messages::SendMedia::CONSTRUCTOR_ID
        | functions::messages::SendMultiMedia::CONSTRUCTOR_ID
        | functions::messages::ForwardMessages::CONSTRUCTOR_ID
        | functions::messages::EditMessage::CONSTRUCTOR_ID => return Flood::Sends,
        _ => {}
    }
    match rpc::namespace(method) {
        Namespace::Auth | Namespace::Account => Flood::Passwords,
        Namespace::Messages => Flood::Groups,
        Namespace::Contacts => Flood::Lookups,
        Namespace::Upload | Namespace::Photos => Flood::Uploads,
        _ => Flood::Other,
    }
}

/// Counts what a call did, once that is committed. `answer` is in the canonical layer.
pub fn done(metrics: &Metrics, cx: &Cx, method: u32, answer: &[u8]) {
    if cx.messages_sent > 0 {
        metrics.messages_sent.add(cx.messages_sent);
    }
    if rpc::namespace(method) != Namespace::Auth || !is_login(answer) {
        return;
    }
    if method == functions::auth::SignUp::CONSTRUCTOR_ID {
        metrics.sign_ups.inc();
    } else {
        metrics.log_ins.inc();
    }
}

/// Whether an answer says that somebody is logged in now.
fn is_login(answer: &[u8]) -> bool {
    let constructor = answer.first_chunk::<4>().map(|id| u32::from_le_bytes(*id));
    [
        types::auth::Authorization::CONSTRUCTOR_ID,
        types::auth::LoginTokenSuccess::CONSTRUCTOR_ID,
    ]
    .map(Some)
    .contains(&constructor)
}

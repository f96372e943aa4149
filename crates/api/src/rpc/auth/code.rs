//! What the methods around a login code share: finding the number's record, sending a code, saying where
//! it went.

use havre_domain::ids::{MessageId, Origin, Peer, SERVICE_USER, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::limits::CODE_RESEND_AFTER;
use havre_domain::messages::Arrival;
use havre_domain::outbox::Effect;
use havre_domain::phones::{self, Code, Phone};
use havre_domain::sessions;
use havre_domain::tx::Tx;
use havre_tl::{Serialize as _, enums, types};

use crate::codes;
use crate::cx::{After, Cx};
use crate::error::{Error, RpcError};

/// The digits of a number.
///
/// # Errors
/// `400 PHONE_NUMBER_INVALID`.
pub fn digits(number: &str) -> Result<String, Error> {
    phones::digits(number).ok_or_else(|| RpcError::PHONE_NUMBER_INVALID.into())
}

/// The partition of a number, to change.
///
/// # Errors
/// [`Error`].
pub fn subject<'a>(cx: &'a mut Cx, digits: &str) -> Result<&'a mut Tx, Error> {
    Ok(cx.world.subject(partition::phone(digits))?)
}

/// Lets a code go to a provider now, or keeps a place in the queue for it and says when to come back.
///
/// # Errors
/// `420 FLOOD_WAIT_n`, `400 PHONE_NUMBER_INVALID` for numbers that the operator sends no codes to.
pub fn admit(cx: &mut Cx, digits: &str, phone: &mut Phone) -> Result<(), Error> {
    let (now, before) = (cx.world.now, phone.place);
    let admitted = cx.api.admit_code(now, &cx.address, digits, phone);
    if admitted.is_err() && phone.place != before {
        subject(cx, digits)?.put(keys::claim(), phone);
        cx.keep_on_error = true;
    }
    Ok(admitted?)
}

/// Random digits, each as likely as any other.
#[must_use]
pub fn draw(cx: &mut Cx) -> String {
    let mut code = String::new();
    while code.len() < cx.api.settings.code_len {
        let [byte] = cx.world.random_bytes();
        // 250 is the largest multiple of ten in a byte.
        if byte < 250 {
            code.push(char::from(b'0' + byte % 10));
        }
    }
    code
}

/// A name for an attempt to log in.
#[must_use]
pub fn draw_hash(cx: &mut Cx) -> String {
    cx.world
        .random_bytes::<9>()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Whether the owner of a number can read a code in another app that is logged in.
///
/// # Errors
/// [`Error`].
pub async fn reads_elsewhere(cx: &mut Cx, owner: UserId) -> Result<bool, Error> {
    let key = cx.key;
    let logins = sessions::all(cx.world.view_user(owner)).await?;
    Ok(logins.iter().any(|s| s.key != key && s.parent.is_none()))
}

/// Keeps a number's record with a code and sends the code on its way: as a message to who owns the number
/// when `in_app`, else through the provider.
///
/// # Errors
/// [`Error`].
pub fn dispatch(cx: &mut Cx, digits: &str, mut phone: Phone, code: Code) -> Result<(), Error> {
    let date = cx.world.now.date();
    let reader = phone.owner.filter(|_| code.in_app);
    if reader.is_some() {
        phone.messages = MessageId(phone.messages.0.wrapping_add(1));
    } else {
        cx.after.push(After::SendCode {
            phone: digits.to_owned(),
            code: code.digits.clone(),
            class: codes::class(&phone),
        });
    }
    let name = phone.messages;
    let content = message(&code.digits);
    phone.code = Some(code);
    let tx = subject(cx, digits)?;
    tx.put(keys::claim(), &phone);
    if let Some(owner) = reader {
        let arrival = Arrival {
            peer: Peer::User(SERVICE_USER),
            from: SERVICE_USER,
            date,
            origin: Origin {
                source: Peer::User(SERVICE_USER),
                id: name,
            },
            reply: None,
            media_unread: false,
            content,
        };
        tx.send(partition::user(owner), &Effect::Arrive(arrival));
    }
    Ok(())
}

/// The message that brings a code.
fn message(code: &str) -> Vec<u8> {
    let opening = "Login code: ";
    let text = format!(
        "{opening}{code}. Do not give this code to anyone.\n\nIt was asked for to log in to your account on \
         another device. If that was not you, ignore this message."
    );
    let int = |n: usize| i32::try_from(n).unwrap_or(0);
    // All of it is ASCII: bytes are UTF-16 units.
    let digits = types::MessageEntityCode {
        offset: int(opening.len()),
        length: int(code.len()),
    };
    let message = types::Message {
        message: text,
        entities: Some(vec![digits.into()]),
        ..types::Message::default()
    };
    enums::Message::Message(message).to_bytes()
}

/// Where a code went and how another one may be asked for.
#[must_use]
pub fn sent(code: &Code) -> enums::auth::SentCode {
    let length = i32::try_from(code.digits.len()).unwrap_or(0);
    let r#type = if code.in_app {
        types::auth::SentCodeTypeApp { length }.into()
    } else {
        types::auth::SentCodeTypeSms { length }.into()
    };
    types::auth::SentCode {
        r#type,
        phone_code_hash: code.hash.clone(),
        next_type: Some(enums::auth::CodeType::CodeTypeSms),
        timeout: Some(CODE_RESEND_AFTER),
    }
    .into()
}

//! What the methods around a login code share: finding the number's record, sending a code, saying where
//! it went.

use havre_domain::ids::{MessageId, Origin, Peer, SERVICE_USER, UserId};
use havre_domain::invitations;
use havre_domain::keys::{self, partition};
use havre_domain::limits::CODE_RESEND_AFTER;
use havre_domain::messages::Arrival;
use havre_domain::outbox::Effect;
use havre_domain::phones::{self, Code, Phone, Way};
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

/// Random digits for a code.
#[must_use]
pub fn draw(cx: &mut Cx) -> String {
    cx.world.random_digits(cx.api.settings.code_len)
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

/// Keeps a number's record with a code and sends the code on its way.
///
/// # Errors
/// [`Error`].
pub fn dispatch(cx: &mut Cx, digits: &str, mut phone: Phone, code: Code) -> Result<(), Error> {
    let date = cx.world.now.date();
    let reader = phone.owner.filter(|_| code.way == Way::App);
    if reader.is_some() {
        phone.messages = MessageId(phone.messages.0.wrapping_add(1));
    } else if code.way == Way::Provider {
        cx.after.push(After::SendCode {
            phone: digits.to_owned(),
            code: code.digits.clone(),
            class: codes::class(&phone),
        });
    }
    let arrival = reader.map(|owner| (owner, arrival(date, phone.messages, &code.digits)));
    phone.code = Some(code);
    let tx = subject(cx, digits)?;
    tx.put(keys::claim(), &phone);
    if let Some((owner, arrival)) = arrival {
        tx.send(partition::user(owner), &Effect::Arrive(arrival));
    }
    Ok(())
}

/// A code as a message of the service account; `name` tells such messages apart.
fn arrival(date: i32, name: MessageId, code: &str) -> Arrival {
    let source = Peer::User(SERVICE_USER);
    Arrival {
        peer: source,
        from: SERVICE_USER,
        date,
        origin: Origin { source, id: name },
        reply: None,
        media_unread: false,
        content: message(code),
    }
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
pub fn sent(digits: &str, code: &Code) -> enums::auth::SentCode {
    let length = i32::try_from(code.digits.len()).unwrap_or(0);
    let r#type = match code.way {
        Way::App => types::auth::SentCodeTypeApp { length }.into(),
        // Clients know no other name for digits that are typed in.
        Way::Provider | Way::Invitation => types::auth::SentCodeTypeSms { length }.into(),
    };
    let next_type = (!invitations::is_invited(digits)).then_some(enums::auth::CodeType::CodeTypeSms);
    types::auth::SentCode {
        r#type,
        phone_code_hash: code.hash.clone(),
        timeout: next_type.is_some().then_some(CODE_RESEND_AFTER),
        next_type,
    }
    .into()
}

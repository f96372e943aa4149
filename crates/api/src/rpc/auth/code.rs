//! What the methods around a login code share: finding the number's record, sending a code, saying where
//! it went.

use havre_domain::ids::{MessageId, UserId};
use havre_domain::invitations;
use havre_domain::keys::{self, partition};
use havre_domain::limits::{CODE_RESEND_AFTER, EMAIL_RESET_WAIT};
use havre_domain::login_emails::{self, Change, LoginEmail, Verification};
use havre_domain::outbox::Effect;
use havre_domain::phones::{self, Code, Phone, Way};
use havre_domain::sessions;
use havre_domain::tx::Tx;
use havre_tl::{enums, types};

use crate::codes;
use crate::cx::{After, Cx};
use crate::error::{Error, RpcError};
use crate::notices::arrival;

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

/// The e-mail address that codes for an account go to, while the server can send any.
///
/// # Errors
/// [`Error`].
pub async fn login_email(cx: &mut Cx, owner: Option<UserId>) -> Result<Option<LoginEmail>, Error> {
    match owner.filter(|_| cx.api.env.has_mail()) {
        Some(owner) => Ok(login_emails::login_email(cx.world.view_user(owner)).await?),
        None => Ok(None),
    }
}

/// What somebody who is let in makes of their e-mail address: one that they verified in the same attempt is
/// theirs from now on, and one that the code came to stays. The verification is used up.
///
/// # Errors
/// [`Error`].
pub async fn email_change(tx: &mut Tx, attempt: &str, way: Option<Way>) -> Result<Option<Change>, Error> {
    let kept: Option<Verification> = tx.get(&keys::verification()).await?;
    if kept.is_some() {
        tx.delete(keys::verification());
    }
    let verified = kept.filter(|one| one.proved && one.attempt == attempt);
    Ok(match verified {
        Some(verified) => Some(Change::Set(verified.address)),
        None => (way == Some(Way::Email)).then_some(Change::Keep),
    })
}

/// Keeps a number's record with a code and sends the code on its way; `email` is the owner's.
///
/// # Errors
/// [`Error`].
pub fn dispatch(
    cx: &mut Cx,
    digits: &str,
    mut phone: Phone,
    code: Code,
    email: Option<LoginEmail>,
) -> Result<(), Error> {
    let date = cx.world.now.date();
    let reader = phone.owner.filter(|_| code.way == Way::App);
    phone.messages = MessageId(phone.messages.0.wrapping_add(i32::from(reader.is_some())));
    let arrival = reader.map(|owner| (owner, arrival(date, phone.messages, message(&code.digits))));
    match (code.way, email) {
        (Way::App | Way::Invitation | Way::EmailFirst, _) => {}
        (Way::Email, Some(email)) => cx.after.push(After::SendMail {
            to: email.address,
            code: code.digits.clone(),
        }),
        (Way::Provider | Way::Email, _) => cx.after.push(After::SendCode {
            phone: digits.to_owned(),
            code: code.digits.clone(),
            class: codes::class(&phone),
        }),
    }
    phone.code = Some(code);
    let tx = subject(cx, digits)?;
    tx.put(keys::claim(), &phone);
    if let Some((owner, arrival)) = arrival {
        tx.send(partition::user(owner), &Effect::Arrive(arrival));
    }
    Ok(())
}

/// The message that brings a code.
fn message(code: &str) -> types::Message {
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
    types::Message {
        message: text,
        entities: Some(vec![digits.into()]),
        ..types::Message::default()
    }
}

/// Where a code went and how another one may be asked for.
#[must_use]
pub fn sent(digits: &str, code: &Code, email: Option<&LoginEmail>) -> enums::auth::SentCode {
    let length = i32::try_from(code.digits.len()).unwrap_or(0);
    let has_telephone = !invitations::is_invited(digits);
    let r#type = match (code.way, email) {
        (Way::App, _) => types::auth::SentCodeTypeApp { length }.into(),
        (Way::EmailFirst, _) => types::auth::SentCodeTypeSetUpEmailRequired::default().into(),
        (Way::Email, Some(email)) => by_email_code(email, length, has_telephone).into(),
        // Clients know no other name for digits that are typed in.
        _ => types::auth::SentCodeTypeSms { length }.into(),
    };
    // Clients have no name for an e-mail as the next way.
    let is_next = code.way.has_next() && (has_telephone || (email.is_some() && code.way == Way::App));
    types::auth::SentCode {
        r#type,
        phone_code_hash: code.hash.clone(),
        next_type: is_next.then_some(enums::auth::CodeType::CodeTypeSms),
        timeout: is_next.then_some(CODE_RESEND_AFTER),
    }
    .into()
}

fn by_email_code(email: &LoginEmail, length: i32, has_telephone: bool) -> types::auth::SentCodeTypeEmailCode {
    let wait = i32::try_from(EMAIL_RESET_WAIT).unwrap_or(i32::MAX);
    types::auth::SentCodeTypeEmailCode {
        email_pattern: email.address.pattern(),
        length,
        reset_available_period: (has_telephone && email.reset_at.is_none()).then_some(wait),
        reset_pending_date: email.reset_at.map(|at| at.date()),
        ..Default::default()
    }
}

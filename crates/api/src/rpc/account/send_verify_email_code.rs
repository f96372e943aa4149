//! `account.sendVerifyEmailCode`: a code to an e-mail address, to see whether it is read.

use havre_domain::flood::{self, EMAIL_CODES};
use havre_domain::login_emails::{Address, Verification};
use havre_domain::{keys, phones};
use havre_tl::{enums, functions, types};

use super::reset_authorization::may_add_way_in;
use crate::cx::{Access, After, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::auth::code;

/// Before login too: in the course of one.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 EMAIL_INVALID`, `400 EMAIL_NOT_ALLOWED` where nothing can be sent by e-mail, and for other purposes than
/// to log in, `400 PHONE_NUMBER_INVALID`, `400 PHONE_HASH_EXPIRED` when there is no such attempt to log in,
/// `406 FRESH_RESET_AUTHORISATION_FORBIDDEN` when a login younger than a day is not the only one,
/// `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::SendVerifyEmailCode,
) -> Result<enums::account::SentEmailCode, Error> {
    let address = Address::parse(&request.email).ok_or(RpcError::EMAIL_INVALID)?;
    if !cx.api.env.has_mail() {
        return Err(RpcError::EMAIL_NOT_ALLOWED.into());
    }
    match request.purpose {
        enums::EmailVerifyPurpose::EmailVerifyPurposeLoginSetup(attempt) => {
            set_up(cx, attempt, address).await
        }
        enums::EmailVerifyPurpose::EmailVerifyPurposeLoginChange => change(cx, address).await,
        enums::EmailVerifyPurpose::EmailVerifyPurposePassport => Err(RpcError::EMAIL_NOT_ALLOWED.into()),
    }
}

/// For an attempt to log in, whose code is still to be entered.
async fn set_up(
    cx: &mut Cx,
    attempt: types::EmailVerifyPurposeLoginSetup,
    address: Address,
) -> Result<enums::account::SentEmailCode, Error> {
    let digits = code::digits(&attempt.phone_number)?;
    let now = cx.world.now;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    let pending = phone.pending(now, &attempt.phone_code_hash);
    pending.ok_or(RpcError::PHONE_HASH_EXPIRED)?;
    cx.api.spend_toll(now, &cx.address, &digits)?;
    let verification = new(cx, attempt.phone_code_hash, address);
    let tx = code::subject(cx, &digits)?;
    let spent = flood::spend(tx, now, EMAIL_CODES, 1).await?;
    spent.map_err(RpcError::from)?;
    tx.put(keys::verification(), &verification);
    Ok(send(cx, verification))
}

/// For who is logged in.
async fn change(cx: &mut Cx, address: Address) -> Result<enums::account::SentEmailCode, Error> {
    may_add_way_in(cx).await?;
    cx.spend(EMAIL_CODES, 1).await?;
    let verification = new(cx, String::new(), address);
    cx.own()?.put(keys::verification(), &verification);
    Ok(send(cx, verification))
}

fn new(cx: &mut Cx, attempt: String, address: Address) -> Verification {
    Verification {
        attempt,
        address,
        code: code::draw(cx),
        sent: cx.world.now,
        tries: 0,
        proved: false,
    }
}

fn send(cx: &mut Cx, verification: Verification) -> enums::account::SentEmailCode {
    let answer = types::account::SentEmailCode {
        email_pattern: verification.address.pattern(),
        length: i32::try_from(verification.code.len()).unwrap_or(0),
    };
    cx.after.push(After::SendMail {
        to: verification.address,
        code: verification.code,
    });
    answer.into()
}

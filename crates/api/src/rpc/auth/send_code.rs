//! `auth.sendCode`: a code to a number, to its owner's other apps first.

use havre_domain::invitations;
use havre_domain::limits::UNSENT_CODE_LEN;
use havre_domain::phones::{self, Code, Phone, Way};
use havre_tl::{enums, functions};

use super::code;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers. Whether a number has an account shows only in where the code goes.
///
/// # Errors
/// `400 API_ID_INVALID`, `400 PHONE_NUMBER_INVALID`, `420 FLOOD_WAIT_n` with the true n when the number
/// or the address asked for too many codes, or when others are before it; for numbers of invitations
/// `406 SEND_CODE_UNAVAILABLE` when the owner has neither an app nor an e-mail address to read a code in.
pub async fn call(cx: &mut Cx, request: functions::auth::SendCode) -> Result<enums::auth::SentCode, Error> {
    if request.api_id <= 0 {
        return Err(RpcError::API_ID_INVALID.into());
    }
    let digits = code::digits(&request.phone_number)?;
    let now = cx.world.now;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    phone.may_send(now).map_err(RpcError::flood_wait)?;
    let email = code::login_email(cx, phone.owner).await?;
    let code = draw(cx, &digits, &mut phone, email.is_some()).await?;
    phone.meter(now).map_err(RpcError::flood_wait)?;
    let sent = code::sent(&digits, &code, email.as_ref());
    code::dispatch(cx, &digits, phone, code, email)?;
    Ok(sent)
}

/// The code, and the way it goes.
async fn draw(cx: &mut Cx, digits: &str, phone: &mut Phone, by_email: bool) -> Result<Code, Error> {
    let in_app = match phone.owner {
        Some(owner) => code::reads_elsewhere(cx, owner).await?,
        None => false,
    };
    if in_app {
        return Ok(new(cx, Way::App));
    }
    if by_email {
        cx.api.spend_toll(cx.world.now, &cx.address, digits)?;
        return Ok(new(cx, Way::Email));
    }
    if invitations::is_invited(digits) {
        return invited(cx, digits, phone).await;
    }
    if phone.owner.is_none() && cx.api.settings.email_at_sign_up && cx.api.env.has_mail() {
        cx.api.spend_toll(cx.world.now, &cx.address, digits)?;
        return Ok(Code {
            digits: cx.world.random_digits(UNSENT_CODE_LEN),
            ..new(cx, Way::EmailFirst)
        });
    }
    code::admit(cx, digits, phone)?;
    Ok(new(cx, Way::Provider))
}

fn new(cx: &mut Cx, way: Way) -> Code {
    Code {
        hash: code::draw_hash(cx),
        digits: code::draw(cx),
        sent: cx.world.now,
        tries: 0,
        way,
        verified: false,
    }
}

/// The code of the invitation that waits at a number. Whoever asks was given it, so nothing is sent and nobody
/// waits; wrong codes of earlier attempts count.
async fn invited(cx: &mut Cx, digits: &str, phone: &Phone) -> Result<Code, Error> {
    let now = cx.world.now;
    cx.api.spend_toll(now, &cx.address, digits)?;
    if phone.owner.is_some() {
        return Err(RpcError::SEND_CODE_UNAVAILABLE.into());
    }
    let open = invitations::open(code::subject(cx, digits)?, now).await?;
    let invitation = open.ok_or(RpcError::PHONE_NUMBER_INVALID)?;
    Ok(Code {
        digits: invitation.code,
        tries: invitation.tries,
        ..new(cx, Way::Invitation)
    })
}

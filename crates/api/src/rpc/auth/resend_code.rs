//! `auth.resendCode`: the code of a running attempt by the next way: the owner's e-mail address, if
//! there is one, else the provider.

use havre_domain::invitations;
use havre_domain::phones::{self, Way};
use havre_tl::{enums, functions};

use super::code;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers. The attempt keeps its name and its count of wrong codes.
///
/// # Errors
/// `400 PHONE_CODE_EXPIRED` when there is no such attempt, `420 FLOOD_WAIT_n` as for `auth.sendCode`,
/// `406 SEND_CODE_UNAVAILABLE` when there is no other way.
pub async fn call(cx: &mut Cx, request: functions::auth::ResendCode) -> Result<enums::auth::SentCode, Error> {
    let digits = code::digits(&request.phone_number)?;
    let now = cx.world.now;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    let Some(mut pending) = phone.pending(now, &request.phone_code_hash).cloned() else {
        return Err(RpcError::PHONE_CODE_EXPIRED.into());
    };
    let email = code::login_email(cx, phone.owner).await?;
    if !pending.way.has_next() || (email.is_none() && invitations::is_invited(&digits)) {
        return Err(RpcError::SEND_CODE_UNAVAILABLE.into());
    }
    phone.may_send(now).map_err(RpcError::flood_wait)?;
    if email.is_some() {
        cx.api.spend_toll(now, &cx.address, &digits)?;
        pending.way = Way::Email;
    } else {
        code::admit(cx, &digits, &mut phone)?;
        pending.way = Way::Provider;
    }
    phone.meter(now).map_err(RpcError::flood_wait)?;
    pending.digits = code::draw(cx);
    pending.sent = now;
    pending.verified = false;
    let sent = code::sent(&digits, &pending, email.as_ref());
    code::dispatch(cx, &digits, phone, pending, email)?;
    Ok(sent)
}

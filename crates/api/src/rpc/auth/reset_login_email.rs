//! `auth.resetLoginEmail`: somebody who cannot read the mail of their account any more asks for a code to their
//! telephone. Its owner has days to notice: a log-in with the address calls it off.

use havre_domain::ids::UserId;
use havre_domain::invitations;
use havre_domain::keys::{self, partition};
use havre_domain::login_emails::{Change, LoginEmail};
use havre_domain::outbox::Effect;
use havre_domain::phones::{self, Code, Phone, Way};
use havre_tl::{enums, functions};

use super::code;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::notices;

/// Before login.
pub const ACCESS: Access = Access::Open;

const ASKED: &str = "Somebody who cannot read your login e-mail asked for codes to your telephone instead. That will be \
                     possible in seven days. If that was not you, log in with your address or give another one: \
                     either calls it off.";

/// Answers: first with when the address will be given up; from then on the code goes to the telephone.
///
/// # Errors
/// `400 PHONE_CODE_EXPIRED` when there is no such attempt, `400 EMAIL_INSTALL_MISSING` when its code did not go
/// to an e-mail address, `400 TASK_ALREADY_EXISTS` until the wait is over, `406 SEND_CODE_UNAVAILABLE` when
/// there is no telephone, `420 FLOOD_WAIT_n` as for `auth.sendCode`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::ResetLoginEmail,
) -> Result<enums::auth::SentCode, Error> {
    let digits = code::digits(&request.phone_number)?;
    let now = cx.world.now;
    let mut phone = phones::phone(cx.world.view(partition::phone(&digits))).await?;
    let pending = phone.pending(now, &request.phone_code_hash).cloned();
    let pending = pending.ok_or(RpcError::PHONE_CODE_EXPIRED)?;
    let email = code::login_email(cx, phone.owner).await?;
    let (Some(owner), Some(email), Way::Email) = (phone.owner, email, pending.way) else {
        return Err(RpcError::EMAIL_INSTALL_MISSING.into());
    };
    if invitations::is_invited(&digits) {
        return Err(RpcError::SEND_CODE_UNAVAILABLE.into());
    }
    if email.may_reset(now) {
        return reset(cx, &digits, owner, phone, pending).await;
    }
    ask(cx, &digits, owner, &pending, email).await
}

async fn ask(
    cx: &mut Cx,
    digits: &str,
    owner: UserId,
    pending: &Code,
    mut email: LoginEmail,
) -> Result<enums::auth::SentCode, Error> {
    if !email.ask_reset(cx.world.now) {
        return Err(RpcError::TASK_ALREADY_EXISTS.into());
    }
    cx.world.user(owner)?.put(keys::login_email(), &email);
    notices::tell(cx, owner, ASKED.to_owned()).await?;
    Ok(code::sent(digits, pending, Some(&email)))
}

/// The attempt goes on with a code to the telephone.
async fn reset(
    cx: &mut Cx,
    digits: &str,
    owner: UserId,
    mut phone: Phone,
    mut pending: Code,
) -> Result<enums::auth::SentCode, Error> {
    let now = cx.world.now;
    phone.may_send(now).map_err(RpcError::flood_wait)?;
    code::admit(cx, digits, &mut phone)?;
    phone.meter(now).map_err(RpcError::flood_wait)?;
    pending.digits = code::draw(cx);
    pending.sent = now;
    pending.way = Way::Provider;
    let sent = code::sent(digits, &pending, None);
    code::dispatch(cx, digits, phone, pending, None)?;
    let tx = code::subject(cx, digits)?;
    tx.send(partition::user(owner), &Effect::LoginEmail(Change::Reset));
    Ok(sent)
}

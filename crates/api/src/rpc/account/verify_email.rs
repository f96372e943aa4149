//! `account.verifyEmail`: the code that was sent to an e-mail address is entered.

use havre_domain::login_emails::{self, Change, Verification};
use havre_domain::phones::{self, Code, Phone, Refused, Way};
use havre_domain::{keys, tx::Tx};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::notices;
use crate::rpc::auth::code;

/// Before login too: in the course of one.
pub const ACCESS: Access = Access::Open;

/// Answers. The address of who is logged in is theirs at once; that of an attempt to log in is once its code
/// is entered too.
///
/// # Errors
/// `400 CODE_INVALID` (counted), `400 EMAIL_VERIFY_EXPIRED`, `400 EMAIL_NOT_ALLOWED` for other purposes and
/// proofs, `400 PHONE_NUMBER_INVALID`, `400 PHONE_CODE_EXPIRED` when there is no such attempt to log in,
/// `420 FLOOD_WAIT_n` when the code to the telephone that follows has to wait.
pub async fn call(
    cx: &mut Cx,
    request: functions::account::VerifyEmail,
) -> Result<enums::account::EmailVerified, Error> {
    let enums::EmailVerification::EmailVerificationCode(entered) = request.verification else {
        return Err(RpcError::EMAIL_NOT_ALLOWED.into());
    };
    match request.purpose {
        enums::EmailVerifyPurpose::EmailVerifyPurposeLoginSetup(attempt) => {
            set_up(cx, attempt, &entered.code).await
        }
        enums::EmailVerifyPurpose::EmailVerifyPurposeLoginChange => change(cx, &entered.code).await,
        enums::EmailVerifyPurpose::EmailVerifyPurposePassport => Err(RpcError::EMAIL_NOT_ALLOWED.into()),
    }
}

async fn set_up(
    cx: &mut Cx,
    attempt: types::EmailVerifyPurposeLoginSetup,
    code: &str,
) -> Result<enums::account::EmailVerified, Error> {
    let digits = code::digits(&attempt.phone_number)?;
    let now = cx.world.now;
    let hash = &attempt.phone_code_hash;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    let pending = phone.pending(now, hash).cloned();
    let pending = pending.ok_or(RpcError::PHONE_CODE_EXPIRED)?;
    cx.keep_on_error = true;
    let verified = enter(code::subject(cx, &digits)?, now, hash, code).await?;
    let email = verified.address.as_str().to_owned();
    let sent_code = match pending.way {
        Way::EmailFirst => send_next(cx, &digits, phone, pending)?,
        _ => {
            let known = code::login_email(cx, phone.owner).await?;
            code::sent(&digits, &pending, known.as_ref())
        }
    };
    Ok(types::account::EmailVerifiedLogin { email, sent_code }.into())
}

/// The address is verified: the code goes to the telephone.
fn send_next(
    cx: &mut Cx,
    digits: &str,
    mut phone: Phone,
    mut pending: Code,
) -> Result<enums::auth::SentCode, Error> {
    code::admit(cx, digits, &mut phone)?;
    pending.digits = code::draw(cx);
    pending.sent = cx.world.now;
    pending.way = Way::Provider;
    let sent = code::sent(digits, &pending, None);
    code::dispatch(cx, digits, phone, pending, None)?;
    Ok(sent)
}

async fn change(cx: &mut Cx, code: &str) -> Result<enums::account::EmailVerified, Error> {
    let now = cx.world.now;
    cx.keep_on_error = true;
    let tx = cx.own()?;
    let verified = enter(tx, now, "", code).await?;
    let email = verified.address.as_str().to_owned();
    let notice = format!(
        "Login codes go to {} from now on. If that was not you, give an address of your own and end the login \
         that it was done with.",
        verified.address.pattern()
    );
    tx.delete(keys::verification());
    login_emails::change(tx, now, Change::Set(verified.address)).await?;
    let me = cx.me()?;
    notices::tell(cx, me, notice).await?;
    Ok(types::account::EmailVerified { email }.into())
}

/// Enters a code, and keeps what came of it.
async fn enter(
    tx: &mut Tx,
    now: havre_domain::ids::Time,
    attempt: &str,
    code: &str,
) -> Result<Verification, Error> {
    let kept: Option<Verification> = tx.get(&keys::verification()).await?;
    let kept = kept.filter(|one| one.attempt == attempt);
    let mut verification = kept.ok_or(RpcError::EMAIL_VERIFY_EXPIRED)?;
    let entered = verification.enter(now, code);
    tx.put(keys::verification(), &verification);
    match entered {
        Ok(()) => Ok(verification),
        Err(Refused::Wrong) => Err(RpcError::CODE_INVALID.into()),
        Err(Refused::Expired) => Err(RpcError::EMAIL_VERIFY_EXPIRED.into()),
    }
}

//! `auth.signIn`: the code is entered. Who has an account is logged in or asked for the password; who has
//! none may sign up.

use havre_domain::auth_keys::Awaits;
use havre_domain::ids::UserId;
use havre_domain::invitations;
use havre_domain::keys::{self, partition};
use havre_domain::outbox::Effect;
use havre_domain::phones::{self, Phone, Refused};
use havre_tl::{enums, functions, types};

use super::{code, login};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 PHONE_CODE_EMPTY`, `400 EMAIL_NOT_ALLOWED` for a token of another company in place of a code,
/// `400 PHONE_CODE_INVALID` (counted), `400 PHONE_CODE_EXPIRED`,
/// `401 SESSION_PASSWORD_NEEDED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::SignIn,
) -> Result<enums::auth::Authorization, Error> {
    let digits = code::digits(&request.phone_number)?;
    let by_email = request.email_verification.map(email_code).transpose()?;
    let entered = request.phone_code.or(by_email).filter(|code| !code.is_empty());
    let entered = entered.ok_or(RpcError::PHONE_CODE_EMPTY)?;
    let now = cx.world.now;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    // The question came again because the answer was lost: the login is made.
    if let Some(user) = phone.owner.filter(|owner| cx.user == Some(*owner)) {
        return login::answer(cx, user).await;
    }
    let entered = phone.enter(now, &request.phone_code_hash, &entered);
    if let (Ok(()), Some(owner)) = (entered, phone.owner) {
        return open(cx, &digits, &request.phone_code_hash, phone, owner).await;
    }
    let tx = code::subject(cx, &digits)?;
    tx.put(keys::claim(), &phone);
    if entered == Err(Refused::Wrong) {
        invitations::note_wrong(tx).await?;
    }
    match entered {
        Ok(()) => Ok(types::auth::AuthorizationSignUpRequired::default().into()),
        Err(refused) => {
            cx.keep_on_error = true;
            Err(match refused {
                Refused::Wrong => RpcError::PHONE_CODE_INVALID.into(),
                Refused::Expired => RpcError::PHONE_CODE_EXPIRED.into(),
            })
        }
    }
}

/// The code that came by e-mail.
fn email_code(verification: enums::EmailVerification) -> Result<String, Error> {
    match verification {
        enums::EmailVerification::EmailVerificationCode(entered) => Ok(entered.code),
        _ => Err(RpcError::EMAIL_NOT_ALLOWED.into()),
    }
}

/// Uses up the code and logs the owner in, or asks for the password.
async fn open(
    cx: &mut Cx,
    digits: &str,
    attempt: &str,
    mut phone: Phone,
    owner: UserId,
) -> Result<enums::auth::Authorization, Error> {
    let (key, before, now) = (cx.key, cx.user, cx.world.now);
    let asks_password = login::has_password(cx, owner).await?;
    let session = login::session(cx);
    let tx = code::subject(cx, digits)?;
    let way = phone.code.take().map(|code| code.way);
    let email = code::email_change(tx, attempt, way).await?;
    tx.put(keys::claim(), &phone);
    if asks_password {
        let awaits = Awaits {
            user: owner,
            since: now,
            by_token: false,
        };
        login::await_password(tx, key, awaits);
        cx.settle().await?;
        return Err(RpcError::SESSION_PASSWORD_NEEDED.into());
    }
    tx.send(partition::user(owner), &Effect::LoggedIn(session));
    if let Some(change) = email {
        tx.send(partition::user(owner), &Effect::LoginEmail(change));
    }
    login::authorize(tx, key, before, owner);
    login::finish(cx, owner).await
}

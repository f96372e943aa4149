//! `auth.signUp`: a new account, after the number's code was entered right.

use havre_domain::ids::UserId;
use havre_domain::invitations;
use havre_domain::keys::{self, partition};
use havre_domain::outbox::Effect;
use havre_domain::phones;
use havre_domain::users::{self, Profile};
use havre_tl::{enums, functions};

use super::{code, login};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::rpc::account::update_profile::name;

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 FIRSTNAME_INVALID`, `400 LASTNAME_INVALID`, `400 PHONE_NUMBER_OCCUPIED`, `400 PHONE_CODE_EXPIRED`,
/// `400 PHONE_CODE_INVALID` when the code was not entered yet.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::SignUp,
) -> Result<enums::auth::Authorization, Error> {
    let digits = code::digits(&request.phone_number)?;
    let first_name = name(&request.first_name).filter(|n| !n.is_empty());
    let first_name = first_name.ok_or(RpcError::FIRSTNAME_INVALID)?;
    let last_name = name(&request.last_name).ok_or(RpcError::LASTNAME_INVALID)?;
    let (now, key, before) = (cx.world.now, cx.key, cx.user);
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    match phone.owner {
        // The question came again because the answer was lost: the login is made.
        Some(owner) if before == Some(owner) => return login::answer(cx, owner).await,
        Some(_) => return Err(RpcError::PHONE_NUMBER_OCCUPIED.into()),
        None => {}
    }
    let code = phone.pending(now, &request.phone_code_hash);
    if !code.ok_or(RpcError::PHONE_CODE_EXPIRED)?.verified {
        return Err(RpcError::PHONE_CODE_INVALID.into());
    }
    let user = free_id(cx).await?;
    let session = login::session(cx);
    let profile = Profile {
        phone: digits.clone(),
        first_name,
        last_name,
        created: now,
        ..Profile::default()
    };
    phone.owner = Some(user);
    phone.code = None;
    let tx = code::subject(cx, &digits)?;
    let email = code::email_change(tx, &request.phone_code_hash, None).await?;
    tx.put(keys::claim(), &phone);
    if invitations::is_invited(&digits) {
        tx.delete(keys::invitation());
    }
    tx.send(partition::user(user), &Effect::SignedUp { profile, session });
    if let Some(change) = email {
        tx.send(partition::user(user), &Effect::LoginEmail(change));
    }
    login::authorize(tx, key, before, user);
    login::finish(cx, user).await
}

/// An id that nobody has. Two sign-ups would have to draw the same one in the same moment to share it.
async fn free_id(cx: &mut Cx) -> Result<UserId, Error> {
    loop {
        let user = UserId(cx.world.random_id());
        let taken = users::profile(cx.world.view_user(user)).await?.is_some();
        if !taken && user != havre_domain::ids::SERVICE_USER {
            return Ok(user);
        }
    }
}

//! `auth.cancelCode`: an attempt to log in ends.

use havre_domain::{keys, phones};
use havre_tl::functions;

use super::code;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 PHONE_CODE_EXPIRED` when there is no such attempt.
pub async fn call(cx: &mut Cx, request: functions::auth::CancelCode) -> Result<bool, Error> {
    let digits = code::digits(&request.phone_number)?;
    let now = cx.world.now;
    let tx = code::subject(cx, &digits)?;
    let mut phone = phones::phone(tx).await?;
    if phone.pending(now, &request.phone_code_hash).is_none() {
        return Err(RpcError::PHONE_CODE_EXPIRED.into());
    }
    phone.code = None;
    tx.put(keys::claim(), &phone);
    Ok(true)
}

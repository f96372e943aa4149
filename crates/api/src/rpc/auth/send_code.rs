//! `auth.sendCode`: a code to a number, to its owner's other apps first.

use havre_domain::phones::{self, Code};
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
/// or the address asked for too many codes, or when others are before it.
pub async fn call(cx: &mut Cx, request: functions::auth::SendCode) -> Result<enums::auth::SentCode, Error> {
    if request.api_id <= 0 {
        return Err(RpcError::API_ID_INVALID.into());
    }
    let digits = code::digits(&request.phone_number)?;
    let now = cx.world.now;
    let mut phone = phones::phone(code::subject(cx, &digits)?).await?;
    phone.may_send(now).map_err(RpcError::flood_wait)?;
    let in_app = match phone.owner {
        Some(owner) => code::reads_elsewhere(cx, owner).await?,
        None => false,
    };
    if !in_app {
        code::admit(cx, &digits, &mut phone)?;
    }
    phone.meter(now).map_err(RpcError::flood_wait)?;
    let code = Code {
        hash: code::draw_hash(cx),
        digits: code::draw(cx),
        sent: now,
        tries: 0,
        in_app,
        verified: false,
    };
    let sent = code::sent(&code);
    code::dispatch(cx, &digits, phone, code)?;
    Ok(sent)
}

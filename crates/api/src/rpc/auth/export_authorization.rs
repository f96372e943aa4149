//! `auth.exportAuthorization`: bytes with which another key of the same app takes the login over, once.

use havre_domain::sessions;
use havre_tl::{enums, functions, types};

use crate::DC_IDS;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Every data centre is this one, so all of them are exported to.
///
/// # Errors
/// `400 DC_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::ExportAuthorization,
) -> Result<enums::auth::ExportedAuthorization, Error> {
    if !DC_IDS.contains(&request.dc_id) {
        return Err(RpcError::DC_ID_INVALID.into());
    }
    let (me, now, key) = (cx.me()?, cx.world.now, cx.key);
    let bytes: [u8; 32] = cx.world.random_bytes();
    sessions::grant(cx.own()?, now, key, bytes).await?;
    Ok(types::auth::ExportedAuthorization {
        id: me.0,
        bytes: bytes.to_vec(),
    }
    .into())
}

//! `auth.importBotAuthorization`: a bot logs in with its token.

use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Refuses: no token was ever given out, as there are no bots.
///
/// # Errors
/// `400 ACCESS_TOKEN_INVALID`.
pub async fn call(
    _: &mut Cx,
    _: functions::auth::ImportBotAuthorization,
) -> Result<enums::auth::Authorization, Error> {
    Err(RpcError::ACCESS_TOKEN_INVALID.into())
}

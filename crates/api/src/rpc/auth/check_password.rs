//! `auth.checkPassword`: the password is proved, and the login made that waited for it.

use havre_domain::sessions;
use havre_domain::updates::{self, Event};
use havre_tl::{enums, functions};

use super::login;
use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::rpc::account::{get_password, password};

/// Before login.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// `400 PASSWORD_HASH_INVALID` (counted), `400 SRP_ID_INVALID`, `400 SRP_A_INVALID`,
/// `400 SRP_PASSWORD_CHANGED`, `401 AUTH_KEY_UNREGISTERED` when no password is asked for,
/// `420 FLOOD_WAIT_n`.
pub async fn call(
    cx: &mut Cx,
    request: functions::auth::CheckPassword,
) -> Result<enums::auth::Authorization, Error> {
    let user = get_password::whose(cx).await?;
    password::check(cx, user, &request.password).await?;
    let (now, key) = (cx.world.now, cx.key);
    if cx.user.is_none() {
        let session = login::session(cx);
        let tx = cx.world.user(user)?;
        sessions::admit(tx, now, user, &session).await?;
        updates::append(tx, now, Event::NewLogin(key)).await?;
        login::authorize(tx, key, None, user);
    }
    login::finish(cx, user).await
}

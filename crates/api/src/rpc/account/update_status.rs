//! `account.updateStatus`: the caller came online, or went.

use havre_domain::limits::ONLINE_TTL;
use havre_domain::{acquaintances, keys, privacy, users};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, After, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Seconds by which an online status that is said again must be longer to be kept anew.
const GRAIN: i64 = 30;

/// Answers. Those who know the caller, are connected, and may see when they were last seen are told.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, request: functions::account::UpdateStatus) -> Result<bool, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let tx = cx.own()?;
    let mut profile = users::own_profile(tx, me).await?;
    let was_online = profile.online_until > now;
    let until = if request.offline {
        now
    } else {
        now.plus(ONLINE_TTL)
    };
    let unchanged = match (was_online, request.offline) {
        (false, offline) => offline,
        (true, offline) => !offline && until.0 - profile.online_until.0 < GRAIN,
    };
    if unchanged {
        return Ok(true);
    }
    profile.online_until = until;
    tx.put(keys::profile(), &profile);
    for other in acquaintances::acquaintances(tx, me).await? {
        let connected = cx.api.live.is_connected(other);
        if connected && privacy::allows(&mut cx.world, me, privacy::STATUS, other).await? {
            let update = types::UpdateUserStatus {
                user_id: me.0,
                status: render::status(until, now, true),
            };
            let updates = types::Updates {
                updates: vec![update.into()],
                users: vec![render::user(&mut cx.world, other, me).await?],
                date: now.date(),
                ..Default::default()
            };
            cx.after.push(After::Tell {
                user: other,
                updates: Box::new(enums::Updates::Updates(updates)),
            });
        }
    }
    Ok(true)
}

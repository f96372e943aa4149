//! `updates.getState`: where the asker's sequences are now.

use havre_domain::dialogs::{self, Unread};
use havre_domain::updates;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// [`Error`].
pub async fn call(cx: &mut Cx, _: functions::updates::GetState) -> Result<enums::updates::State, Error> {
    let counters = updates::counters(cx.view_own()?).await?;
    Ok(state(cx, counters).await?.into())
}

/// A state with these counters at this instant. `seq` stays 0, so that nobody ever finds a gap in it
/// (UP-26). `unread_count` is the number of unread messages of all conversations together
/// (core.telegram.org/constructor/updates.state).
///
/// # Errors
/// [`Error`].
pub(crate) async fn state(cx: &mut Cx, counters: updates::Counters) -> Result<types::updates::State, Error> {
    let Unread(unread_count) = dialogs::unread(cx.view_own()?).await?;
    Ok(types::updates::State {
        pts: counters.pts.0,
        qts: counters.qts,
        date: cx.world.now.date(),
        seq: 0,
        unread_count,
    })
}

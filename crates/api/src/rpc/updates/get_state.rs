//! `updates.getState`: where the asker's sequences are now.

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
    Ok(state(cx, counters).into())
}

/// A state with these counters at this instant. `seq` stays 0, so that nobody ever finds a gap in it
/// (UP-26).
pub(crate) fn state(cx: &Cx, counters: updates::Counters) -> types::updates::State {
    types::updates::State {
        pts: counters.pts.0,
        qts: counters.qts,
        date: cx.world.now.date(),
        seq: 0,
        unread_count: 0,
    }
}

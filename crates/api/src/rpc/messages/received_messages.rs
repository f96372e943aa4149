//! `messages.receivedMessages`: a client says what it notified about; notifications are not kept, so none is
//! named in the answer.

use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(
    _: &mut Cx,
    _: functions::messages::ReceivedMessages,
) -> Result<Vec<enums::ReceivedNotifyMessage>, Error> {
    Ok(Vec::new())
}

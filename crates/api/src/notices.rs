//! What the service account writes to people.

use havre_domain::ids::{MessageId, Origin, Peer, SERVICE_USER, UserId};
use havre_domain::messages::{self, Arrival};
use havre_tl::{Serialize as _, enums, types};

use crate::cx::Cx;
use crate::error::Error;

/// Names of messages that are drawn or counted for one person begin here; those that bring login codes are
/// counted from 1 for each telephone number.
const NAMES: u32 = 1 << 30;

/// The `n`th name of messages to one person.
#[must_use]
pub fn name(n: u32) -> MessageId {
    MessageId((NAMES | (n % NAMES)).cast_signed())
}

/// A message of the service account; `name` tells its messages to one person apart.
#[must_use]
pub fn arrival(date: i32, name: MessageId, message: types::Message) -> Arrival {
    let source = Peer::User(SERVICE_USER);
    Arrival {
        peer: source,
        from: SERVICE_USER,
        date,
        origin: Origin { source, id: name },
        reply: None,
        media_unread: false,
        content: enums::Message::Message(message).to_bytes(),
    }
}

/// Tells somebody in the same commit what happened to their account.
///
/// # Errors
/// [`Error`].
pub async fn tell(cx: &mut Cx, owner: UserId, message: String) -> Result<(), Error> {
    let now = cx.world.now;
    let name = name(u32::from_le_bytes(cx.world.random_bytes()));
    let message = types::Message {
        message,
        ..types::Message::default()
    };
    let arrival = arrival(now.date(), name, message);
    messages::receive(cx.world.user(owner)?, now, owner, arrival).await?;
    Ok(())
}

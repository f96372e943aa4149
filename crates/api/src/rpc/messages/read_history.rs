//! `messages.readHistory`: incoming messages are read; their authors are told.

use havre_domain::ids::MessageId;
use havre_domain::ids::Peer;
use havre_domain::keys::partition;
use havre_domain::messages;
use havre_domain::outbox::Effect;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::ReadHistory,
) -> Result<enums::messages::AffectedMessages, Error> {
    let peer = cx.own_peer(&request.peer).await?;
    let (me, now) = (cx.me()?, cx.world.now);
    let tx = cx.own()?;
    let read = messages::read(tx, now, peer, MessageId(request.max_id)).await?;
    for origin in &read.told {
        if let Peer::User(author) = origin.source {
            // To the author of a private message the conversation is with the reader.
            let peer = match peer {
                Peer::User(_) => Peer::User(me),
                Peer::Chat(_) | Peer::Channel(_) => peer,
            };
            tx.send(
                partition::user(author),
                &Effect::WasRead {
                    peer,
                    origin: *origin,
                },
            );
        }
    }
    let pts_count = i32::from(read.advanced);
    Ok(types::messages::AffectedMessages {
        pts: read.pts.0,
        pts_count,
    }
    .into())
}

//! What people may ask of the service account by writing to it.

use havre_domain::ids::{Peer, RandomId, SERVICE_USER};
use havre_domain::invitations::{self, Ticket};
use havre_domain::keys::partition;
use havre_domain::limits::INVITATION_DAYS;
use havre_domain::outbox::Effect;
use havre_domain::random_ids;
use havre_tl::{enums, types};

use super::sending::{self, Audience, Outgoing};
use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::notices;

/// What asks for an invitation.
pub const INVITE: &str = "/invite";

/// Keeps what the asker wrote, and answers it with an invitation while they have any left. The same question
/// sent twice is answered once.
///
/// # Errors
/// `400 PEER_ID_INVALID` for other words, and where members may not invite; and as for
/// `messages.sendMessage`.
pub async fn ask(cx: &mut Cx, random_id: RandomId, text: &str) -> Result<enums::Updates, Error> {
    let (me, now, peer) = (cx.me()?, cx.world.now, Peer::User(SERVICE_USER));
    let most = cx.api.settings.invitations_per_member;
    if text.trim() != INVITE || most == 0 {
        return Err(RpcError::PEER_ID_INVALID.into());
    }
    let known = random_ids::sent_before(cx.own()?, peer, random_id)
        .await?
        .is_some();
    let audience = Audience {
        peer,
        others: Vec::new(),
    };
    let question = Outgoing {
        random_id,
        reply: None,
        content: said(INVITE.to_owned()),
        media_unread: false,
    };
    let told = sending::send(cx, &audience, vec![question]).await?;
    if known {
        return Ok(told);
    }
    let given = invitations::give(&mut cx.world, me, most).await?;
    let count = given.as_ref().map_or(0, |(_, count)| *count);
    let answer = said(answer(given.map(|(ticket, _)| ticket)));
    let arrival = notices::arrival(now.date(), notices::name(count), answer);
    // Comes after the answer, which tells of the question only.
    cx.own()?.send(partition::user(me), &Effect::Arrive(arrival));
    Ok(told)
}

fn answer(ticket: Option<Ticket>) -> String {
    match ticket {
        Some(Ticket { number, code }) => format!(
            "Invitation for one person: sign up with the number +{number} and the code {code} within \
             {INVITATION_DAYS} days. No message will come to that number."
        ),
        None => "You have no invitations left.".to_owned(),
    }
}

fn said(message: String) -> types::Message {
    types::Message {
        message,
        ..types::Message::default()
    }
}

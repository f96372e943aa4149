//! `updates.getChannelDifference`: what happened in a channel since a client's state (UP-6 to UP-12).

use std::collections::BTreeSet;

use havre_domain::channel_messages::seen_by;
use havre_domain::ids::{ChannelId, MessageId, Peer, Pts};
use havre_domain::keys::partition;
use havre_domain::limits::DIFFERENCE_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::updates::{self, Event, Placed};
use havre_store::Order;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Seconds after which who has a channel open that they are not in asks again.
const POLL_SECONDS: i32 = 5;
/// Newest messages that are shown to who is too far behind.
const NEWEST_MESSAGES: usize = 20;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 PERSISTENT_TIMESTAMP_INVALID` for a state that never was.
pub async fn call(
    cx: &mut Cx,
    request: functions::updates::GetChannelDifference,
) -> Result<enums::updates::ChannelDifference, Error> {
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(id).await?;
    let timeout = (!standing.is_present()).then_some(POLL_SECONDS);
    let tx = cx.world.view(partition::channel(id));
    let counters = updates::counters(tx).await?;
    if request.pts < 0 || request.pts > counters.pts.0 {
        return Err(RpcError::PERSISTENT_TIMESTAMP_INVALID.into());
    }
    let limit = usize::try_from(request.limit)
        .unwrap_or(0)
        .clamp(1, DIFFERENCE_MAX);
    if request.pts < counters.log_start.0 {
        return too_long(cx, id, timeout).await;
    }
    if request.pts == counters.pts.0 {
        return Ok(types::updates::ChannelDifferenceEmpty {
            r#final: true,
            pts: counters.pts.0,
            timeout,
        }
        .into());
    }
    let entries = updates::entries_for(limit);
    let (mut events, unread) = updates::after(tx, Pts(request.pts), i32::MAX, entries).await?;
    let more = events.len() > limit || unread;
    events.truncate(limit);
    let pts = events.last().map_or(counters.pts, |last| last.pts);
    let pts = if more { pts } else { counters.pts };
    let told = Told {
        is_final: !more,
        pts,
        timeout,
    };
    answer(cx, id, events, told).await
}

/// How far an answer goes.
struct Told {
    is_final: bool,
    pts: Pts,
    timeout: Option<i32>,
}

async fn answer(
    cx: &mut Cx,
    id: ChannelId,
    events: Vec<Placed>,
    told: Told,
) -> Result<enums::updates::ChannelDifference, Error> {
    let (me, peer) = (cx.me()?, Peer::Channel(id));
    let mut named = Named::default();
    named.channels.insert(id);
    let new = new_messages(cx, id, &events).await?;
    let created: BTreeSet<MessageId> = new.iter().map(|(id, _)| *id).collect();
    let is_told = |placed: &Placed| match &placed.event {
        Event::Message(id) | Event::Edited(id) => created.contains(id),
        _ => false,
    };
    let rest: Vec<Placed> = events.into_iter().filter(|placed| !is_told(placed)).collect();
    let other_updates = render::channel_updates_of(&mut cx.world, me, id, &rest, &mut named).await?;
    let new_messages = new
        .into_iter()
        .map(|(id, m)| render::message(&cx.world, peer, id, &seen_by(m, me), &mut named))
        .collect();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::updates::ChannelDifference {
        r#final: told.is_final,
        pts: told.pts.0,
        timeout: told.timeout,
        new_messages,
        other_updates,
        chats,
        users,
    }
    .into())
}

/// Messages that came in these events and are still there, once each, newest version, in order of id.
async fn new_messages(
    cx: &mut Cx,
    id: ChannelId,
    events: &[Placed],
) -> Result<Vec<(MessageId, Message)>, Error> {
    let tx = cx.world.view(partition::channel(id));
    let mut found = Vec::new();
    for placed in events {
        if let Event::Message(message) = placed.event
            && let Some(stored) = messages::find_in(tx, Peer::Channel(id), message).await?
        {
            found.push((message, stored));
        }
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(found)
}

/// For who is too far behind: the conversation as it is, and its newest messages (UP-11).
async fn too_long(
    cx: &mut Cx,
    id: ChannelId,
    timeout: Option<i32>,
) -> Result<enums::updates::ChannelDifference, Error> {
    let (me, peer) = (cx.me()?, Peer::Channel(id));
    let kept = cx.dialog(peer).await?;
    let tx = cx.world.view(partition::channel(id));
    let pts = updates::counters(tx).await?.pts.0;
    let (first, last) = (MessageId(0), MessageId(i32::MAX));
    let newest = messages::page(tx, peer, first, last, Order::Descending, NEWEST_MESSAGES).await?;
    let mut named = Named::default();
    named.channels.insert(id);
    let messages = newest
        .into_iter()
        .map(|(id, m)| render::message(&cx.world, peer, id, &seen_by(m, me), &mut named))
        .collect();
    let dialog = types::Dialog {
        pts: Some(pts),
        ..render::dialog(peer, &kept)
    };
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::updates::ChannelDifferenceTooLong {
        r#final: true,
        timeout,
        dialog: dialog.into(),
        messages,
        chats,
        users,
    }
    .into())
}

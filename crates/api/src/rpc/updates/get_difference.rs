//! `updates.getDifference`: what happened since a client's state (UP-6 to UP-11).

use std::collections::BTreeSet;

use havre_domain::channel_members;
use havre_domain::ids::{ChannelId, MessageId, Peer, Pts};
use havre_domain::keys::partition;
use havre_domain::limits::DIFFERENCE_MAX;
use havre_domain::messages::{self, Message};
use havre_domain::updates::{self, Counters, Event, Placed};
use havre_tl::{enums, functions, types};

use super::get_state::state;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};
use crate::rooms;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PERSISTENT_TIMESTAMP_INVALID` for a state that never was.
pub async fn call(
    cx: &mut Cx,
    request: functions::updates::GetDifference,
) -> Result<enums::updates::Difference, Error> {
    let counters = updates::counters(cx.view_own()?).await?;
    if request.pts < 0 || request.pts > counters.pts.0 {
        return Err(RpcError::PERSISTENT_TIMESTAMP_INVALID.into());
    }
    let forgotten = request.pts < counters.log_start.0;
    let too_many = request
        .pts_total_limit
        .is_some_and(|limit| counters.pts.0 - request.pts > limit.max(0));
    if forgotten || too_many {
        return Ok(types::updates::DifferenceTooLong { pts: counters.pts.0 }.into());
    }
    let limit = request.pts_limit.map_or(DIFFERENCE_MAX, |n| {
        usize::try_from(n).unwrap_or(1).clamp(1, DIFFERENCE_MAX)
    });
    let entries = updates::entries_for(limit);
    let (mut events, unread) =
        updates::after(cx.view_own()?, Pts(request.pts), request.date, entries).await?;
    let more = cut(&mut events, limit) || unread;
    let moved = match more {
        true => Vec::new(),
        false => moved_channels(cx, request.date).await?,
    };
    if events.is_empty() && moved.is_empty() {
        return Ok(types::updates::DifferenceEmpty {
            date: cx.world.now.date(),
            seq: 0,
        }
        .into());
    }
    let reached = reached(cx, &events, counters, more.then_some(request.date))
        .await?
        .into();
    answer(cx, events, moved, reached, more).await
}

/// How far channels have come that somebody who knows what was before `date` may not know of (UP-13).
async fn moved_channels(cx: &mut Cx, date: i32) -> Result<Vec<(ChannelId, Pts)>, Error> {
    let mut moved = Vec::new();
    for channel in channel_members::joined(cx.view_own()?).await? {
        let tx = cx.world.view(partition::channel(channel));
        if let Some(newest) = updates::newest(tx).await?
            && newest.date >= date.saturating_sub(COMMIT_SECONDS)
        {
            moved.push((channel, newest.pts));
        }
    }
    Ok(moved)
}

/// Seconds that may pass between the instant that a deed is dated with and its commit.
const COMMIT_SECONDS: i32 = 60;

/// Keeps at most `limit` events with pts, and the events without that lie between and after them. True
/// when some were left out.
fn cut(events: &mut Vec<Placed>, limit: usize) -> bool {
    let with_pts = events.iter().enumerate().filter(|(_, e)| e.event.pts_count() > 0);
    match with_pts.map(|(at, _)| at).nth(limit) {
        Some(at) => {
            events.truncate(at);
            true
        }
        None => false,
    }
}

async fn answer(
    cx: &mut Cx,
    events: Vec<Placed>,
    moved: Vec<(ChannelId, Pts)>,
    state: enums::updates::State,
    more: bool,
) -> Result<enums::updates::Difference, Error> {
    let me = cx.me()?;
    let mut named = Named::default();
    let new_messages = new_messages(cx, &events).await?;
    let created: BTreeSet<i32> = new_messages.iter().map(|(_, id, _)| id.0).collect();
    let rest: Vec<Placed> = events.iter().filter(|e| !is_told(e, &created)).cloned().collect();
    let mut other_updates = render::updates_of(&mut cx.world, me, &rest, &mut named).await?;
    for (channel, pts) in moved {
        named.channels.insert(channel);
        other_updates.push(rooms::too_long(channel, pts.0));
    }
    let messages = new_messages
        .iter()
        .map(|(peer, id, m)| render::message(&cx.world, *peer, *id, m, &mut named))
        .collect();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(if more {
        types::updates::DifferenceSlice {
            new_messages: messages,
            other_updates,
            chats,
            users,
            intermediate_state: state,
            ..Default::default()
        }
        .into()
    } else {
        types::updates::Difference {
            new_messages: messages,
            other_updates,
            chats,
            users,
            state,
            ..Default::default()
        }
        .into()
    })
}

/// The state after these events. In the middle its date is theirs, so that going on from there finds what
/// happened since without pts; but never earlier than the one that was `asked` from (UP-27).
async fn reached(
    cx: &mut Cx,
    events: &[Placed],
    counters: Counters,
    asked: Option<i32>,
) -> Result<types::updates::State, Error> {
    let (Some(last), Some(asked)) = (events.last(), asked) else {
        return state(cx, counters).await;
    };
    let date = last.date.max(asked.min(cx.world.now.date()));
    let pts = last.pts;
    let state = state(cx, Counters { pts, ..counters }).await?;
    Ok(types::updates::State { date, ..state })
}

/// Messages that came in these events and are still there, once each, newest version, in order of id.
async fn new_messages(cx: &mut Cx, events: &[Placed]) -> Result<Vec<(Peer, MessageId, Message)>, Error> {
    let tx = cx.view_own()?;
    let mut found = Vec::new();
    for placed in events {
        if let Event::Message(id) = placed.event
            && let Some((peer, message)) = messages::find(tx, id).await?
        {
            found.push((peer, id, message));
        }
    }
    found.sort_by_key(|(_, id, _)| *id);
    Ok(found)
}

/// Whether an event is contained in the new messages: their creation and edits fold into them (UP-9).
fn is_told(placed: &Placed, created: &BTreeSet<i32>) -> bool {
    match &placed.event {
        Event::Message(id) | Event::Edited(id) => created.contains(&id.0),
        _ => false,
    }
}

//! Events of a channel as updates.

use havre_domain::ids::{ChannelId, MessageId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;
use havre_domain::updates::{Event, Placed};
use havre_domain::world::World;
use havre_domain::{channel_messages, channels, messages};
use havre_tl::{enums, types};

use super::{Named, peer as wire_peer};

/// Events of a channel as one `updates` object with everybody that they name, and always the channel.
///
/// # Errors
/// [`Fault`].
pub async fn channel_updates(
    world: &mut World,
    viewer: UserId,
    id: ChannelId,
    events: &[Placed],
) -> Result<types::Updates, Fault> {
    let mut named = Named::default();
    named.channels.insert(id);
    let updates = channel_updates_of(world, viewer, id, events, &mut named).await?;
    let (users, chats) = named.load(world, viewer).await?;
    Ok(types::Updates {
        updates,
        users,
        chats,
        date: world.now.date(),
        seq: 0,
    })
}

/// What was said in a channel as everybody but its authors sees it.
///
/// # Errors
/// [`Fault`].
pub async fn channel_updates_for_all(
    world: &mut World,
    id: ChannelId,
    events: &[Placed],
) -> Result<types::Updates, Fault> {
    let mut named = Named::default();
    named.channels.insert(id);
    // Nobody has this id, so nothing is theirs.
    let updates = channel_updates_of(world, UserId(0), id, events, &mut named).await?;
    let (users, chats) = named.load_for_all(world).await?;
    Ok(types::Updates {
        updates,
        users,
        chats,
        date: world.now.date(),
        seq: 0,
    })
}

/// Events of a channel as updates. Each that moves pts gives one (UP-1): of a message that is gone since, a
/// deletion with the event's own pts.
///
/// # Errors
/// [`Fault`].
pub async fn channel_updates_of(
    world: &mut World,
    viewer: UserId,
    id: ChannelId,
    events: &[Placed],
    named: &mut Named,
) -> Result<Vec<enums::Update>, Fault> {
    let mut updates = Vec::with_capacity(events.len());
    for placed in events {
        updates.push(update(world, viewer, id, placed, named).await?);
    }
    Ok(updates)
}

fn ints(ids: &[MessageId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}

async fn update(
    world: &mut World,
    viewer: UserId,
    id: ChannelId,
    placed: &Placed,
    named: &mut Named,
) -> Result<enums::Update, Fault> {
    let (channel_id, pts, pts_count) = (id.0, placed.pts.0, placed.event.pts_count());
    let deleted = |messages| types::UpdateDeleteChannelMessages {
        channel_id,
        messages,
        pts,
        pts_count,
    };
    Ok(match &placed.event {
        Event::Message(message) | Event::Edited(message) => {
            let edited = matches!(placed.event, Event::Edited(_));
            match shown(world, viewer, id, *message, named).await? {
                None => deleted(vec![message.0]).into(),
                Some(message) if edited => types::UpdateEditChannelMessage {
                    message,
                    pts,
                    pts_count,
                }
                .into(),
                Some(message) => types::UpdateNewChannelMessage {
                    message,
                    pts,
                    pts_count,
                }
                .into(),
            }
        }
        Event::Deleted(ids) => deleted(ints(ids)).into(),
        Event::Checkpoint => deleted(Vec::new()).into(),
        Event::Pinned { ids, pinned, .. } => types::UpdatePinnedChannelMessages {
            pinned: *pinned,
            channel_id,
            messages: ints(ids),
            pts,
            pts_count,
        }
        .into(),
        Event::Channel(_) => types::UpdateChannel { channel_id }.into(),
        Event::ChannelRights => rights(world, id).await?,
        _ => return Err(Fault::Defect("an event of a box is in a channel's log")),
    })
}

/// A message as a viewer sees it; nothing when it is gone.
async fn shown(
    world: &mut World,
    viewer: UserId,
    id: ChannelId,
    message: MessageId,
    named: &mut Named,
) -> Result<Option<enums::Message>, Fault> {
    let peer = Peer::Channel(id);
    let stored = messages::find_in(world.view(partition::channel(id)), peer, message).await?;
    Ok(stored.map(|stored| {
        let seen = channel_messages::seen_by(stored, viewer);
        super::message(world, peer, message, &seen, named)
    }))
}

/// What a channel's members may not do.
async fn rights(world: &mut World, id: ChannelId) -> Result<enums::Update, Fault> {
    let stored = channels::channel(world.view(partition::channel(id))).await?;
    let rights = channels::banned_rights(stored.and_then(|c| c.default_banned).as_deref());
    Ok(types::UpdateChatDefaultBannedRights {
        peer: wire_peer(Peer::Channel(id)),
        default_banned_rights: rights.into(),
        version: 0,
    }
    .into())
}

//! Events of a box as updates.

use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::{AuthKeyId, ChatId, MessageId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;
use havre_domain::updates::{Event, Placed};
use havre_domain::world::World;
use havre_domain::{chats, contacts, messages, privacy, sessions, users};
use havre_tl::{enums, types};

use super::chat::default_banned;
use super::{Named, dialog_peer, draft, notify_settings, participants, peer as wire_peer};

/// Events as one `updates` object with everybody that they name.
///
/// # Errors
/// [`Fault`].
pub async fn updates(world: &mut World, viewer: UserId, events: &[Placed]) -> Result<types::Updates, Fault> {
    let mut named = Named::default();
    let updates = updates_of(world, viewer, events, &mut named).await?;
    let (users, chats) = named.load(world, viewer).await?;
    Ok(types::Updates {
        updates,
        users,
        chats,
        date: world.now.date(),
        seq: 0,
    })
}

/// Events as updates. Each that moves pts gives one, so that pts stays dense for who applies them (UP-1):
/// of a message that is gone since, a deletion with the event's own pts.
///
/// # Errors
/// [`Fault`].
pub async fn updates_of(
    world: &mut World,
    viewer: UserId,
    events: &[Placed],
    named: &mut Named,
) -> Result<Vec<enums::Update>, Fault> {
    let mut updates = Vec::with_capacity(events.len());
    for placed in events {
        if let Some(update) = update(world, viewer, placed, named).await? {
            updates.push(update);
        }
    }
    Ok(updates)
}

fn ints(ids: &[MessageId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}

async fn update(
    world: &mut World,
    viewer: UserId,
    placed: &Placed,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    let (pts, pts_count) = (placed.pts.0, placed.event.pts_count());
    Ok(Some(match &placed.event {
        Event::Message(id) => message(world, viewer, *id, (pts, pts_count), false, named).await?,
        Event::Edited(id) => message(world, viewer, *id, (pts, pts_count), true, named).await?,
        Event::Checkpoint => types::UpdateDeleteMessages {
            messages: Vec::new(),
            pts,
            pts_count,
        }
        .into(),
        Event::Deleted(ids) => types::UpdateDeleteMessages {
            messages: ints(ids),
            pts,
            pts_count,
        }
        .into(),
        Event::ReadInbox { .. } | Event::ReadOutbox { .. } => read(world, viewer, placed, named).await?,
        Event::ReadContents(ids) => types::UpdateReadMessagesContents {
            messages: ints(ids),
            pts,
            pts_count,
            date: Some(placed.date),
        }
        .into(),
        Event::Pinned { peer, ids, pinned } => {
            named.peer(*peer);
            let (pinned, peer, messages) = (*pinned, wire_peer(*peer), ints(ids));
            types::UpdatePinnedMessages {
                pinned,
                peer,
                messages,
                pts,
                pts_count,
            }
            .into()
        }
        Event::Folder { peers, folder } => {
            let folder_peers = peers.iter().map(|p| {
                named.peer(*p);
                types::FolderPeer {
                    peer: wire_peer(*p),
                    folder_id: i32::from(*folder),
                }
                .into()
            });
            types::UpdateFolderPeers {
                folder_peers: folder_peers.collect(),
                pts,
                pts_count,
            }
            .into()
        }
        event => return Box::pin(without_pts(world, viewer, event, placed.date, named)).await,
    }))
}

/// A read mark that moved.
async fn read(
    world: &mut World,
    viewer: UserId,
    placed: &Placed,
    named: &mut Named,
) -> Result<enums::Update, Fault> {
    let (pts, pts_count) = (placed.pts.0, placed.event.pts_count());
    Ok(match &placed.event {
        Event::ReadInbox { peer, max_id, unread } => {
            named.peer(*peer);
            let folder = dialogs::dialog(world.view_user(viewer), *peer).await?.folder;
            types::UpdateReadHistoryInbox {
                folder_id: (folder == FOLDER_ARCHIVE).then(|| i32::from(folder)),
                peer: wire_peer(*peer),
                max_id: max_id.0,
                still_unread_count: *unread,
                pts,
                pts_count,
                ..Default::default()
            }
            .into()
        }
        Event::ReadOutbox { peer, max_id } => {
            named.peer(*peer);
            types::UpdateReadHistoryOutbox {
                peer: wire_peer(*peer),
                max_id: max_id.0,
                pts,
                pts_count,
            }
            .into()
        }
        _ => {
            return Err(Fault::Defect(
                "an event that moves no read mark was rendered as one that does",
            ));
        }
    })
}

async fn message(
    world: &mut World,
    viewer: UserId,
    id: MessageId,
    (pts, pts_count): (i32, i32),
    edited: bool,
    named: &mut Named,
) -> Result<enums::Update, Fault> {
    let Some((peer, stored)) = messages::find(world.view_user(viewer), id).await? else {
        return Ok(types::UpdateDeleteMessages {
            messages: vec![id.0],
            pts,
            pts_count,
        }
        .into());
    };
    let message = super::message(world, peer, id, &stored, named);
    Ok(if edited {
        types::UpdateEditMessage {
            message,
            pts,
            pts_count,
        }
        .into()
    } else {
        types::UpdateNewMessage {
            message,
            pts,
            pts_count,
        }
        .into()
    })
}

/// Events that say that something may be fetched anew; they carry its newest state.
async fn without_pts(
    world: &mut World,
    viewer: UserId,
    event: &Event,
    date: i32,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    Ok(Some(match event {
        Event::Draft(_)
        | Event::DialogPinned { .. }
        | Event::PinnedOrder(_)
        | Event::NotifyPeer(_)
        | Event::MarkedUnread(..) => return of_dialog(world, viewer, event, named).await,
        Event::NotifyScope(scope) => notify_scope(world, viewer, *scope).await?,
        Event::Blocked(user, blocked) => {
            named.users.insert(*user);
            let peer_id = wire_peer(Peer::User(*user));
            types::UpdatePeerBlocked {
                blocked: *blocked,
                blocked_my_stories_from: false,
                peer_id,
            }
            .into()
        }
        Event::Privacy(key) => return privacy_rules(world, viewer, *key, named).await,
        Event::User(user) => return person(world, viewer, *user, named).await,
        Event::Chat(chat) => return group(world, viewer, *chat, named).await,
        Event::ChatRights(chat) => return rights(world, *chat, named).await,
        Event::PeerSettings(peer) => {
            named.peer(*peer);
            let settings = peer_settings(world, viewer, *peer).await?;
            types::UpdatePeerSettings {
                peer: wire_peer(*peer),
                settings,
            }
            .into()
        }
        Event::NewLogin(key) => return new_login(world, viewer, *key, date).await,
        Event::Channel(channel) => {
            named.channels.insert(*channel);
            types::UpdateChannel {
                channel_id: channel.0,
            }
            .into()
        }
        Event::ReadChannel { .. } => read_channel(world, viewer, event, named).await?,
        Event::LoggedOut(_) => return Ok(None),
        _ => return Err(Fault::Defect("an event with pts was rendered as one without")),
    }))
}

/// How far the viewer has read a channel.
async fn read_channel(
    world: &mut World,
    viewer: UserId,
    event: &Event,
    named: &mut Named,
) -> Result<enums::Update, Fault> {
    let Event::ReadChannel {
        channel,
        max_id,
        unread,
        pts,
    } = event
    else {
        return Err(Fault::Defect(
            "an event was rendered as the read mark of a channel",
        ));
    };
    let peer = Peer::Channel(*channel);
    named.peer(peer);
    let folder = dialogs::dialog(world.view_user(viewer), peer).await?.folder;
    Ok(types::UpdateReadChannelInbox {
        folder_id: (folder == FOLDER_ARCHIVE).then(|| i32::from(folder)),
        channel_id: channel.0,
        max_id: max_id.0,
        still_unread_count: *unread,
        pts: pts.0,
    }
    .into())
}

async fn of_dialog(
    world: &mut World,
    viewer: UserId,
    event: &Event,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    let tx = world.view_user(viewer);
    Ok(Some(match event {
        Event::Draft(peer) => {
            named.peer(*peer);
            let stored: Dialog = dialogs::dialog(tx, *peer).await?;
            types::UpdateDraftMessage {
                peer: wire_peer(*peer),
                draft: draft(&stored),
                ..Default::default()
            }
            .into()
        }
        Event::DialogPinned { peer, folder, pinned } => {
            named.peer(*peer);
            let folder_id = (*folder == FOLDER_ARCHIVE).then(|| i32::from(*folder));
            types::UpdateDialogPinned {
                pinned: *pinned,
                folder_id,
                peer: dialog_peer(*peer),
            }
            .into()
        }
        Event::PinnedOrder(folder) => {
            let order = dialogs::pins(tx, *folder).await?;
            order.iter().for_each(|p| named.peer(*p));
            let folder_id = (*folder == FOLDER_ARCHIVE).then(|| i32::from(*folder));
            types::UpdatePinnedDialogs {
                folder_id,
                order: Some(order.into_iter().map(dialog_peer).collect()),
            }
            .into()
        }
        Event::NotifyPeer(peer) => {
            named.peer(*peer);
            let settings = dialogs::dialog(tx, *peer).await?.notify;
            types::UpdateNotifySettings {
                peer: types::NotifyPeer {
                    peer: wire_peer(*peer),
                }
                .into(),
                notify_settings: notify_settings(settings.as_deref()),
            }
            .into()
        }
        Event::MarkedUnread(peer, unread) => {
            named.peer(*peer);
            types::UpdateDialogUnreadMark {
                unread: *unread,
                peer: dialog_peer(*peer),
                saved_peer_id: None,
            }
            .into()
        }
        _ => return Ok(None),
    }))
}

async fn notify_scope(world: &mut World, viewer: UserId, scope: u8) -> Result<enums::Update, Fault> {
    let settings: Option<Vec<u8>> = world
        .view_user(viewer)
        .get(&havre_domain::keys::notify(scope))
        .await?;
    let peer = match scope {
        0 => enums::NotifyPeer::NotifyUsers,
        1 => enums::NotifyPeer::NotifyChats,
        _ => enums::NotifyPeer::NotifyBroadcasts,
    };
    Ok(types::UpdateNotifySettings {
        peer,
        notify_settings: notify_settings(settings.as_deref()),
    }
    .into())
}

async fn privacy_rules(
    world: &mut World,
    viewer: UserId,
    key: u8,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    let Some(wire_key) = privacy::wire_key(key) else {
        return Ok(None);
    };
    let rules = privacy::rules(world.view_user(viewer), key).await?;
    named.users.extend(rules.named());
    Ok(Some(
        types::UpdatePrivacy {
            key: wire_key,
            rules: rules.on_the_wire(),
        }
        .into(),
    ))
}

async fn person(
    world: &mut World,
    viewer: UserId,
    user: UserId,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    named.users.insert(user);
    let Some(profile) = users::profile(world.view_user(user)).await? else {
        return Ok(None);
    };
    let contact = contacts::contact(world.view_user(viewer), user).await?;
    let (first_name, last_name) = match contact {
        Some(contact) if user != viewer => (contact.first_name, contact.last_name),
        _ => (profile.first_name, profile.last_name),
    };
    let username = |username| {
        types::Username {
            editable: true,
            active: true,
            username,
            ..Default::default()
        }
        .into()
    };
    let usernames = profile.username.map(username).into_iter().collect();
    Ok(Some(
        types::UpdateUserName {
            user_id: user.0,
            first_name,
            last_name,
            usernames,
        }
        .into(),
    ))
}

/// A group's members; to who is in it no more, only that it changed.
async fn group(
    world: &mut World,
    viewer: UserId,
    id: ChatId,
    named: &mut Named,
) -> Result<Option<enums::Update>, Fault> {
    named.chats.insert(id);
    let tx = world.view(partition::chat(id));
    let Some(stored) = chats::chat(tx).await? else {
        return Ok(None);
    };
    let members = chats::members(tx).await?;
    if !members.iter().any(|m| m.user == viewer) {
        return Ok(Some(types::UpdateChat { chat_id: id.0 }.into()));
    }
    Ok(Some(
        types::UpdateChatParticipants {
            participants: participants(id, &stored, &members, named),
        }
        .into(),
    ))
}

/// What a group's members may not do.
async fn rights(world: &mut World, id: ChatId, named: &mut Named) -> Result<Option<enums::Update>, Fault> {
    named.chats.insert(id);
    let Some(stored) = chats::chat(world.view(partition::chat(id))).await? else {
        return Ok(None);
    };
    Ok(Some(
        types::UpdateChatDefaultBannedRights {
            peer: wire_peer(Peer::Chat(id)),
            default_banned_rights: default_banned(&stored),
            version: stored.version,
        }
        .into(),
    ))
}

/// What the bar above a private chat offers (core.telegram.org/constructor/peerSettings).
///
/// # Errors
/// [`Fault`].
pub async fn peer_settings(
    world: &mut World,
    viewer: UserId,
    peer: Peer,
) -> Result<enums::PeerSettings, Fault> {
    let tx = world.view_user(viewer);
    let Peer::User(user) = peer else {
        return Ok(enums::PeerSettings::default());
    };
    let hidden = dialogs::dialog(tx, peer).await?.bar_hidden;
    let stranger = user != viewer
        && user != havre_domain::ids::SERVICE_USER
        && contacts::contact(tx, user).await?.is_none();
    let offer = stranger && !hidden;
    Ok(types::PeerSettings {
        report_spam: offer,
        add_contact: offer,
        block_contact: offer,
        ..Default::default()
    }
    .into())
}

async fn new_login(
    world: &mut World,
    viewer: UserId,
    key: AuthKeyId,
    date: i32,
) -> Result<Option<enums::Update>, Fault> {
    let Some(session) = sessions::session(world.view_user(viewer), key).await? else {
        return Ok(None);
    };
    let device = format!("{}, {}", session.client.app_version, session.client.device_model);
    Ok(Some(
        types::UpdateNewAuthorization {
            unconfirmed: false,
            hash: session.hash,
            date: Some(date),
            device: Some(device),
            location: Some(String::new()),
        }
        .into(),
    ))
}

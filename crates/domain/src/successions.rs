//! A basic group becomes a supergroup (UP-29): the group closes in one commit, and the supergroup begins by an
//! effect of it, so that nobody can write in both or in neither for good.

use havre_tl::{Serialize as _, enums, types};
use serde::{Deserialize, Serialize};

use crate::channel_members::{self, Admin, Member, Role};
use crate::channel_messages::{self, Post};
use crate::channels::{self, Channel};
use crate::chats::Group;
use crate::ids::{ChannelId, ChatId, Time, UserId};
use crate::keys::{self, partition};
use crate::outbox::Effect;
use crate::tx::{Fault, Tx};

/// What a supergroup begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    chat: ChatId,
    actor: UserId,
    channel: Channel,
    /// Everybody, and whether they are administrators.
    members: Vec<(UserId, bool)>,
}

/// Closes a group whose members go on in the channel `id`.
pub fn close(tx: &mut Tx, now: Time, group: &mut Group, id: ChannelId, actor: UserId) {
    let told = group.people();
    group.tell(tx, &Effect::ChatChanged(group.id), &told);
    let action = types::MessageActionChatMigrateTo { channel_id: id.0 };
    group.announce(tx, actor, now, action.into(), &told);
    let channel = Channel {
        title: group.chat.title.clone(),
        about: group.chat.about.clone(),
        photo: group.chat.photo.clone(),
        creator: group.chat.creator,
        date: now.date(),
        megagroup: true,
        default_banned: group.chat.default_banned.clone(),
        migrated_from: Some(group.id),
        ..Channel::default()
    };
    let members = group.members.iter().map(|m| (m.user, m.admin)).collect();
    let succession = Succession {
        chat: group.id,
        actor,
        channel,
        members,
    };
    tx.send(partition::channel(id), &Effect::Succeed(Box::new(succession)));
    tx.put(keys::successor(), &id);
    group.chat.deactivated = true;
    group.save(tx);
}

/// Begins the supergroup that a group becomes.
///
/// # Errors
/// [`Fault`].
pub(crate) async fn begin(tx: &mut Tx, now: Time, succession: Succession) -> Result<(), Fault> {
    let Some(id) = partition::as_channel(tx.partition()) else {
        return Err(Fault::Defect(
            "a group is to become something else than a channel",
        ));
    };
    let Succession {
        chat,
        actor,
        channel,
        members,
    } = succession;
    channels::save(tx, &channel);
    for (user, is_admin) in members {
        let role = role(&channel, user, is_admin);
        let member = Member {
            user,
            inviter: channel.creator,
            date: now.date(),
            present: false,
            role,
        };
        channel_members::set(tx, user, Some(member)).await?;
        channel_members::admit(tx, now, id, user, channel.creator).await?;
    }
    let action = types::MessageActionChannelMigrateFrom {
        title: channel.title,
        chat_id: chat.0,
    };
    let message = types::MessageService {
        action: action.into(),
        ..types::MessageService::default()
    };
    let post = Post {
        random_id: None,
        reply: None,
        content: enums::Message::MessageService(message).to_bytes(),
    };
    channel_messages::post(tx, now, id, actor, post).await.map(drop)
}

fn role(channel: &Channel, user: UserId, is_admin: bool) -> Role {
    if user == channel.creator {
        return Role::Creator(None);
    }
    if !is_admin {
        return Role::Plain;
    }
    // Administrators of basic groups do not appoint others.
    let rights = types::ChatAdminRights {
        add_admins: false,
        ..channels::all_rights(true)
    };
    Role::Admin(Admin {
        rights: enums::ChatAdminRights::ChatAdminRights(rights).to_bytes(),
        by: channel.creator,
        rank: None,
    })
}

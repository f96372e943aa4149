//! `channels.getParticipants`: members of a channel by kind.

use havre_domain::channel_members::{self, Census, Member, Seat, Standing};
use havre_domain::ids::ChannelId;
use havre_domain::keys::partition;
use havre_domain::limits::{PARTICIPANTS_MAX, SEARCHED_MEMBERS_MAX};
use havre_domain::{contacts, users};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers. Who is in a broadcast channel, and who may not come in or write, is told to administrators only.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`.
pub async fn call(
    cx: &mut Cx,
    request: functions::channels::GetParticipants,
) -> Result<enums::channels::ChannelParticipants, Error> {
    let me = cx.me()?;
    let id = cx.input_channel(&request.channel).await?;
    let standing = cx.readable(id).await?;
    let (seat, query, of_contacts) = wanted(&request.filter);
    let hidden = matches!(seat, Seat::Kicked | Seat::Restricted) || !standing.channel.megagroup;
    if hidden && standing.admin().is_none() {
        return Err(RpcError::CHAT_ADMIN_REQUIRED.into());
    }
    let offset = usize::try_from(request.offset)
        .unwrap_or(0)
        .min(SEARCHED_MEMBERS_MAX);
    let limit = usize::try_from(request.limit).unwrap_or(0).min(PARTICIPANTS_MAX);
    let is_bots = matches!(
        request.filter,
        enums::ChannelParticipantsFilter::ChannelParticipantsBots
    );
    let (count, members) = if is_bots {
        // No account here is a bot's.
        (0, Vec::new())
    } else if of_contacts || !query.is_empty() {
        let found = search(cx, id, seat, query, of_contacts).await?;
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        (count, found.into_iter().skip(offset).take(limit).collect())
    } else {
        let tx = cx.world.view(partition::channel(id));
        let count = counted(channel_members::census(tx).await?, seat);
        (count, channel_members::page(tx, seat, offset, limit).await?)
    };
    answer(cx, &standing, count, &members, me).await
}

async fn answer(
    cx: &mut Cx,
    standing: &Standing,
    count: i32,
    members: &[Member],
    me: havre_domain::ids::UserId,
) -> Result<enums::channels::ChannelParticipants, Error> {
    let mut named = Named::default();
    let participants = members
        .iter()
        .map(|member| render::channel_participant(&standing.channel, member, me, &mut named))
        .collect();
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::channels::ChannelParticipants {
        count,
        participants,
        chats,
        users,
    }
    .into())
}

/// The kind that a filter asks for, what their names begin with, and whether they are to be contacts.
fn wanted(filter: &enums::ChannelParticipantsFilter) -> (Seat, &str, bool) {
    use enums::ChannelParticipantsFilter as F;
    match filter {
        F::ChannelParticipantsAdmins => (Seat::Admin, "", false),
        F::ChannelParticipantsKicked(f) => (Seat::Kicked, &f.q, false),
        F::ChannelParticipantsBanned(f) => (Seat::Restricted, &f.q, false),
        F::ChannelParticipantsSearch(f) => (Seat::Present, &f.q, false),
        F::ChannelParticipantsContacts(f) => (Seat::Present, &f.q, true),
        F::ChannelParticipantsMentions(f) => (Seat::Present, f.q.as_deref().unwrap_or_default(), false),
        F::ChannelParticipantsRecent | F::ChannelParticipantsBots => (Seat::Present, "", false),
    }
}

fn counted(census: Census, seat: Seat) -> i32 {
    match seat {
        Seat::Present => census.present,
        Seat::Admin => census.admins,
        Seat::Kicked => census.kicked,
        Seat::Restricted => census.restricted,
    }
}

/// Members of a kind by a part of their name, among those who came last.
async fn search(
    cx: &mut Cx,
    id: ChannelId,
    seat: Seat,
    query: &str,
    of_contacts: bool,
) -> Result<Vec<Member>, Error> {
    let me = cx.me()?;
    let query = query.to_lowercase();
    let tx = cx.world.view(partition::channel(id));
    let all = channel_members::page(tx, seat, 0, SEARCHED_MEMBERS_MAX).await?;
    let mut found = Vec::new();
    for member in all {
        if of_contacts
            && contacts::contact(cx.world.view_user(me), member.user)
                .await?
                .is_none()
        {
            continue;
        }
        let profile = users::profile(cx.world.view_user(member.user)).await?;
        let Some(profile) = profile else { continue };
        let name = format!("{} {}", profile.first_name, profile.last_name).to_lowercase();
        let username = profile.username.unwrap_or_default().to_lowercase();
        let begins = |name: &str| name.split_whitespace().any(|word| word.starts_with(&query));
        if begins(&name) || name.starts_with(&query) || username.starts_with(&query) {
            found.push(member);
        }
    }
    Ok(found)
}

//! `channels.editBanned`: restricts somebody, keeps them out, or takes that back.

use havre_domain::channel_members::{self, Limited, Member, Role};
use havre_domain::channels;
use havre_domain::ids::{Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::outbox::Effect;
use havre_tl::{enums, functions, types};

use super::answers::{self, Deed};
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`, `400 CHAT_ADMIN_REQUIRED`, `400 PARTICIPANT_ID_INVALID`,
/// `400 USER_ADMIN_INVALID` for an administrator whom the asker did not appoint, `420 FLOOD_WAIT_n`.
pub async fn call(cx: &mut Cx, request: functions::channels::EditBanned) -> Result<enums::Updates, Error> {
    let me = cx.me()?;
    let deed = answers::admin_deed(cx, &request.channel, |a| a.ban_users).await?;
    let user = match cx.input_peer(&request.participant).await? {
        Peer::User(user) if user != me => user,
        _ => return Err(RpcError::PARTICIPANT_ID_INVALID.into()),
    };
    let enums::ChatBannedRights::ChatBannedRights(mut rights) = request.banned_rights;
    rights.until_date = channels::end_of_ban(rights.until_date, cx.world.now);
    let known = channel_members::member(answers::tx(cx, deed.id)?, user).await?;
    check(&deed, known.as_ref(), me)?;
    let was_in = known.as_ref().is_some_and(|m| m.present);
    let member = member(cx, known, user, rights)?;
    let goes = was_in && member.as_ref().is_none_or(|m| !m.present);
    if goes {
        let action = types::MessageActionChatDeleteUser { user_id: user.0 };
        answers::announce_people(cx, &deed, action.into()).await?;
    }
    let tx = answers::tx(cx, deed.id)?;
    channel_members::set(tx, user, member).await?;
    if was_in {
        let effect = if goes {
            Effect::Parted(deed.id)
        } else {
            Effect::ChannelChanged(deed.id)
        };
        tx.send(partition::user(user), &effect);
    }
    Ok(answers::answer(cx, &deed).await?.into())
}

/// Administrators are restricted by the creator, and by who appointed them.
fn check(deed: &Deed, known: Option<&Member>, me: UserId) -> Result<(), RpcError> {
    match known.map(|m| &m.role) {
        Some(Role::Creator(_)) => Err(RpcError::USER_ADMIN_INVALID),
        Some(Role::Admin(admin)) if admin.by != me && !deed.standing.is_creator() => {
            Err(RpcError::USER_ADMIN_INVALID)
        }
        _ => Ok(()),
    }
}

/// Somebody with these restrictions; nothing for who is neither in the channel nor restricted.
fn member(
    cx: &Cx,
    known: Option<Member>,
    user: UserId,
    rights: types::ChatBannedRights,
) -> Result<Option<Member>, Error> {
    let (me, date) = (cx.me()?, cx.world.now.date());
    let present = known.as_ref().is_some_and(|m| m.present) && !rights.view_messages;
    let until_date = rights.until_date;
    let none = types::ChatBannedRights {
        until_date,
        ..types::ChatBannedRights::default()
    };
    let role = if rights == none {
        Role::Plain
    } else {
        Role::Limited(Limited {
            rights: channels::kept_banned(rights),
            by: me,
            date,
        })
    };
    if role == Role::Plain && !present {
        return Ok(None);
    }
    let (inviter, joined) = known.map_or((me, date), |m| (m.inviter, m.date));
    Ok(Some(Member {
        user,
        inviter,
        date: joined,
        present,
        role,
    }))
}

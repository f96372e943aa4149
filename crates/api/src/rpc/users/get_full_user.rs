//! `users.getFullUser`: all that the asker may see of a person.

use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE};
use havre_domain::ids::{Peer, UserId};
use havre_domain::keys::{self, partition};
use havre_domain::limits::COMMON_CHATS_MAX;
use havre_domain::privacy::Sees;
use havre_domain::users::{Photo, Profile};
use havre_domain::{chats, contacts, privacy, users};
use havre_store::Order;
use havre_tl::{Deserialize as _, enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 USER_ID_INVALID`.
pub async fn call(
    cx: &mut Cx,
    request: functions::users::GetFullUser,
) -> Result<enums::users::UserFull, Error> {
    let me = cx.me()?;
    let user = cx.input_user(&request.id).await?;
    let full_user = full(cx, user).await?;
    let mut named = Named::default();
    named.users.extend([user, me]);
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::users::UserFull {
        full_user: full_user.into(),
        chats,
        users,
    }
    .into())
}

async fn full(cx: &mut Cx, user: UserId) -> Result<types::UserFull, Error> {
    let me = cx.me()?;
    let peer = Peer::User(user);
    let profile = users::profile(cx.world.view_user(user))
        .await?
        .unwrap_or_default();
    let sees = privacy::sees(&mut cx.world, me, user).await?;
    let dialog = dialogs::dialog(cx.view_own()?, peer).await?;
    let Dialog {
        folder,
        pinned_message,
        ..
    } = dialog;
    Ok(types::UserFull {
        blocked: contacts::is_blocked(cx.view_own()?, user).await?,
        can_pin_message: true,
        id: user.0,
        about: Some(profile.about.clone()).filter(|about| sees.about && !about.is_empty()),
        settings: render::peer_settings(&mut cx.world, me, peer).await?,
        profile_photo: profile_photo(cx, user, &profile, sees).await?,
        notify_settings: render::notify_settings(dialog.notify.as_deref()),
        pinned_msg_id: Some(pinned_message.0).filter(|id| *id != 0),
        common_chats_count: common_chats(cx, user).await?,
        folder_id: (folder == FOLDER_ARCHIVE).then(|| i32::from(folder)),
        ..types::UserFull::default()
    })
}

async fn profile_photo(
    cx: &mut Cx,
    user: UserId,
    profile: &Profile,
    sees: Sees,
) -> Result<Option<enums::Photo>, Error> {
    let Some((n, _)) = profile.photo.filter(|_| sees.photo) else {
        return Ok(None);
    };
    let stored = cx.world.view_user(user).get::<Photo>(&keys::photo(n)).await?;
    let photo = stored.and_then(|photo| enums::Photo::from_bytes(&photo.photo).ok());
    Ok(photo.map(|photo| render::reference::any_photo(&cx.world, photo)))
}

/// Groups that the asker talks in and the other is a member of too, counted among the first
/// [`COMMON_CHATS_MAX`].
async fn common_chats(cx: &mut Cx, user: UserId) -> Result<i32, Error> {
    let me = cx.me()?;
    if user == me {
        return Ok(0);
    }
    let dialogs = cx
        .view_own()?
        .range(&keys::group_dialogs(), Order::Ascending, COMMON_CHATS_MAX)
        .await?;
    let mut common = 0;
    for peer in dialogs.iter().filter_map(|(key, _)| keys::peer_of(key)) {
        let Peer::Chat(chat) = peer else { continue };
        let tx = cx.world.view(partition::chat(chat));
        if chats::member(tx, me).await?.is_some() && chats::member(tx, user).await?.is_some() {
            common += 1;
        }
    }
    Ok(common)
}

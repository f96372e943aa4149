//! `photos.*`
pub mod delete_photos;
pub mod get_user_photos;
pub mod update_profile_photo;
pub mod upload_profile_photo;

use havre_domain::ids::FileId;
use havre_domain::photos;
use havre_domain::users::Photo;
use havre_tl::{Deserialize as _, Serialize as _, enums, types};

use crate::cx::Cx;
use crate::error::Error;
use crate::{render, telling};

/// A profile photo as it is kept; nothing when it cannot be read.
fn kept(stored: &Photo) -> Option<types::Photo> {
    match enums::Photo::from_bytes(&stored.photo) {
        Ok(enums::Photo::Photo(photo)) => Some(photo),
        _ => None,
    }
}

fn file_of(stored: &Photo) -> Option<FileId> {
    kept(stored).map(|photo| FileId(photo.id))
}

/// Makes a photo the asker's current one and tells everybody whom it concerns.
async fn set(cx: &mut Cx, photo: types::Photo) -> Result<enums::photos::Photo, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let bytes = enums::Photo::Photo(photo.clone()).to_bytes();
    photos::set(cx.own()?, me, now, FileId(photo.id), bytes).await?;
    shown(cx, photo.into()).await
}

/// The answer to a change of the current photo. The asker's sessions, this one too, are pushed the change:
/// some clients pass over the people of the answer.
async fn shown(cx: &mut Cx, photo: enums::Photo) -> Result<enums::photos::Photo, Error> {
    let me = cx.me()?;
    telling::person_changed(cx).await?;
    let photo = render::reference::any_photo(&cx.world, photo);
    let users = vec![render::user(&mut cx.world, me, me).await?];
    Ok(types::photos::Photo { photo, users }.into())
}

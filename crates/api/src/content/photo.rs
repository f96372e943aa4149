//! Photos: an uploaded picture becomes a `photo` with its sizes.

use std::sync::{Arc, Mutex, PoisonError};

use havre_domain::files::{self, File, Kind};
use havre_domain::ids::FileId;
use havre_domain::limits::PICTURE_LEN_MAX;
use havre_store::blob::Blob;
use havre_tl::{Deserialize as _, Serialize as _, enums, types};
use sha2::{Digest as _, Sha256};

use super::picture::{self, Made, Picture, Size};
use super::stored;
use crate::DC_ID;
use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// A photo for a message.
///
/// # Errors
/// `400 IMAGE_PROCESS_FAILED`, `400 PHOTO_INVALID_DIMENSIONS`, and as for [`stored::upload`].
pub async fn of_message(cx: &mut Cx, input: &enums::InputFile) -> Result<types::Photo, Error> {
    made(cx, input, picture::OF_MESSAGE, false).await
}

/// A photo of a person or group.
///
/// # Errors
/// As for [`of_message`].
pub async fn of_profile(cx: &mut Cx, input: &enums::InputFile) -> Result<types::Photo, Error> {
    made(cx, input, picture::OF_PROFILE, true).await
}

/// A photo that a client names, as it was made.
///
/// # Errors
/// `400 FILE_ID_INVALID`, `400 FILE_REFERENCE_EMPTY`, `400 FILE_REFERENCE_INVALID`, `400 FILE_REFERENCE_EXPIRED`.
pub async fn named(cx: &mut Cx, input: &enums::InputPhoto) -> Result<types::Photo, Error> {
    let enums::InputPhoto::InputPhoto(input) = input else {
        return Err(RpcError::FILE_ID_INVALID.into());
    };
    let id = FileId(input.id);
    let file = stored::named(cx, Kind::Photo, id, input.access_hash, &input.file_reference).await?;
    of_file(&file)
}

async fn made(
    cx: &mut Cx,
    input: &enums::InputFile,
    plan: &'static [Size],
    square: bool,
) -> Result<types::Photo, Error> {
    let whole = stored::upload(cx, input).await?;
    let id = id_of(cx, &whole, plan)?;
    if let Some(known) = stored::file(cx, id).await? {
        return of_file(&known);
    }
    let picture = in_sizes(cx, &whole, plan, square).await?;
    let (sizes, blobs) = kept(cx, picture).await?;
    let date = cx.world.now.date();
    let photo = types::Photo {
        id: id.0,
        access_hash: files::access_hash(&cx.world.secret, id),
        date,
        sizes,
        dc_id: DC_ID,
        ..types::Photo::default()
    };
    let file = File {
        kind: Kind::Photo,
        owner: cx.me()?,
        date,
        mime: "image/jpeg".into(),
        whole: None,
        sizes: blobs,
        object: enums::Photo::Photo(photo).to_bytes(),
    };
    of_file(&stored::keep(cx, id, &file).await?)
}

/// The same picture in the same sizes is the same photo.
fn id_of(cx: &Cx, whole: &Blob, plan: &[Size]) -> Result<FileId, Error> {
    let mut digest = Sha256::new().chain_update("photo").chain_update(whole.sha256);
    for size in plan {
        digest.update(size.letter);
    }
    Ok(files::id_of(
        &cx.world.secret,
        cx.me()?,
        &digest.finalize().into(),
    ))
}

fn of_file(file: &File) -> Result<types::Photo, Error> {
    match enums::Photo::from_bytes(&file.object) {
        Ok(enums::Photo::Photo(photo)) => Ok(photo),
        _ => Err(havre_domain::tx::Fault::Corrupt("the photo of a file".into()).into()),
    }
}

/// A picture of an upload in sizes, made where it keeps nobody waiting.
///
/// # Errors
/// `400 IMAGE_PROCESS_FAILED`, `400 PHOTO_INVALID_DIMENSIONS`.
pub async fn in_sizes(
    cx: &mut Cx,
    whole: &Blob,
    plan: &'static [Size],
    square: bool,
) -> Result<Picture, Error> {
    if whole.size > PICTURE_LEN_MAX {
        return Err(RpcError::IMAGE_PROCESS_FAILED.into());
    }
    let bytes = cx.api.files.whole(whole).await?;
    let result = Arc::new(Mutex::new(None));
    let slot = result.clone();
    let work = move || {
        let made = picture::sizes(&bytes, plan, square);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
    };
    cx.api.env.compute(Box::new(work)).await;
    let made = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Work that ended without a result hit a defect of a decoder: the picture is refused.
    Ok(made.unwrap_or(Err(RpcError::IMAGE_PROCESS_FAILED))?)
}

/// Keeps the bytes of a picture's sizes.
///
/// # Errors
/// When the object store fails.
pub async fn kept(
    cx: &mut Cx,
    picture: Picture,
) -> Result<(Vec<enums::PhotoSize>, Vec<(String, Blob)>), Error> {
    let stripped = types::PhotoStrippedSize {
        r#type: "i".into(),
        bytes: picture.stripped,
    };
    let (mut sizes, mut blobs) = (vec![stripped.into()], Vec::new());
    for made in picture.sizes {
        sizes.push(on_the_wire(&made));
        blobs.push((made.letter.to_owned(), cx.api.files.put(made.jpeg.into()).await?));
    }
    Ok((sizes, blobs))
}

fn on_the_wire(made: &Made) -> enums::PhotoSize {
    let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    types::PhotoSize {
        r#type: made.letter.to_owned(),
        w: int(made.width),
        h: int(made.height),
        size: i32::try_from(made.jpeg.len()).unwrap_or(i32::MAX),
    }
    .into()
}

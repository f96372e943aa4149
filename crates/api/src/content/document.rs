//! Documents: an upload becomes a `document` with the attributes that its sender gave it.

use havre_domain::files::{self, File, Kind};
use havre_domain::ids::FileId;
use havre_domain::limits::{ATTRIBUTE_LEN_MAX, ATTRIBUTES_MAX};
use havre_store::blob::Blob;
use havre_tl::{Deserialize as _, Serialize as _, enums, types};
use sha2::{Digest as _, Sha256};

use super::{photo, picture, stored};
use crate::DC_ID;
use crate::cx::Cx;
use crate::error::{Error, RpcError};

/// A document of an upload.
///
/// # Errors
/// As for [`stored::upload`]; `400 IMAGE_PROCESS_FAILED` for a picture of it that is none.
pub async fn uploaded(
    cx: &mut Cx,
    input: &types::InputMediaUploadedDocument,
) -> Result<types::Document, Error> {
    let whole = stored::upload(cx, &input.file).await?;
    let thumb = match &input.thumb {
        Some(thumb) => Some(stored::upload(cx, thumb).await?),
        None => None,
    };
    let (mime, attributes) = (mime(&input.mime_type), attributes(&input.attributes));
    let id = id_of(cx, &whole, thumb.as_ref(), &mime, &attributes)?;
    if let Some(known) = stored::file(cx, id).await? {
        return of_file(&known);
    }
    let (thumbs, sizes) = match thumb {
        Some(thumb) => {
            let picture = photo::in_sizes(cx, &thumb, picture::OF_DOCUMENT, false).await?;
            let (thumbs, sizes) = photo::kept(cx, picture).await?;
            (Some(thumbs), sizes)
        }
        None => (None, Vec::new()),
    };
    let date = cx.world.now.date();
    let document = types::Document {
        id: id.0,
        access_hash: files::access_hash(&cx.world.secret, id),
        date,
        mime_type: mime.clone(),
        size: i64::try_from(whole.size).unwrap_or(i64::MAX),
        thumbs,
        dc_id: DC_ID,
        attributes,
        ..types::Document::default()
    };
    let file = File {
        kind: Kind::Document,
        owner: cx.me()?,
        date,
        mime,
        whole: Some(whole),
        sizes,
        object: enums::Document::Document(document).to_bytes(),
    };
    of_file(&stored::keep(cx, id, &file).await?)
}

/// A document that a client names, as it was made.
///
/// # Errors
/// `400 FILE_ID_INVALID`, `400 FILE_REFERENCE_EMPTY`, `400 FILE_REFERENCE_INVALID`, `400 FILE_REFERENCE_EXPIRED`.
pub async fn named(cx: &mut Cx, input: &enums::InputDocument) -> Result<types::Document, Error> {
    let enums::InputDocument::InputDocument(input) = input else {
        return Err(RpcError::FILE_ID_INVALID.into());
    };
    let id = FileId(input.id);
    let file = stored::named(cx, Kind::Document, id, input.access_hash, &input.file_reference).await?;
    of_file(&file)
}

fn of_file(file: &File) -> Result<types::Document, Error> {
    match enums::Document::from_bytes(&file.object) {
        Ok(enums::Document::Document(document)) => Ok(document),
        _ => Err(havre_domain::tx::Fault::Corrupt("the document of a file".into()).into()),
    }
}

/// The same bytes told in the same way are the same document.
fn id_of(
    cx: &Cx,
    whole: &Blob,
    thumb: Option<&Blob>,
    mime: &str,
    attributes: &[enums::DocumentAttribute],
) -> Result<FileId, Error> {
    let mut digest = Sha256::new().chain_update("document").chain_update(whole.sha256);
    digest.update(thumb.map_or([0; 32], |thumb| thumb.sha256));
    digest.update(mime);
    for attribute in attributes {
        digest.update(attribute.to_bytes());
    }
    Ok(files::id_of(
        &cx.world.secret,
        cx.me()?,
        &digest.finalize().into(),
    ))
}

/// Longest MIME type kept, bytes.
const MIME_LEN_MAX: usize = 100;

/// A MIME type, or the one of bytes of which nothing is known.
fn mime(written: &str) -> String {
    let ok = written.len() <= MIME_LEN_MAX
        && written.contains('/')
        && written.bytes().all(|b| b.is_ascii_graphic());
    if ok {
        written.to_ascii_lowercase()
    } else {
        "application/octet-stream".into()
    }
}

/// The attributes that are kept, cut to their bounds; one of each kind.
fn attributes(given: &[enums::DocumentAttribute]) -> Vec<enums::DocumentAttribute> {
    let mut kept: Vec<enums::DocumentAttribute> = Vec::new();
    for attribute in given.iter().take(ATTRIBUTES_MAX) {
        let known =
            |k: &enums::DocumentAttribute| std::mem::discriminant(k) == std::mem::discriminant(attribute);
        if !kept.iter().any(known) {
            kept.extend(bounded(attribute.clone()));
        }
    }
    kept
}

/// Most bytes of the waveform of a voice note.
const WAVEFORM_LEN_MAX: usize = 256;

fn bounded(attribute: enums::DocumentAttribute) -> Option<enums::DocumentAttribute> {
    use enums::DocumentAttribute as A;
    let short = |text: String| -> String { text.chars().take(ATTRIBUTE_LEN_MAX).collect() };
    Some(match attribute {
        A::DocumentAttributeFilename(mut a) => {
            // A name only: nobody is made to write outside the folder that they chose.
            let name = a.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
            a.file_name = short(name.replace(char::is_control, ""));
            a.into()
        }
        A::DocumentAttributeAudio(mut a) => {
            a.title = a.title.map(short);
            a.performer = a.performer.map(short);
            a.waveform = a.waveform.filter(|w| w.len() <= WAVEFORM_LEN_MAX);
            a.into()
        }
        A::DocumentAttributeVideo(mut a) => {
            a.video_codec = a.video_codec.map(short);
            a.into()
        }
        A::DocumentAttributeSticker(mut a) => {
            // Sets of stickers are not kept here: it is a sticker of no set.
            a.stickerset = enums::InputStickerSet::InputStickerSetEmpty;
            a.alt = short(a.alt);
            a.into()
        }
        A::DocumentAttributeImageSize(_) | A::DocumentAttributeAnimated => attribute,
        _ => return None,
    })
}

/// What a document is, as its message shows it.
#[must_use]
pub fn in_message(document: types::Document) -> types::MessageMediaDocument {
    use enums::DocumentAttribute as A;
    let mut media = types::MessageMediaDocument::default();
    let animated = document
        .attributes
        .iter()
        .any(|a| matches!(a, A::DocumentAttributeAnimated));
    for attribute in &document.attributes {
        match attribute {
            A::DocumentAttributeVideo(video) => {
                media.round = video.round_message;
                media.video = !animated;
            }
            A::DocumentAttributeAudio(audio) => media.voice = audio.voice,
            _ => {}
        }
    }
    media.document = Some(document.into());
    media
}

/// Refuses media that destroys itself: it is not built, and keeping it for ever would not be what was asked.
///
/// # Errors
/// `400 TTL_MEDIA_INVALID`.
pub fn refuse_ttl(seconds: Option<i32>) -> Result<(), RpcError> {
    match seconds {
        None | Some(0) => Ok(()),
        Some(_) => Err(RpcError::TTL_MEDIA_INVALID),
    }
}

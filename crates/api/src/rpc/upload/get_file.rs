//! `upload.getFile`: bytes of a file (core.telegram.org/api/files, "Downloading files").

use havre_domain::files::{File, Kind};
use havre_domain::ids::{FileId, Peer};
use havre_domain::keys::partition;
use havre_domain::{channels, chats};
use havre_domain::{privacy, users};
use havre_store::blob::Blob;
use havre_tl::{Deserialize as _, enums, functions, types};

use crate::content::stored;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Offsets are multiples of it.
const STEP: i64 = 4 << 10;
/// Offsets are multiples of it where `precise` is said.
const STEP_PRECISE: i64 = 1 << 10;
/// Most bytes of one answer; none reaches over a multiple of it.
const WINDOW: i64 = 1 << 20;

/// Answers. Fewer bytes than asked for are the end of the file.
///
/// # Errors
/// `400 OFFSET_INVALID`, `400 LIMIT_INVALID`, `400 LOCATION_INVALID`, `400 FILE_ID_INVALID`,
/// `400 FILE_REFERENCE_EMPTY`, `400 FILE_REFERENCE_INVALID`, `400 FILE_REFERENCE_EXPIRED`.
pub async fn call(cx: &mut Cx, request: functions::upload::GetFile) -> Result<enums::upload::File, Error> {
    let (offset, limit) = (request.offset, i64::from(request.limit));
    check_window(offset, limit, request.precise)?;
    let (file, blob) = locate(cx, &request.location).await?;
    let start = u64::try_from(offset).map_err(|_| RpcError::OFFSET_INVALID)?;
    let end = start.saturating_add(u64::try_from(limit).unwrap_or(0));
    let bytes = cx.api.files.read(&blob, start..end).await?;
    let r#type = match (file.kind, file.whole == Some(blob)) {
        (Kind::Document, true) => file_type(&file.mime),
        _ => enums::storage::FileType::FileJpeg,
    };
    Ok(types::upload::File {
        r#type,
        mtime: file.date,
        bytes: bytes.to_vec(),
    }
    .into())
}

fn check_window(offset: i64, limit: i64, precise: bool) -> Result<(), RpcError> {
    let step = if precise { STEP_PRECISE } else { STEP };
    if offset < 0 || offset % step != 0 {
        return Err(RpcError::OFFSET_INVALID);
    }
    let in_window = |limit: i64| offset / WINDOW == (offset.saturating_add(limit - 1)) / WINDOW;
    if limit <= 0 || limit > WINDOW || limit % step != 0 || !in_window(limit) {
        return Err(RpcError::LIMIT_INVALID);
    }
    // Without `precise` a limit divides a MiB, so that what is asked for never overlaps.
    if !precise && WINDOW % limit != 0 {
        return Err(RpcError::LIMIT_INVALID);
    }
    Ok(())
}

async fn locate(cx: &mut Cx, location: &enums::InputFileLocation) -> Result<(File, Blob), Error> {
    use enums::InputFileLocation as L;
    match location {
        L::InputDocumentFileLocation(l) => {
            let id = FileId(l.id);
            let file = stored::named(cx, Kind::Document, id, l.access_hash, &l.file_reference).await?;
            sized(file, &l.thumb_size)
        }
        L::InputPhotoFileLocation(l) => {
            let id = FileId(l.id);
            let file = stored::named(cx, Kind::Photo, id, l.access_hash, &l.file_reference).await?;
            sized(file, &l.thumb_size)
        }
        L::InputPeerPhotoFileLocation(l) => {
            let peer = cx.input_peer(&l.peer).await?;
            let file = peer_photo(cx, peer, FileId(l.photo_id)).await?;
            sized(file, if l.big { "c" } else { "a" })
        }
        _ => Err(RpcError::LOCATION_INVALID.into()),
    }
}

fn sized(file: File, size: &str) -> Result<(File, Blob), Error> {
    match file.blob(size) {
        Some(blob) => Ok((file, blob)),
        None => Err(RpcError::LOCATION_INVALID.into()),
    }
}

/// The photo that a peer shows now, to who may see it. It needs no access hash: the peer's own was right.
async fn peer_photo(cx: &mut Cx, peer: Peer, id: FileId) -> Result<File, Error> {
    let me = cx.me()?;
    let shown = match peer {
        Peer::User(user) => {
            let sees = privacy::sees(&mut cx.world, me, user).await?;
            let profile = users::profile(cx.world.view_user(user)).await?;
            let photo = profile.and_then(|p| p.photo).map(|(_, file)| file);
            photo.filter(|_| sees.photo)
        }
        Peer::Chat(chat) => {
            let chat = chats::chat(cx.world.view(partition::chat(chat))).await?;
            file_of(chat.and_then(|c| c.photo))
        }
        Peer::Channel(channel) => {
            let channel = channels::channel(cx.world.view(partition::channel(channel))).await?;
            file_of(channel.and_then(|c| c.photo))
        }
    };
    if shown != Some(id) {
        return Err(RpcError::LOCATION_INVALID.into());
    }
    stored::file(cx, id)
        .await?
        .ok_or(RpcError::FILE_ID_INVALID.into())
}

/// The file of a photo as a group or channel keeps it.
fn file_of(photo: Option<Vec<u8>>) -> Option<FileId> {
    match enums::Photo::from_bytes(&photo?) {
        Ok(enums::Photo::Photo(photo)) => Some(FileId(photo.id)),
        _ => None,
    }
}

fn file_type(mime: &str) -> enums::storage::FileType {
    use enums::storage::FileType as T;
    match mime {
        "image/jpeg" => T::FileJpeg,
        "image/gif" => T::FileGif,
        "image/png" => T::FilePng,
        "image/webp" => T::FileWebp,
        "application/pdf" => T::FilePdf,
        "audio/mpeg" => T::FileMp3,
        "video/quicktime" => T::FileMov,
        "video/mp4" => T::FileMp4,
        _ => T::FileUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_the_documented_ones() {
        assert!(check_window(0, 1 << 20, false).is_ok());
        assert!(check_window(4096, 4096, false).is_ok());
        assert!(check_window(1024, 1024, true).is_ok());
        assert_eq!(check_window(1024, 4096, false), Err(RpcError::OFFSET_INVALID));
        assert_eq!(check_window(0, 12_288, false), Err(RpcError::LIMIT_INVALID));
        assert_eq!(check_window(0, 2 << 20, true), Err(RpcError::LIMIT_INVALID));
        assert_eq!(
            check_window((1 << 20) - 1024, 2048, true),
            Err(RpcError::LIMIT_INVALID)
        );
    }
}

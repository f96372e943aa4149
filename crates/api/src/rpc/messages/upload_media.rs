//! `messages.uploadMedia`: an upload becomes a file to be sent later.

use havre_tl::{enums, functions};

use crate::content::media;
use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the media as it would be sent; its ids may be used in every `inputMedia*`.
///
/// # Errors
/// `400 PEER_ID_INVALID`, and what the media says: `400 MEDIA_INVALID`, `400 FILE_PARTS_INVALID` and their kin.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::UploadMedia,
) -> Result<enums::MessageMedia, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let media = media::of_input(cx, peer, &request.media).await?;
    Ok(render::reference::media(&cx.world, media))
}

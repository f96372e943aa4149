//! `messages.saveDraft`: a text not sent yet, for all sessions of the person.

use havre_domain::dialogs;
use havre_domain::updates::{self, Event};
use havre_tl::{Serialize as _, enums, functions, types};

use crate::content::text;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 MESSAGE_TOO_LONG`.
pub async fn call(cx: &mut Cx, request: functions::messages::SaveDraft) -> Result<bool, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    let text = text::of_message(cx, &request.message, request.entities).await?;
    let now = cx.world.now;
    let empty = text.text.is_empty() && request.reply_to.is_none();
    let draft = (!empty).then(|| types::DraftMessage {
        no_webpage: request.no_webpage,
        invert_media: request.invert_media,
        reply_to: request.reply_to,
        message: text.text,
        entities: text.entities,
        date: now.date(),
        ..Default::default()
    });
    let draft = draft.map(|draft| enums::DraftMessage::DraftMessage(draft).to_bytes());
    let before = cx.cursor().await?;
    let tx = cx.own()?;
    if dialogs::dialog(tx, peer).await?.draft != draft {
        dialogs::change(tx, peer, |d| {
            d.draft = draft;
            // Without messages the draft decides the place in the list.
            if d.top.0 == 0 {
                d.top_date = now.date();
            }
        })
        .await?;
        updates::append(tx, now, Event::Draft(peer)).await?;
        cx.keep_from_asker(before)?;
    }
    Ok(true)
}

use havre_api::error::RpcError;
use havre_tl::functions;

use super::group::group;

#[test]
fn the_description_is_shown_in_full_and_bounded() {
    let group = group(1);
    let about = |about: &str| {
        group.alice.call(functions::messages::EditChatAbout {
            peer: group.peer(),
            about: about.into(),
        })
    };
    assert_eq!(about("Ships"), Ok(true));
    assert_eq!(group.full(&group.bob).about, "Ships");
    assert!(!group.bob.pushed_updates().is_empty());
    assert_eq!(about("Ships").unwrap_err(), RpcError::CHAT_ABOUT_NOT_MODIFIED);
    let long = "s".repeat(256);
    assert_eq!(about(&long).unwrap_err(), RpcError::CHAT_ABOUT_TOO_LONG);
    let private = group.alice.call(functions::messages::EditChatAbout {
        peer: group.alice.input_peer_of(&group.bob),
        about: "x".into(),
    });
    assert_eq!(private.unwrap_err(), RpcError::PEER_ID_INVALID);
}

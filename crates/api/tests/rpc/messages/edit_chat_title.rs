use havre_api::error::RpcError;
use havre_tl::{functions, types};

use super::group::{actions, group, updates};

#[test]
fn everybody_sees_the_new_title_and_a_higher_version() {
    let group = group(1);
    let before = group.chat(&group.bob).version;
    let title = |title: &str| {
        group.bob.call(functions::messages::EditChatTitle {
            chat_id: group.id,
            title: title.into(),
        })
    };
    let answer = title("Quay").unwrap();
    let action = types::MessageActionChatEditTitle { title: "Quay".into() };
    assert_eq!(actions(updates(&answer)), [action.clone().into()]);
    assert_eq!(actions(&group.carol.pushed_updates()), [action.into()]);
    let after = group.chat(&group.carol);
    assert_eq!(after.title, "Quay");
    assert!(after.version > before);
    assert_eq!(title("Quay").unwrap_err(), RpcError::CHAT_NOT_MODIFIED);
    assert_eq!(title("").unwrap_err(), RpcError::CHAT_TITLE_EMPTY);
    group.ban(types::ChatBannedRights {
        change_info: true,
        ..Default::default()
    });
    assert_eq!(title("Pier").unwrap_err(), RpcError::CHAT_ADMIN_REQUIRED);
}

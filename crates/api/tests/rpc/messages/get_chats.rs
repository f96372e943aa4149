use havre_tl::{enums, functions};

use super::group::group;

#[test]
fn a_member_sees_the_group_and_a_stranger_nothing() {
    let group = group(1);
    let chat = group.chat(&group.alice);
    assert_eq!((chat.title.as_str(), chat.participants_count), ("Harbour", 3));
    assert!(chat.creator && !group.chat(&group.bob).creator);
    assert!(matches!(group.seen_by(&group.dan), enums::Chat::ChatEmpty(_)));
}

#[test]
fn answers_are_in_the_order_of_the_question() {
    let group = group(2);
    let asked = functions::messages::GetChats {
        id: vec![5, group.id],
    };
    let enums::messages::Chats::Chats(chats) = group.bob.call(asked).unwrap() else {
        panic!("not a slice");
    };
    assert!(matches!(
        chats.chats.as_slice(),
        [enums::Chat::ChatEmpty(e), enums::Chat::Chat(c)] if e.id == 5 && c.id == group.id
    ));
}

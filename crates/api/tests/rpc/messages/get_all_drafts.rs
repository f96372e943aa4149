use havre_sim::town::Client;
use havre_tl::functions::messages::GetAllDrafts;
use havre_tl::{enums, functions, types};

use super::list::talkative;
use super::page::user_ids;

fn drafts(who: &Client) -> types::Updates {
    match who.call(GetAllDrafts {}).unwrap() {
        enums::Updates::Updates(updates) => updates,
        other => panic!("complete updates are expected: {other:?}"),
    }
}

#[test]
fn those_of_both_folders_with_everybody_named() {
    let world = talkative(1, 3);
    assert_eq!(drafts(&world.me).updates, []);
    world.archive(0);
    for (n, text) in [(0, "archived"), (1, "gone"), (2, "open"), (1, "")] {
        let save = functions::messages::SaveDraft {
            peer: world.peer(n),
            message: text.into(),
            ..Default::default()
        };
        world.me.call(save).unwrap();
    }
    let told = drafts(&world.me);
    let texts = told.updates.iter().map(|update| match update {
        enums::Update::UpdateDraftMessage(types::UpdateDraftMessage {
            draft: enums::DraftMessage::DraftMessage(draft),
            ..
        }) => draft.message.as_str(),
        other => panic!("drafts are expected: {other:?}"),
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["open", "archived"]);
    let mut named = world.ids(&[0, 2]);
    named.sort_unstable();
    assert_eq!(user_ids(&told.users), named);
}

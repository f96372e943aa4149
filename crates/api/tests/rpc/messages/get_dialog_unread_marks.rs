use havre_tl::functions::messages::GetDialogUnreadMarks;
use havre_tl::functions::messages::MarkDialogUnread;
use havre_tl::{enums, types};

use super::list::{Talkative, talkative};

fn marks(world: &Talkative) -> Vec<enums::DialogPeer> {
    world.me.call(GetDialogUnreadMarks { parent_peer: None }).unwrap()
}

#[test]
fn marked_ones_of_both_folders_and_no_others() {
    let world = talkative(1, 4);
    assert_eq!(marks(&world), []);
    world.archive(0);
    for (n, unread) in [(0, true), (2, true), (3, true), (3, false)] {
        let mark = MarkDialogUnread {
            unread,
            parent_peer: None,
            peer: world.dialog_peer(n),
        };
        world.me.call(mark).unwrap();
    }
    let expected = world.ids(&[2, 0]).into_iter().map(|user_id| {
        let peer = types::PeerUser { user_id }.into();
        types::DialogPeer { peer }.into()
    });
    assert_eq!(marks(&world), expected.collect::<Vec<_>>());
}

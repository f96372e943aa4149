//! What should be true: what the store holds, and that every client ends up with it.

use havre_api::dispatch::Env as _;
use havre_domain::dialogs::{self, Dialog, FOLDER_ARCHIVE, Unread};
use havre_domain::ids::{MessageId, Peer};
use havre_domain::world::{self, Secret};
use havre_domain::{contacts, keys, messages, privacy};
use havre_store::Order;
use havre_tl::{enums, functions};

use super::{DEVICES, Link, PEOPLE, World};
use crate::knowledge::{Knowledge, seen};
use crate::replica::Replica;

impl World {
    /// Ends all faults, delivers what waits, lets everybody catch up, and compares.
    ///
    /// # Panics
    /// When somebody ends up with something else than the server holds (UP-5), or a rule of sequences was
    /// broken on the way.
    pub fn compare(&mut self) {
        self.faults.calm();
        let api = self.town.api();
        self.town.env().run(api.sweep()).expect("a calm store answers");
        self.town.env().settle();
        // Two seconds, so that what happened is older than what is asked now.
        self.town.pass(2);
        self.hear(Link::Good);
        for person in 0..PEOPLE {
            let truth = self.projection(person);
            for device in 0..DEVICES {
                let replica = self.replica(person, device);
                replica.difference();
                replica.check(&truth, &format!("person {person}, device {device}"));
            }
            self.compare_newcomer(person, &truth);
        }
        // One is enough in each schedule: lists take many calls.
        let person = self.town.env().draw(PEOPLE);
        self.compare_lists(person);
    }

    /// Lists and histories show what the store holds (UP-21).
    fn compare_lists(&mut self, person: usize) {
        let truth = self.projection(person);
        let lists = self.replica(person, 0).refetch();
        assert_eq!(
            lists.expect("a calm store answers").listed(),
            truth.listed(),
            "UP-21: the lists of person {person}"
        );
    }

    /// A client that was away since the beginning learns the same, in dense steps (UP-1).
    fn compare_newcomer(&mut self, person: usize, truth: &Knowledge) {
        let client = self.town.second_login(&self.people[person][0].client);
        let mut newcomer = Replica::from_the_start(client);
        let mut pts = newcomer.pts();
        newcomer.adopt(self.habits[person % self.habits.len()]);
        newcomer.difference();
        newcomer.check(truth, &format!("person {person}, a newcomer"));
        for (after, count) in &newcomer.moves {
            assert_eq!(pts + count, *after, "UP-1: a hole or an overlap at {pts}");
            pts = *after;
        }
        let again = functions::updates::GetDifference {
            pts: newcomer.pts(),
            date: i32::MAX,
            ..Default::default()
        };
        let again = newcomer.client.call(again).expect("a difference is answered");
        assert!(
            matches!(again, enums::updates::Difference::DifferenceEmpty(_)),
            "UP-6: {again:?}"
        );
    }

    /// After a schedule without edits and deletions: what was acknowledged is in its author's box and in
    /// everybody's it was for, and nothing is anywhere twice.
    ///
    /// # Panics
    /// When it is not so.
    pub fn check_acknowledged(&self) {
        let boxes: Vec<Vec<String>> = (0..PEOPLE).map(|person| self.texts(person)).collect();
        for (person, texts) in boxes.iter().enumerate() {
            for text in texts {
                let count = texts.iter().filter(|t| *t == text).count();
                assert_eq!(count, 1, "doubled in the box of person {person}: {text}");
            }
        }
        for (author, peer, text) in &self.acknowledged {
            let readers = (0..PEOPLE).filter(|n| *n == *author || *peer == Peer::User(self.user(*n)));
            for reader in readers {
                assert!(
                    boxes[reader].contains(text),
                    "acknowledged, but not in the box of person {reader}: {text}"
                );
            }
        }
    }

    fn texts(&self, person: usize) -> Vec<String> {
        self.projection(person)
            .messages
            .into_values()
            .map(|seen| seen.text)
            .collect()
    }

    /// Whether a person's box holds a message, whatever state the faults are in.
    pub(super) fn holds(&self, person: usize, id: i32) -> bool {
        let owner = self.user(person);
        let env = self.town.env();
        let mut world = world::World::new(self.faults.beneath(), env.now(), [0; 32], Secret([0; 32]));
        let found = env.run(messages::find(world.view_user(owner), MessageId(id)));
        found.expect("the store beneath answers").is_some()
    }

    /// What the server holds for a person, read from the store itself.
    fn projection(&self, person: usize) -> Knowledge {
        let owner = self.user(person);
        let api = self.town.api();
        self.town.env().run(async {
            let (mut world, shown_by) = (api.world(), api.world());
            let tx = world.view_user(owner);
            let dialogs = tx
                .records::<Dialog>(&keys::dialogs(), Order::Ascending, 1000)
                .await
                .expect("calm");
            let unread: i32 = dialogs.iter().map(|(_, dialog)| dialog.unread).sum();
            let counted = dialogs::unread(tx).await.expect("calm");
            assert_eq!(counted, Unread(unread), "unread of all conversations together");
            let mut knows = Knowledge::default();
            for (key, dialog) in dialogs {
                let peer = keys::peer_of(&key).expect("a dialog's key names its peer");
                let all = (MessageId(0), MessageId(i32::MAX));
                let stored = messages::page(tx, peer, all.0, all.1, Order::Ascending, 10_000)
                    .await
                    .expect("calm");
                check_dialog(&dialog, &stored);
                let mut named = havre_api::render::Named::default();
                for (id, message) in &stored {
                    let message = havre_api::render::message(&shown_by, peer, *id, message, &mut named);
                    knows.messages.extend(seen(&message));
                }
                let uncounted = &mut knows.uncounted;
                uncounted.draft(peer, Some(&havre_api::render::draft(&dialog)));
                uncounted.mark(peer, dialog.marked_unread);
                uncounted.mute(
                    peer,
                    &havre_api::render::notify_settings(dialog.notify.as_deref()),
                );
                let mark = |mark: MessageId| (mark.0 > 0).then_some((peer, mark.0));
                knows.read_inbox.extend(mark(dialog.read_inbox));
                knows.read_outbox.extend(mark(dialog.read_outbox));
                knows
                    .folders
                    .extend((dialog.folder != 0).then_some((peer, i32::from(dialog.folder))));
            }
            for folder in [0, FOLDER_ARCHIVE] {
                let order = dialogs::pins(tx, folder).await.expect("calm");
                knows.uncounted.order(i32::from(folder), order);
            }
            for (user, _) in contacts::all_blocked(tx).await.expect("calm") {
                knows.uncounted.block(user, true);
            }
            let rules = privacy::rules(tx, privacy::STATUS).await.expect("calm");
            knows.uncounted.privacy(rules.on_the_wire());
            knows
        })
    }
}

/// The numbers of a conversation agree with its messages (UP-21).
fn check_dialog(dialog: &Dialog, stored: &[(MessageId, messages::Message)]) {
    let unread = stored
        .iter()
        .filter(|(id, m)| !m.out && *id > dialog.read_inbox)
        .count();
    assert_eq!(usize::try_from(dialog.unread), Ok(unread), "UP-21: unread count");
    assert_eq!(
        usize::try_from(dialog.count),
        Ok(stored.len()),
        "count of messages"
    );
    assert_eq!(
        dialog.top,
        stored.last().map_or(MessageId(0), |(id, _)| *id),
        "top message"
    );
}

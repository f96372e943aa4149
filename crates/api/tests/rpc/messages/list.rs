//! A list of conversations in whichever form it is answered, and who has some.

use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};

use super::page::{chat_ids, id_of, user_ids};

/// Rows of conversations.
pub struct List {
    pub rows: Vec<enums::Dialog>,
    /// Ids of the messages that come along.
    pub message_ids: Vec<i32>,
    pub user_ids: Vec<i64>,
    pub chat_ids: Vec<i64>,
    /// How many there are in all.
    pub count: i32,
    /// Answered as all that there is.
    pub is_whole: bool,
}

impl List {
    fn new(rows: Vec<enums::Dialog>, messages: &[enums::Message]) -> Self {
        let count = i32::try_from(rows.len()).unwrap();
        Self {
            rows,
            message_ids: messages.iter().map(id_of).collect(),
            user_ids: Vec::new(),
            chat_ids: Vec::new(),
            count,
            is_whole: true,
        }
    }

    fn with(self, users: &[enums::User], chats: &[enums::Chat]) -> Self {
        Self {
            user_ids: user_ids(users),
            chat_ids: chat_ids(chats),
            ..self
        }
    }

    /// The conversations, without the archive's row.
    pub fn dialogs(&self) -> Vec<&types::Dialog> {
        let dialogs = self.rows.iter().filter_map(|row| match row {
            enums::Dialog::Dialog(dialog) => Some(dialog),
            _ => None,
        });
        dialogs.collect()
    }

    /// Whom the conversations are with: ids of people, groups' ones negative.
    pub fn peers(&self) -> Vec<i64> {
        self.dialogs().iter().map(|dialog| number(&dialog.peer)).collect()
    }

    /// The archive's row, which is the first when it is there.
    pub fn archive(&self) -> Option<&types::DialogFolder> {
        let later = self.rows.iter().skip(1);
        assert!(later.clone().all(|row| matches!(row, enums::Dialog::Dialog(_))));
        match self.rows.first() {
            Some(enums::Dialog::DialogFolder(row)) => Some(row),
            _ => None,
        }
    }
}

pub fn number(peer: &enums::Peer) -> i64 {
    match peer {
        enums::Peer::PeerUser(p) => p.user_id,
        enums::Peer::PeerChat(p) => -p.chat_id,
        enums::Peer::PeerChannel(p) => panic!("{p:?}"),
    }
}

pub fn list(answer: enums::messages::Dialogs) -> List {
    match answer {
        enums::messages::Dialogs::Dialogs(d) => List::new(d.dialogs, &d.messages).with(&d.users, &d.chats),
        enums::messages::Dialogs::DialogsSlice(d) => List {
            count: d.count,
            is_whole: false,
            ..List::new(d.dialogs, &d.messages).with(&d.users, &d.chats)
        },
        other => panic!("conversations are expected: {other:?}"),
    }
}

/// With the state that comes along.
pub fn peer_list(answer: enums::messages::PeerDialogs) -> (List, types::updates::State) {
    let enums::messages::PeerDialogs::PeerDialogs(d) = answer;
    let enums::updates::State::State(state) = d.state;
    (List::new(d.dialogs, &d.messages).with(&d.users, &d.chats), state)
}

/// Somebody and others, with each of whom there is a conversation of one message, the last one's newest.
pub struct Talkative {
    pub town: Town,
    pub me: Client,
    pub others: Vec<Client>,
}

pub fn talkative(seed: u64, others: usize) -> Talkative {
    let town = Town::new(seed);
    let me = town.person("79990000000", "Me");
    let phone = |n| format!("7999000{n:04}");
    let others: Vec<Client> = (1..=others).map(|n| town.person(&phone(n), "Other")).collect();
    for other in &others {
        town.pass(1);
        other.say(other.input_peer_of(&me), "hello").unwrap();
    }
    drop(me.pushed());
    Talkative { town, me, others }
}

impl Talkative {
    pub fn peer(&self, n: usize) -> enums::InputPeer {
        self.me.input_peer_of(&self.others[n])
    }

    pub fn dialog_peer(&self, n: usize) -> enums::InputDialogPeer {
        types::InputDialogPeer { peer: self.peer(n) }.into()
    }

    /// Ids of some of the others.
    pub fn ids(&self, of: &[usize]) -> Vec<i64> {
        of.iter().map(|n| self.others[*n].user().0).collect()
    }

    pub fn pin(&self, n: usize, pinned: bool) -> Result<bool, RpcError> {
        self.me.call(functions::messages::ToggleDialogPin {
            pinned,
            peer: self.dialog_peer(n),
        })
    }

    pub fn archive(&self, n: usize) {
        let moved = types::InputFolderPeer {
            peer: self.peer(n),
            folder_id: 1,
        };
        let folder_peers = vec![moved.into()];
        let moved = self.me.call(functions::folders::EditPeerFolders { folder_peers });
        moved.expect("a conversation is archived");
    }

    pub fn list(&self, request: functions::messages::GetDialogs) -> List {
        list(self.me.call(request).expect("conversations are listed"))
    }
}

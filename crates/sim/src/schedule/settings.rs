//! What people set, and what happens to their logins and logs.

use havre_api::error::RpcError;
use havre_domain::updates;
use havre_tl::{enums, functions, types};

use super::World;
use crate::replica::Replica;

/// When mutes of a schedule end, at the earliest.
const MUTED_FROM: i32 = 2_000_000_000;

impl World {
    pub(super) fn draft(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        text: u8,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let message = match text % 2 {
            0 => String::new(),
            _ => format!("draft {text}"),
        };
        let request = functions::messages::SaveDraft {
            peer: self.input_peer(person, device, peer),
            message: message.clone(),
            ..Default::default()
        };
        self.set(person, device, request)?;
        // Who saves it is not told of it.
        let drafts = &mut self.replica(person, device).knows.uncounted.drafts;
        match message.is_empty() {
            true => drop(drafts.remove(&peer)),
            false => drop(drafts.insert(peer, message)),
        }
        Ok(())
    }

    /// Calls a method that only says that it was done: the change comes as a push, or by the difference.
    fn set<F>(&mut self, person: usize, device: usize, request: F) -> Result<(), RpcError>
    where
        F: havre_tl::RemoteCall<Return = bool>,
    {
        self.replica(person, device).client.call(request).map(drop)
    }

    fn input_dialog(&self, person: usize, device: usize, to: usize) -> enums::InputDialogPeer {
        let peer = self.conversation(person, to);
        let peer = self.input_peer(person, device, peer);
        types::InputDialogPeer { peer }.into()
    }

    pub(super) fn mark(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        unread: bool,
    ) -> Result<(), RpcError> {
        let peer = self.input_dialog(person, device, to);
        let request = functions::messages::MarkDialogUnread {
            unread,
            peer,
            ..Default::default()
        };
        self.set(person, device, request)
    }

    pub(super) fn pin_dialog(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        pinned: bool,
    ) -> Result<(), RpcError> {
        let peer = self.input_dialog(person, device, to);
        self.set(
            person,
            device,
            functions::messages::ToggleDialogPin { pinned, peer },
        )
    }

    pub(super) fn reorder(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        force: bool,
    ) -> Result<(), RpcError> {
        let folders = &self.people[person][device].knows.folders;
        let folder_id = folders.get(&self.conversation(person, to)).copied().unwrap_or(0);
        let order = vec![self.input_dialog(person, device, to)];
        let request = functions::messages::ReorderPinnedDialogs {
            force,
            folder_id,
            order,
        };
        self.set(person, device, request)
    }

    pub(super) fn block(
        &mut self,
        person: usize,
        device: usize,
        whom: usize,
        back: bool,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, whom % super::PEOPLE);
        let id = self.input_peer(person, device, peer);
        if back {
            let request = functions::contacts::Unblock {
                id,
                ..Default::default()
            };
            return self.set(person, device, request);
        }
        let request = functions::contacts::Block {
            id,
            ..Default::default()
        };
        self.set(person, device, request)
    }

    pub(super) fn mute(
        &mut self,
        person: usize,
        device: usize,
        to: usize,
        until: u8,
    ) -> Result<(), RpcError> {
        let peer = self.conversation(person, to);
        let peer = self.input_peer(person, device, peer);
        let until = match until % 3 {
            0 => 0,
            _ => MUTED_FROM + i32::from(until),
        };
        let settings = types::InputPeerNotifySettings {
            mute_until: Some(until),
            ..Default::default()
        };
        let request = functions::account::UpdateNotifySettings {
            peer: types::InputNotifyPeer { peer }.into(),
            settings: settings.into(),
        };
        self.set(person, device, request)
    }

    pub(super) fn privacy(&mut self, person: usize, device: usize, rule: u8) -> Result<(), RpcError> {
        let rule = match rule % 3 {
            0 => enums::InputPrivacyRule::InputPrivacyValueAllowAll,
            1 => enums::InputPrivacyRule::InputPrivacyValueAllowContacts,
            _ => enums::InputPrivacyRule::InputPrivacyValueDisallowAll,
        };
        let request = functions::account::SetPrivacy {
            key: enums::InputPrivacyKey::InputPrivacyKeyStatusTimestamp,
            rules: vec![rule],
        };
        let replica = self.replica(person, device);
        replica.client.call(request).map(drop)
    }

    pub(super) fn reconnect(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
        let replica = self.replica(person, device);
        drop(replica.client.pushed());
        // What was not looked at is lost, so that the difference has to tell it.
        match replica.difference() {
            true => {
                replica.cut = false;
                Ok(())
            }
            false => Err(RpcError::TIMEOUT),
        }
    }

    /// A login ends and hears nothing more; the one in its place hears nothing from before (UP-28).
    pub(super) fn log_in_anew(&mut self, person: usize, device: usize) -> Result<(), RpcError> {
        let old = &self.people[person][device];
        old.client.call(functions::auth::LogOut {})?;
        drop(old.client.pushed());
        let refused = old.client.call(functions::updates::GetState {});
        assert_eq!(
            refused,
            Err(RpcError::AUTH_KEY_UNREGISTERED),
            "UP-28: a login that ended"
        );
        self.faults.calm();
        let client = self.town.second_login(&old.client);
        let (pushed, habits) = (client.pushed(), old.habits);
        assert!(pushed.is_empty(), "UP-28: a new login was pushed {pushed:?}");
        let mut new = Replica::new(client);
        new.adopt(habits);
        self.faults.excite();
        let old = std::mem::replace(&mut self.people[person][device], new);
        self.gone.push(old.client);
        Ok(())
    }

    pub(super) fn check_gone(&self) {
        for client in &self.gone {
            let pushed = client.pushed();
            assert!(
                pushed.is_empty(),
                "UP-28: a login that ended was pushed {pushed:?}"
            );
        }
    }

    pub(super) fn compact(&mut self, person: usize, kept: usize) -> Result<(), RpcError> {
        let (owner, api) = (self.user(person), self.town.api());
        let done = self.town.env().run(async {
            let mut world = api.world();
            updates::compact(world.user(owner)?, kept).await?;
            world.commit().await
        });
        done.map(drop).map_err(|_| RpcError::TIMEOUT)
    }
}

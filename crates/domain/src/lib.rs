//! The rules. Knows partitions; never HTTP, sockets, clocks.
//!
//! Reading order: [`ids`], [`keys`] (THE schema), [`tx`] (one partition), [`world`] (what a deed sees),
//! [`updates`] and [`outbox`] (how boxes change and how partitions speak to each other), then one noun
//! one file.

pub mod acquaintances;
pub mod auth_keys;
pub mod cbor;
pub mod channel_dialogs;
pub mod channel_members;
pub mod channel_messages;
pub mod channels;
pub mod chats;
pub mod contacts;
pub mod dialogs;
pub mod direct;
pub mod files;
pub mod flood;
pub mod ids;
pub mod invitations;
pub mod invites;
pub mod keys;
pub mod limits;
pub mod login_emails;
pub mod messages;
pub mod outbox;
pub mod passkeys;
pub mod password;
pub mod phones;
pub mod photos;
pub mod privacy;
pub mod random_ids;
pub mod record;
pub mod search;
pub mod sessions;
pub mod srp;
pub mod successions;
pub mod toll;
pub mod turns;
pub mod tx;
pub mod updates;
pub mod usernames;
pub mod users;
pub mod waiting_room;
pub mod webauthn;
pub mod world;

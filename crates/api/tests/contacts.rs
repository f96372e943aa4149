//! `contacts.*` over the one door.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "rpc/contacts/add_contact.rs"]
mod add_contact;
#[path = "rpc/contacts/block.rs"]
mod block;
#[path = "rpc/contacts/get_contacts.rs"]
mod get_contacts;
#[path = "rpc/contacts/import_contacts.rs"]
mod import_contacts;
#[path = "rpc/contacts/resolve_phone.rs"]
mod resolve_phone;
#[path = "rpc/contacts/search.rs"]
mod search;

//! `folders.*`
pub mod edit_peer_folders;

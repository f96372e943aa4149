//! `channels.*`
mod answers;
pub mod check_username;
pub mod create_channel;
pub mod delete_messages;
pub mod edit_admin;
pub mod edit_banned;
pub mod edit_title;
pub mod get_channels;
pub mod get_full_channel;
pub mod get_messages;
pub mod get_participant;
pub mod get_participants;
pub mod invite_to_channel;
pub mod join_channel;
pub mod leave_channel;
pub mod read_history;
pub mod update_username;

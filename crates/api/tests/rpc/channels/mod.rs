pub mod channel;
mod create_channel;
mod difference;
mod members;
mod posting;
mod profile;
mod read_history;

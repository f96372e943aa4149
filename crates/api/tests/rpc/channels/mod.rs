pub mod channel;
mod create_channel;
mod difference;
mod links;
mod members;
mod posting;
mod profile;
mod read_history;
mod settings;

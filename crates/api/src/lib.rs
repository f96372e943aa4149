//! What clients may ask and will be told. Never a socket.
//!
//! [`dispatch`] is the one door: a call comes in as bytes, is unwrapped, brought to the canonical layer,
//! run by its handler under [`rpc`], committed, answered. [`live`] pushes what happened to who is connected.

pub mod codes;
pub mod content;
mod counting;
pub mod cx;
pub mod dispatch;
pub mod error;
mod invitations;
pub mod keys;
pub mod live;
pub mod notices;
pub mod render;
pub mod rooms;
pub mod rpc;
pub mod telling;
pub mod uploads;
mod wire;
mod wrappers;

/// The data centre that clients are told is theirs, and where files are said to be.
pub const DC_ID: i32 = 2;
/// Every data centre that clients may know of. Labels are not identity: all of them are here.
pub const DC_IDS: std::ops::RangeInclusive<i32> = 1..=5;

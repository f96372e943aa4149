//! How login codes leave the server.
//!
//! A [`provider::Provider`] takes one code to one number. The [`exchange::Exchange`] stands in front of
//! one or several of them: it queues, chooses by country and preference, keeps to what each can take, and
//! passes over one that is down.
//!
//! The decisions are [`switchboard::Switchboard`]'s, which is given time and jitter as arguments; what
//! runs it on sockets and clocks is thin. This crate never knows what a code is for, nor who asked.

pub mod circuit;
pub mod console;
pub mod exchange;
pub mod pace;
pub mod provider;
pub mod route;
pub mod smpp;
pub mod smtp;
pub mod switchboard;
pub mod tls;
pub mod webhook;

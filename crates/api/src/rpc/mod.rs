//! The methods: `messages.sendMessage` is `messages/send_message.rs`, and so for all of them. Each file has
//! `ACCESS`, who may call it, and `call`: parse, do, render.

mod account;
mod auth;
mod channels;
mod contacts;
mod folders;
mod help;
mod langpack;
mod messages;
mod photos;
mod updates;
mod upload;
mod users;

use futures::future::BoxFuture;
use havre_metrics::Namespace;
use havre_tl::{Identifiable, RemoteCall, Serialize as _, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

include!(concat!(env!("OUT_DIR"), "/route.rs"));

/// Runs a method: `body` starts with the constructor id `method`, in the canonical layer. Answers with
/// the result's bytes in the canonical layer.
///
/// # Errors
/// What the method says, and `400 INPUT_METHOD_INVALID` for what is not built.
pub async fn run(cx: &mut Cx, method: u32, body: &[u8]) -> Result<Vec<u8>, Error> {
    route(cx, method, body).await
}

/// The part of the API that a method belongs to; [`Namespace::Other`] for what is not built.
#[must_use]
pub fn namespace(method: u32) -> Namespace {
    part(method)
}

fn permit(cx: &Cx, access: Access) -> Result<(), Error> {
    match access {
        Access::Open => Ok(()),
        Access::Login => cx.me().map(drop),
    }
}

fn parse<F: RemoteCall>(body: &[u8]) -> Result<F, Error> {
    F::from_bytes(body).map_err(|_| RpcError::INPUT_REQUEST_INVALID.into())
}

fn answer<F: RemoteCall>(result: &F::Return) -> Vec<u8> {
    result.to_bytes()
}

/// How a call begins that may come before the client said anything of itself: a temporary key binds itself
/// first.
pub const BIND: [u8; 4] = functions::auth::BindTempAuthKey::CONSTRUCTOR_ID.to_le_bytes();

/// Whether a temporary key may call a method before it is bound (RP-5).
#[must_use]
pub fn before_binding(method: u32) -> bool {
    [
        functions::auth::BindTempAuthKey::CONSTRUCTOR_ID,
        functions::help::GetConfig::CONSTRUCTOR_ID,
        functions::help::GetNearestDc::CONSTRUCTOR_ID,
    ]
    .contains(&method)
}

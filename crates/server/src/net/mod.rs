//! Sockets in, packets through, sockets out. Knows no rule of messaging: calls go to the API as bytes.

pub mod admission;
pub mod gateway;
pub mod registry;
pub mod tcp;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

/// Opens the port of clients.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on"))
}

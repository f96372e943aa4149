//! Sockets in, packets through, sockets out. Knows no rule of messaging: calls go to the API as bytes.

pub mod admission;
pub mod gateway;
pub mod registry;
pub mod tcp;

use std::io;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted. After a restart all clients come at once, and whoever finds no place
/// tries again a second later; the system lowers this to what it allows (Linux: net.core.somaxconn, 4,096).
const BACKLOG: u32 = 65_535;

/// Opens the port of clients.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    listen(address).with_context(|| format!("{address} cannot be listened on"))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of a server that ended a moment ago do not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpStream;

    use super::*;

    /// More than the usual 1,024, less than the 4,096 that Linux allows by default.
    const AT_ONCE: usize = 1_500;

    #[tokio::test]
    async fn everybody_who_comes_at_once_has_a_place_before_anybody_is_served() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        for n in 0..AT_ONCE {
            // The system repeats a refused attempt after a second; nobody may have to wait for that.
            let connected = tokio::time::timeout(Duration::from_millis(900), TcpStream::connect(address));
            held.push(
                connected
                    .await
                    .unwrap_or_else(|_| panic!("number {n} waits"))
                    .unwrap(),
            );
        }
    }
}

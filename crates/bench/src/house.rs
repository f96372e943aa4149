//! Where a server is started, and started again on the same data.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Result;
use havre_bench::process::Server;
use tempfile::TempDir;

/// A program, its data, which are removed afterwards, and where its clients go.
pub struct House {
    /// The program.
    pub havre: PathBuf,
    data: TempDir,
    address: SocketAddr,
}

impl House {
    /// A new one, for the server that was named or the one beside this program.
    pub fn new(havre: Option<PathBuf>) -> Result<Self> {
        let beside = || anyhow::Ok(std::env::current_exe()?.with_file_name("havre"));
        Ok(Self {
            havre: havre.map_or_else(beside, Ok)?,
            data: tempfile::tempdir()?,
            address: free_address()?,
        })
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Starts the server, with settings (`key=value`).
    pub fn open(&self, settings: &[&str]) -> Result<Server> {
        let data = self.data.path();
        Server::start_with(&self.havre, data, self.address, &data.join("log"), settings)
    }
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

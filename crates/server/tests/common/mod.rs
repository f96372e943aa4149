//! The real binary as a server for tests.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const HAVRE: &str = env!("CARGO_BIN_EXE_havre");

pub fn havre(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(HAVRE);
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("HAVRE_LISTEN", "127.0.0.1:0");
    command
}

/// A server that runs until it is dropped.
pub struct Server {
    process: Child,
    pub greeting: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// With settings, as in `dc_id=3`.
    pub fn start_with(data: &Path, settings: &[&str]) -> Self {
        let mut command = havre(&["serve"], data);
        for setting in settings {
            command.args(["--set", setting]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Login codes") {
            assert_ne!(
                output.read_line(&mut greeting).unwrap(),
                0,
                "the server ended: {greeting}"
            );
        }
        Self { process, greeting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let line = self.greeting.lines().next().unwrap();
        let address = line.strip_prefix("Havre listens on ").unwrap().split(';').next();
        address.unwrap().parse().unwrap()
    }

    /// Bytes of memory that it has now.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes << 10
    }

    /// As an operator stops it.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either it runs and is ours to end, or it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Every door that strangers' bytes come in by, as functions for fuzzers: each takes any bytes, and panics
//! when something is true that never may be. `fuzz/` runs them under libFuzzer; a test of this crate replays
//! the corpora.
//!
//! Input is cut into pieces: two bytes of length (little-endian), then so many bytes; what is left at the end
//! is the last piece.

mod call;
mod passkey;
mod session;
pub mod wire;

pub use call::{call, language};
pub use passkey::passkey;
pub use session::session;
pub use wire::{handshake, stream};

/// Takes any bytes.
pub type Door = fn(&[u8]);

/// Each door's name, as its corpus is called.
pub const DOORS: [(&str, Door); 6] = [
    ("stream", stream),
    ("handshake", handshake),
    ("session", session),
    ("language", language),
    ("call", call),
    ("passkey", passkey),
];

/// Most pieces of one input.
const PIECES_MAX: usize = 64;

/// The pieces of an input.
fn pieces(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let next = std::iter::from_fn(move || {
        let (len, rest) = input.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (piece, rest) = rest.split_at(len);
        input = rest;
        Some(piece)
    });
    next.take(PIECES_MAX)
}

/// An input of these pieces, for corpora.
///
/// # Panics
/// When a piece is longer than 65,535 bytes.
#[must_use]
pub fn input_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut input = Vec::new();
    for piece in pieces {
        let len = u16::try_from(piece.len()).expect("a short piece");
        input.extend(len.to_le_bytes());
        input.extend(piece);
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_what_an_input_was_made_of() {
        let made = input_of([&b"one"[..], b"", b"three"]);
        assert!(pieces(&made).eq([&b"one"[..], b"", b"three"]));
        let cut = &made[..made.len() - 2];
        assert!(pieces(cut).eq([&b"one"[..], b"", b"thr"]));
    }
}

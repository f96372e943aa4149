//! The built-in addresses, in the two forms that compilers give them.
//!
//! Text that ends with NUL is the one. The other is made by clang with libc++ on x86-64: a `std::string` of at most 22
//! characters lies in three words, the first of which begins with twice the length, and the words are constants of
//! instructions (`movabs`). Apps read addresses with functions of C, so a NUL ends them whatever length is written
//! beside.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, bail};
use memchr::{memchr, memmem};

use super::Patch;

/// How the addresses of Telegram's networks begin, as they are written in apps.
const NETWORKS: [&str; 8] = [
    "149.154.",
    "91.105.",
    "91.108.",
    "95.161.",
    "2001:b28:f23",
    "2001:0b28:f23",
    "2001:67c:4e8:",
    "2001:067c:04e8:",
];

/// A piece of most addresses. Where it stands and nothing is known to be an address, something was not understood.
const TELLTALE: &[u8] = b"149.154";

/// Characters of the longest address, and the NUL.
const TEXT_LEN_MAX: usize = 46;

/// The addresses of TDLib, for their words (`ConnectionCreator::get_default_dc_options`, TDLib 1.8.65).
const TDLIB_IPV4: [&str; 9] = [
    "149.154.175.10",
    "149.154.167.40",
    "149.154.175.117",
    "149.154.175.50",
    "149.154.167.51",
    "95.161.76.100",
    "149.154.175.100",
    "149.154.167.91",
    "149.154.171.5",
];
const TDLIB_IPV6: [&str; 8] = [
    "2001:b28:f23d:f001::e",
    "2001:67c:4e8:f002::e",
    "2001:b28:f23d:f003::e",
    "2001:b28:f23d:f001::a",
    "2001:67c:4e8:f002::a",
    "2001:b28:f23d:f003::a",
    "2001:67c:4e8:f004::a",
    "2001:b28:f23f:f005::a",
];

/// Characters of a string in its first word, beside the length.
const FIRST_LEN: usize = 7;

/// Characters that may be written in the first two words: a NUL must follow in the second, for the third may be anything.
const WORDS_LEN_MAX: usize = 14;

/// What stands in the place of an IPv6 address where an IPv4 address does not fit: a network where nobody answers
/// (RFC 6666).
const NOBODY: &str = "100::";

/// What was found.
#[derive(Default)]
pub(super) struct Addresses {
    pub(super) patches: Vec<Patch>,
    pub(super) ipv4: usize,
    pub(super) ipv6: usize,
}

/// Overwrites every built-in address by `host`.
pub(super) fn find(original: &[u8], host: Ipv4Addr) -> Result<Addresses> {
    let mut found = texts(original, host)?;
    if found.patches.is_empty() {
        found = words(original, host)?;
    }
    let known = |at| found.patches.iter().any(|patch| patch.covers(at));
    if memmem::find_iter(original, TELLTALE).any(|at| !known(at)) {
        bail!("it holds addresses in a form that is not known here");
    }
    if found.ipv4 == 0 {
        bail!("it holds no addresses of Telegram's in a form that is known here");
    }
    Ok(found)
}

fn texts(original: &[u8], host: Ipv4Addr) -> Result<Addresses> {
    let mut found = Addresses::default();
    let mut room = usize::MAX;
    for (at, old) in NETWORKS.iter().flat_map(|network| texts_of(original, network)) {
        let new = match old.parse() {
            Ok(IpAddr::V4(_)) => {
                found.ipv4 += 1;
                room = room.min(old.len());
                host.to_string()
            }
            Ok(IpAddr::V6(_)) => {
                found.ipv6 += 1;
                mapped(host)
            }
            Err(_) => continue,
        };
        let bytes = ended(&new, old.len());
        found.patches.push(Patch { at, bytes });
    }
    check_room(host, room)?;
    Ok(found)
}

/// Texts of their own that begin so, and where they are.
fn texts_of<'a>(original: &'a [u8], start: &str) -> Vec<(usize, &'a str)> {
    memmem::find_iter(original, start)
        .filter(|at| at.checked_sub(1).is_none_or(|before| original[before] == 0))
        .filter_map(|at| Some((at, text_at(original, at)?)))
        .collect()
}

/// Refuses a host that is longer than the shortest IPv4 address.
fn check_room(host: Ipv4Addr, room: usize) -> Result<()> {
    if host.to_string().len() > room {
        bail!("{host} is too long for it: {room} characters at most");
    }
    Ok(())
}

/// The text from here to its NUL.
fn text_at(original: &[u8], at: usize) -> Option<&str> {
    let rest = &original[at..original.len().min(at + TEXT_LEN_MAX)];
    str::from_utf8(&rest[..memchr(0, rest)?]).ok()
}

/// The text and a NUL, never more than there is room for. What follows of the old text stays: linkers let other texts share the ends of longer ones.
fn ended(new: &str, room: usize) -> Vec<u8> {
    let mut bytes = new.as_bytes().to_vec();
    bytes.push(0);
    bytes.truncate(room);
    bytes
}

/// An IPv4 address as systems take it where they want IPv6, in its shortest form (RFC 4291, 2.5.5.2).
fn mapped(host: Ipv4Addr) -> String {
    let [a, b, c, d] = host.octets().map(u16::from);
    format!("::ffff:{:x}:{:x}", a << 8 | b, c << 8 | d)
}

fn words(original: &[u8], host: Ipv4Addr) -> Result<Addresses> {
    let ipv4 = host.to_string();
    let mut ipv6 = mapped(host);
    if ipv6.len() > WORDS_LEN_MAX {
        NOBODY.clone_into(&mut ipv6);
    }
    let mut found = Addresses::default();
    found.ipv4 = overwrite(original, &TDLIB_IPV4, &ipv4, &mut found.patches);
    found.ipv6 = overwrite(original, &TDLIB_IPV6, &ipv6, &mut found.patches);
    if found.ipv4 > 0 && (found.ipv4, found.ipv6) != (TDLIB_IPV4.len(), TDLIB_IPV6.len()) {
        bail!(
            "it holds only {} of TDLib's 17 addresses",
            found.ipv4 + found.ipv6
        );
    }
    if found.ipv4 > 0 {
        check_room(host, TDLIB_IPV4.iter().map(|old| old.len()).min().unwrap_or(0))?;
    }
    Ok(found)
}

/// Overwrites the first two words of addresses; gives how many second words there were, one for each address. First words
/// are shared: the code adds to one what others differ by in length.
fn overwrite(original: &[u8], old: &[&str], new: &str, patches: &mut Vec<Patch>) -> usize {
    let characters = padded(new);
    let mut seconds: Vec<[u8; 8]> = old.iter().map(|old| second_word(old)).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let mut count = 0;
    for second in seconds {
        for at in constants(original, &second) {
            patches.push(Patch {
                at,
                bytes: characters[FIRST_LEN..].to_vec(),
            });
            count += 1;
        }
    }
    let mut firsts: Vec<&[u8]> = old.iter().map(|old| &old.as_bytes()[..FIRST_LEN]).collect();
    firsts.sort_unstable();
    firsts.dedup();
    for first in firsts {
        for at in memmem::find_iter(original, first).filter(|at| is_first_word(original, *at)) {
            patches.push(Patch {
                at,
                bytes: characters[..FIRST_LEN].to_vec(),
            });
        }
    }
    count
}

/// As many characters as the first two words hold.
fn padded(text: &str) -> [u8; FIRST_LEN + 8] {
    let mut characters = [0; FIRST_LEN + 8];
    let len = text.len().min(characters.len());
    characters[..len].copy_from_slice(&text.as_bytes()[..len]);
    characters
}

fn second_word(text: &str) -> [u8; 8] {
    let mut word = [0; 8];
    word.copy_from_slice(&padded(text)[FIRST_LEN..]);
    word
}

/// Where instructions load a word.
fn constants(original: &[u8], word: &[u8; 8]) -> Vec<usize> {
    memmem::find_iter(original, word)
        .filter(|at| follows_movabs(original, *at))
        .collect()
}

/// Whether a first word of a short string is loaded whose characters begin here.
fn is_first_word(original: &[u8], at: usize) -> bool {
    at > 0 && original[at - 1].is_multiple_of(2) && follows_movabs(original, at - 1)
}

/// `movabs r64, imm64`: a prefix that says 64 bits, and an operation code with the register in it.
fn follows_movabs(original: &[u8], at: usize) -> bool {
    matches!(
        at.checked_sub(2).map(|from| &original[from..at]),
        Some([0x48 | 0x49, 0xb8..=0xbf])
    )
}

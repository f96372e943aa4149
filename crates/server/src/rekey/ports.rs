//! The ports.

use anyhow::{Result, bail};
use memchr::memmem;

use super::Patch;

/// Telegram Desktop: a table of `{ int id; const char *ip; int port; }`, all with this port.
const TABLE_PORT: u32 = 443;
const RECORD_LEN: usize = 24;
/// Where the port is in a record.
const PORT_AT: usize = 16;

/// TDLib: the list 443, 80, 5222, whose first two compilers write as one constant of 64 bits.
const LIST_HEAD: [u8; 8] = [0xbb, 0x01, 0, 0, 0x50, 0, 0, 0];
const LIST_TAIL: [u8; 4] = [0x66, 0x14, 0, 0];
/// The third is at most so many bytes of instructions after the first two.
const LIST_GAP_MAX: usize = 96;

/// Overwrites every port of the built-in addresses by `port`.
pub(super) fn find(original: &[u8], port: u16) -> Result<Vec<Patch>> {
    let mut places = table(original);
    if places.is_empty() {
        places = list(original)?;
    }
    let bytes = u32::from(port).to_le_bytes().to_vec();
    let patch = |at| Patch {
        at,
        bytes: bytes.clone(),
    };
    Ok(places.into_iter().map(patch).collect())
}

/// The table's ports. A record alone is chance; the table has several in a row.
fn table(original: &[u8]) -> Vec<usize> {
    memmem::find_iter(original, &TABLE_PORT.to_le_bytes())
        .filter(|at| {
            let Some(record) = at.checked_sub(PORT_AT) else {
                return false;
            };
            let after = is_record(original, record + RECORD_LEN);
            let before = record
                .checked_sub(RECORD_LEN)
                .is_some_and(|at| is_record(original, at));
            is_record(original, record) && (after || before)
        })
        .collect()
}

fn is_record(original: &[u8], at: usize) -> bool {
    let Some(record) = original.get(at..at + RECORD_LEN) else {
        return false;
    };
    let (id, port) = (&record[..8], &record[PORT_AT..]);
    matches!(id, [1..=5, 0, 0, 0, 0, 0, 0, 0]) && port == u64::from(TABLE_PORT).to_le_bytes()
}

/// The three of the list, which must be there once.
fn list(original: &[u8]) -> Result<Vec<usize>> {
    let lists: Vec<[usize; 3]> = memmem::find_iter(original, &LIST_HEAD)
        .filter_map(|at| {
            let after = at + LIST_HEAD.len();
            let window = &original[after..original.len().min(after + LIST_GAP_MAX)];
            let tail = memmem::find(window, &LIST_TAIL)?;
            Some([at, at + 4, after + tail])
        })
        .collect();
    match lists.as_slice() {
        [places] => Ok(places.to_vec()),
        [] => bail!("it holds no list of ports in a form that is known here"),
        _ => bail!("it holds {} lists that may be the ports", lists.len()),
    }
}

//! The part of CBOR (RFC 8949) in which WebAuthn writes keys and attestations: CTAP2 allows definite lengths
//! only, and that is all that is read here. Every length is checked against what is there.

/// Containers within one another that are skipped at most.
const DEPTH_MAX: usize = 8;

/// One item; of a container only the number of its items, which follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An integer; those beyond 64 bits are not read.
    Int(i64),
    /// A string of bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// So many items follow.
    Array(usize),
    /// So many pairs of items follow.
    Map(usize),
    /// A tag, a float, true, false, null: nothing that is looked at.
    Other,
}

/// Reads items one after another.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next item; nothing for what is not well-formed, not definite, or not all there.
    pub fn item(&mut self) -> Option<Item<'a>> {
        let (&initial, rest) = self.rest.split_first()?;
        self.rest = rest;
        let argument = self.argument(initial & 0x1f)?;
        let signed = i64::try_from(argument).ok();
        match initial >> 5 {
            0 => Some(Item::Int(signed?)),
            1 => Some(Item::Int(-1 - signed?)),
            2 => Some(Item::Bytes(self.take(argument)?)),
            3 => Some(Item::Text(std::str::from_utf8(self.take(argument)?).ok()?)),
            4 => Some(Item::Array(self.count(argument)?)),
            5 => Some(Item::Map(self.count(argument)?)),
            _ => Some(Item::Other),
        }
    }

    /// Passes over the next item with all that is in it.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: usize) -> Option<()> {
        let tagged = self.rest.first()? >> 5 == 6;
        let inside = match self.item()? {
            Item::Array(count) => count,
            Item::Map(pairs) => pairs.checked_mul(2)?,
            Item::Other if tagged => 1,
            _ => 0,
        };
        for _ in 0..inside {
            self.skip_within(depth.checked_sub(1)?)?;
        }
        Some(())
    }

    fn argument(&mut self, additional: u8) -> Option<u64> {
        let len = match additional {
            small @ 0..=23 => return Some(u64::from(small)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let bytes = self.take(len)?;
        Some(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// A number of items that may be there: each takes a byte at least.
    fn count(&self, count: u64) -> Option<usize> {
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(bytes: &[u8]) -> Option<Item<'_>> {
        Reader::new(bytes).item()
    }

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn items_read_as_the_standard_says() {
        assert_eq!(one(&[0x17]), Some(Item::Int(23)));
        assert_eq!(one(&[0x18, 0x64]), Some(Item::Int(100)));
        assert_eq!(one(&[0x19, 0x03, 0xe8]), Some(Item::Int(1000)));
        assert_eq!(one(&[0x39, 0x03, 0xe7]), Some(Item::Int(-1000)));
        assert_eq!(one(&[0x44, 1, 2, 3, 4]), Some(Item::Bytes(&[1, 2, 3, 4])));
        assert_eq!(one(&[0x64, b'I', b'E', b'T', b'F']), Some(Item::Text("IETF")));
        assert_eq!(one(&[0xf6]), Some(Item::Other));
        assert_eq!(one(&[0x82, 1, 2]), Some(Item::Array(2)));
        assert_eq!(one(&[0xa1, 1, 2]), Some(Item::Map(1)));
    }

    #[test]
    fn what_is_indefinite_or_cut_short_is_refused() {
        for bytes in [
            &[][..],
            &[0x5f, 0x41, 0, 0xff],
            &[0x9f, 0xff],
            &[0x44, 1],
            &[0x19, 3],
            &[0x84, 1],
        ] {
            assert_eq!(one(bytes), None, "{bytes:?}");
        }
        assert_eq!(one(&[0x62, 0xff, 0xff]), None, "not a text");
        assert_eq!(one(&[0x1b, 0xff, 0, 0, 0, 0, 0, 0, 0]), None, "beyond 64 bits");
        assert_eq!(one(&[0x9b, 0xff, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn whole_items_are_passed_over() {
        // {"a": [1, 1(0)], 2: h'00'}, 7
        let bytes = [0xa2, 0x61, b'a', 0x82, 1, 0xc1, 0, 2, 0x41, 0, 7];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.skip(), Some(()));
        assert_eq!(reader.item(), Some(Item::Int(7)));
        assert!(reader.rest().is_empty());
        let deep = [[0x81; 9].as_slice(), &[0]].concat();
        assert_eq!(Reader::new(&deep).skip(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_twice_or_beyond_the_end(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            let mut left = bytes.len();
            while reader.skip().is_some() {
                prop_assert!(reader.rest().len() < left);
                left = reader.rest().len();
            }
        }
    }
}

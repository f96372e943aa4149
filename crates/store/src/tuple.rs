//! Tuples as bytes whose order is the order of the tuples.
//!
//! | element | bytes |
//! | --- | --- |
//! | `u8`, `u32`, `u64` | big-endian |
//! | `i64` | big-endian with the sign bit flipped, so negative numbers come first |
//! | bytes | each `00` as `00 01`, ended by `00 00`, so a prefix comes before what it begins |
//!
//! Elements carry no type: two tuples compare as meant when they have the same shape up to where they
//! first differ. Start each shape with a tag of its own.

use bytes::Bytes;

const ESCAPE: u8 = 0;
const ESCAPED_ZERO: u8 = 1;
const TERMINATOR: u8 = 0;
const SIGN: u64 = 1 << 63;

/// Writes a tuple, element by element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// The empty tuple.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one byte; also the way to write a tag.
    #[must_use]
    pub fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    /// Appends a number in 4 bytes.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a number in 8 bytes.
    #[must_use]
    pub fn u64(self, value: u64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a signed number in 8 bytes.
    #[must_use]
    pub fn i64(self, value: i64) -> Self {
        self.u64(value.cast_unsigned() ^ SIGN)
    }

    /// Appends a byte string of any length, escaped and terminated.
    #[must_use]
    pub fn bytes(mut self, value: &[u8]) -> Self {
        for &byte in value {
            self.0.push(byte);
            if byte == ESCAPE {
                self.0.push(ESCAPED_ZERO);
            }
        }
        self.raw(&[ESCAPE, TERMINATOR])
    }

    /// Appends bytes as they are. Order and reading back hold only for the last element of a tuple.
    #[must_use]
    pub fn raw(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    /// The tuple.
    pub fn finish(self) -> Bytes {
        self.0.into()
    }

    /// The range of every tuple that starts with this one: first key inclusive, last key exclusive.
    /// `None` if there is no key above them all, which takes a tuple of `ff` bytes only.
    pub fn span(self) -> Option<(Bytes, Bytes)> {
        let end = successor(&self.0)?;
        Some((self.finish(), end))
    }
}

/// The lowest key above every key that starts with `prefix`; `None` if there is none.
pub fn successor(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end.into())
}

/// The bytes are not a tuple of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not have the expected shape")]
pub struct Malformed;

/// Reads a tuple back, element by element, in the order of writing.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `tuple`.
    pub fn new(tuple: &'a [u8]) -> Self {
        Self(tuple)
    }

    /// The next byte.
    ///
    /// # Errors
    /// The tuple ends here.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next number of 4 bytes.
    ///
    /// # Errors
    /// The tuple ends before.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next number of 8 bytes.
    ///
    /// # Errors
    /// The tuple ends before.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// The next signed number of 8 bytes.
    ///
    /// # Errors
    /// The tuple ends before.
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.u64().map(|value| (value ^ SIGN).cast_signed())
    }

    /// The next byte string, without its escapes and terminator.
    ///
    /// # Errors
    /// The string is not terminated, or has an escape that [`Writer::bytes`] never writes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Malformed> {
        let mut value = Vec::new();
        loop {
            match self.u8()? {
                ESCAPE => match self.u8()? {
                    TERMINATOR => return Ok(value),
                    ESCAPED_ZERO => value.push(0),
                    _ => return Err(Malformed),
                },
                byte => value.push(byte),
            }
        }
    }

    /// The next `len` bytes as they are.
    ///
    /// # Errors
    /// The tuple ends before.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    /// Everything that was not read yet.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Confirms that everything was read.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = tail;
        Ok(*head)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Elements = (u8, Vec<u8>, i64, Vec<u8>, u32, u64);

    fn elements() -> impl Strategy<Value = Elements> {
        // Few distinct bytes, so that strings are often prefixes of one another.
        let string = || prop::collection::vec(prop::sample::select(vec![0, 1, 2, 254, 255]), 0..4);
        let number = prop_oneof![Just(i64::MIN), Just(-1), Just(0), Just(i64::MAX), any::<i64>()];
        (0u8..3, string(), number, string(), any::<u32>(), any::<u64>())
    }

    fn write((tag, first, number, second, small, big): &Elements) -> Bytes {
        Writer::new()
            .u8(*tag)
            .bytes(first)
            .i64(*number)
            .bytes(second)
            .u32(*small)
            .u64(*big)
            .finish()
    }

    fn read(tuple: &[u8]) -> Result<Elements, Malformed> {
        let mut reader = Reader::new(tuple);
        let elements = (
            reader.u8()?,
            reader.bytes()?,
            reader.i64()?,
            reader.bytes()?,
            reader.u32()?,
            reader.u64()?,
        );
        reader.finish().map(|()| elements)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(elements in elements()) {
            prop_assert_eq!(read(&write(&elements)), Ok(elements));
        }

        #[test]
        fn order_of_bytes_is_order_of_tuples(a in elements(), b in elements()) {
            prop_assert_eq!(write(&a).cmp(&write(&b)), a.cmp(&b));
        }

        #[test]
        fn reading_never_panics(tuple in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(elements) = read(&tuple) {
                prop_assert_eq!(write(&elements), tuple);
            }
        }

        #[test]
        fn span_holds_exactly_what_starts_alike(
            prefix in prop::collection::vec(prop::sample::select(vec![0u8, 1, 254, 255]), 1..4),
            key in prop::collection::vec(prop::sample::select(vec![0u8, 1, 254, 255]), 0..6),
        ) {
            let inside = match Writer::new().raw(&prefix).span() {
                Some((start, end)) => start <= key && key < end,
                None => key >= prefix,
            };
            prop_assert_eq!(inside, key.starts_with(&prefix));
        }
    }

    #[test]
    fn a_cut_tuple_is_malformed() {
        let tuple = write(&(1, b"a\0b".to_vec(), -5, Vec::new(), 7, 9));
        for len in 0..tuple.len() {
            assert_eq!(read(&tuple[..len]), Err(Malformed), "{len} bytes");
        }
    }
}

//! The binary form of TL: little-endian words, strings padded to four bytes, types announced by the id of their constructor.
//!
//! Source: <https://core.telegram.org/mtproto/serialize>. Reading is bounded by [`Limits`] and fails with [`DecodeError`]; no input
//! makes it panic or allocate beyond a small multiple of the input.

/// Levels of types within types that are read by default. Rich text nests deepest in practice, some twenty levels.
pub const DEPTH_MAX: u32 = 48;
/// Elements of one vector that are read by default.
pub const VECTOR_LEN_MAX: usize = 16_384;
/// Bytes of one string that are read by default: the largest part of a file that a client may ask for.
pub const BYTES_LEN_MAX: usize = 1 << 20;

/// Room reserved for a vector before its elements have been seen.
const VECTOR_RESERVE_MAX: usize = 64;
/// Every value of the wire takes at least one word.
const WORD_LEN: usize = 4;

pub(crate) const VECTOR_ID: u32 = 0x1cb5_c415;
const BOOL_TRUE_ID: u32 = 0x9972_75b5;
const BOOL_FALSE_ID: u32 = 0xbc79_9737;

/// The first byte of a string that is longer than 253 bytes.
const LONG_STRING_MARK: u8 = 254;

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of types within types.
    pub depth_max: u32,
    /// Elements of one vector.
    pub vector_len_max: usize,
    /// Bytes of one string.
    pub bytes_len_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: DEPTH_MAX,
            vector_len_max: VECTOR_LEN_MAX,
            bytes_len_max: BYTES_LEN_MAX,
        }
    }
}

/// Why bytes are not the value that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the value.
    #[error("input ends inside a value")]
    UnexpectedEnd,
    /// Bytes are left over after the value.
    #[error("{0} bytes follow the value")]
    TrailingBytes(usize),
    /// The constructor id is unknown, or not one of the type expected here.
    #[error("constructor {id:#010x} is not one of {expected}")]
    UnexpectedConstructor {
        /// The id read.
        id: u32,
        /// The type or method expected.
        expected: &'static str,
    },
    /// Something of an older layer that the canonical one has no more.
    #[error("{0} has no counterpart in the canonical layer")]
    NoCounterpart(&'static str),
    /// A string is not UTF-8.
    #[error("string is not UTF-8")]
    NotUtf8,
    /// Types are nested deeper than [`Limits::depth_max`].
    #[error("nested too deep")]
    TooDeep,
    /// A vector has more elements than [`Limits::vector_len_max`].
    #[error("vector of {0} elements is too long")]
    VectorTooLong(usize),
    /// A string has more bytes than [`Limits::bytes_len_max`].
    #[error("string of {0} bytes is too long")]
    BytesTooLong(usize),
}

/// Has a binary form.
pub trait Serialize {
    /// Appends the binary form to `out`.
    fn serialize(&self, out: &mut Vec<u8>);

    /// The binary form by itself.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.serialize(&mut out);
        out
    }
}

/// Can be read from its binary form.
pub trait Deserialize: Sized {
    /// Reads one value and leaves the reader behind it. After an error the reader's place is unspecified.
    ///
    /// # Errors
    /// When the bytes are not a value of this type or pass the reader's limits.
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads one value that takes all of `bytes`, under the default limits.
    ///
    /// # Errors
    /// As [`Deserialize::deserialize`], and when bytes are left over.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::deserialize(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// A constructor or method of the schema.
pub trait Identifiable {
    /// The id that announces it on the wire.
    const CONSTRUCTOR_ID: u32;
    /// The name in the schema, with namespace.
    const NAME: &'static str;
}

/// A method whose answer has a fixed type. Wrappers such as `invokeWithLayer` answer as what they wrap, and are not remote calls.
pub trait RemoteCall: Identifiable + Serialize + Deserialize {
    /// The type of the answer.
    type Return: Serialize + Deserialize;
}

/// Reads values from bytes, within limits.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    limits: Limits,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` under the default limits.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with_limits(bytes, Limits::default())
    }

    /// Reads `bytes` under the limits given.
    pub fn with_limits(bytes: &'a [u8], limits: Limits) -> Self {
        Self {
            rest: bytes,
            limits,
            depth: 0,
        }
    }

    /// What has not been read yet.
    pub fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// Checks that everything has been read.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] when it has not.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes(self.rest.len()))
        }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// As [`Deserialize::deserialize`].
    pub fn read<T: Deserialize>(&mut self) -> Result<T, DecodeError> {
        T::deserialize(self)
    }

    /// Reads a value that is there if `bit` of `flags` is set.
    ///
    /// # Errors
    /// As [`Deserialize::deserialize`].
    pub fn optional<T: Deserialize>(&mut self, flags: u32, bit: u32) -> Result<Option<T>, DecodeError> {
        if flags & (1 << bit) == 0 {
            Ok(None)
        } else {
            T::deserialize(self).map(Some)
        }
    }

    /// Reads the fields of a constructor whose id has been read, one level deeper, as a value of its type.
    ///
    /// # Errors
    /// As [`Deserialize::deserialize`], and when the level is too deep.
    pub fn variant<T: Deserialize, E: From<T>>(&mut self) -> Result<E, DecodeError> {
        self.enter()?;
        let fields = T::deserialize(self)?;
        self.leave();
        Ok(fields.into())
    }

    /// Goes one level deeper.
    ///
    /// # Errors
    /// [`DecodeError::TooDeep`] past the limit.
    pub fn enter(&mut self) -> Result<(), DecodeError> {
        self.depth += 1;
        if self.depth > self.limits.depth_max {
            Err(DecodeError::TooDeep)
        } else {
            Ok(())
        }
    }

    /// Comes back from a level entered.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads a constructor id that can only be `id`.
    ///
    /// # Errors
    /// When it is another, or the input ends.
    pub fn expect_id(&mut self, id: u32, expected: &'static str) -> Result<(), DecodeError> {
        let found = self.read::<u32>()?;
        if found == id {
            Ok(())
        } else {
            Err(DecodeError::UnexpectedConstructor { id: found, expected })
        }
    }

    /// Reads the length of a vector, which follows its constructor id if it is boxed.
    ///
    /// # Errors
    /// When it passes the limit, or the elements cannot fit into what remains.
    pub fn vector_len(&mut self) -> Result<usize, DecodeError> {
        let len = self.read::<u32>()? as usize;
        if len > self.limits.vector_len_max {
            return Err(DecodeError::VectorTooLong(len));
        }
        if len > self.rest.len() / WORD_LEN {
            return Err(DecodeError::UnexpectedEnd);
        }
        Ok(len)
    }

    /// Reads a bare vector: its length, then its elements.
    ///
    /// # Errors
    /// As [`Reader::vector_len`], and as the elements.
    pub fn bare_vector<T: Deserialize>(&mut self) -> Result<Vec<T>, DecodeError> {
        let len = self.vector_len()?;
        let mut elements = Vec::with_capacity(len.min(VECTOR_RESERVE_MAX));
        for _ in 0..len {
            elements.push(T::deserialize(self)?);
        }
        Ok(elements)
    }

    /// Reads a string of bytes with its length and padding.
    ///
    /// # Errors
    /// When it passes the limit or the input.
    pub fn string(&mut self) -> Result<&'a [u8], DecodeError> {
        let first = *self.rest.first().ok_or(DecodeError::UnexpectedEnd)?;
        let (head, len) = match first {
            ..LONG_STRING_MARK => (1, usize::from(first)),
            LONG_STRING_MARK => {
                let word = u32::from_le_bytes(*self.rest.first_chunk().ok_or(DecodeError::UnexpectedEnd)?);
                (WORD_LEN, (word >> 8) as usize)
            }
            // Reserved for lengths that do not fit 24 bits.
            _ => return Err(DecodeError::BytesTooLong(1 << 24)),
        };
        if len > self.limits.bytes_len_max {
            return Err(DecodeError::BytesTooLong(len));
        }
        let padded = self.take((head + len).next_multiple_of(WORD_LEN))?;
        padded.get(head..head + len).ok_or(DecodeError::UnexpectedEnd)
    }

    /// Everything that has not been read yet.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = rest;
        Ok(*taken)
    }
}

/// Declares how numbers and fixed byte strings are written: as they lie in memory, little-endian.
macro_rules! words {
    ($($t:ty),*) => {$(
        impl Serialize for $t {
            fn serialize(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }

        impl Deserialize for $t {
            fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

words!(u32, i32, i64, f64);

impl<const N: usize> Serialize for [u8; N] {
    fn serialize(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Deserialize for [u8; N] {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array()
    }
}

impl Serialize for bool {
    fn serialize(&self, out: &mut Vec<u8>) {
        (if *self { BOOL_TRUE_ID } else { BOOL_FALSE_ID }).serialize(out);
    }
}

impl Deserialize for bool {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.read()? {
            BOOL_TRUE_ID => Ok(true),
            BOOL_FALSE_ID => Ok(false),
            id => Err(DecodeError::UnexpectedConstructor { id, expected: "Bool" }),
        }
    }
}

impl Serialize for [u8] {
    fn serialize(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match u8::try_from(self.len()) {
            Ok(len) if len < LONG_STRING_MARK => out.push(len),
            // The length has 24 bits; nothing that long passes any transport.
            _ => (((self.len() as u32) << 8) | u32::from(LONG_STRING_MARK)).serialize(out),
        }
        out.extend_from_slice(self);
        let padded = start + (out.len() - start).next_multiple_of(WORD_LEN);
        out.resize(padded, 0);
    }
}

impl Serialize for Vec<u8> {
    fn serialize(&self, out: &mut Vec<u8>) {
        self.as_slice().serialize(out);
    }
}

impl Deserialize for Vec<u8> {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string().map(<[u8]>::to_vec)
    }
}

impl Serialize for String {
    fn serialize(&self, out: &mut Vec<u8>) {
        self.as_bytes().serialize(out);
    }
}

impl Deserialize for String {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(reader.string()?).map_err(|_| DecodeError::NotUtf8)?;
        Ok(text.to_owned())
    }
}

impl<T: Serialize> Serialize for Vec<T> {
    fn serialize(&self, out: &mut Vec<u8>) {
        VECTOR_ID.serialize(out);
        bare_vector(self, out);
    }
}

impl<T: Deserialize> Deserialize for Vec<T> {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.expect_id(VECTOR_ID, "Vector")?;
        reader.bare_vector()
    }
}

impl<T: Serialize> Serialize for Box<T> {
    fn serialize(&self, out: &mut Vec<u8>) {
        (**self).serialize(out);
    }
}

impl<T: Deserialize> Deserialize for Box<T> {
    fn deserialize(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::deserialize(reader).map(Self::new)
    }
}

/// Writes a bare vector: its length, then its elements.
pub(crate) fn bare_vector<T: Serialize>(elements: &[T], out: &mut Vec<u8>) {
    (elements.len() as u32).serialize(out);
    for element in elements {
        element.serialize(out);
    }
}

/// Writes the id of a constructor and its fields.
pub(crate) fn boxed<T: Identifiable + Serialize>(fields: &T, out: &mut Vec<u8>) {
    T::CONSTRUCTOR_ID.serialize(out);
    fields.serialize(out);
}

/// Writes a field that depends on `bit` of `flags`. The flag may be set for the sake of another field that shares it: then a
/// default value stands in, since a reader expects both.
pub(crate) fn optional<T: Serialize + Default>(field: &Option<T>, flags: u32, bit: u32, out: &mut Vec<u8>) {
    match field {
        Some(value) => value.serialize(out),
        None if flags & (1 << bit) != 0 => T::default().serialize(out),
        None => {}
    }
}

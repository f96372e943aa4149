//! Reading and writing the protocol's own constructors.

/// Something that is not as the schema says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message")]
pub struct Malformed;

/// Reads from a slice; every read checks what is left.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Malformed`] when there are not so many; so for all reads.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// A fixed number of bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    /// `int` without sign.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// `int`.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// `long`.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// `bytes`, with their padding.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let [first] = self.array()?;
        let (len, head) = if first == 254 {
            let [a, b, c] = self.array()?;
            (usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16, 4)
        } else {
            (usize::from(first), 1)
        };
        let bytes = self.take(len)?;
        self.take((4 - (head + len) % 4) % 4)?;
        Ok(bytes)
    }

    /// `Vector<long>`, at most `max` of them.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn longs(&mut self, max: usize) -> Result<Vec<i64>, Malformed> {
        if self.u32()? != VECTOR {
            return Err(Malformed);
        }
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count > max || count * 8 > self.0.len() {
            return Err(Malformed);
        }
        (0..count).map(|_| self.i64()).collect()
    }
}

/// `vector#1cb5c415`
pub const VECTOR: u32 = 0x1cb5_c415;

/// Appends the protocol's values.
pub trait Writer {
    /// `int` without sign: a constructor id or a count.
    fn u32(&mut self, n: u32);
    /// `int`.
    fn i32(&mut self, n: i32);
    /// `long`.
    fn i64(&mut self, n: i64);
    /// `bytes`, with their padding.
    fn string(&mut self, bytes: &[u8]);
    /// `Vector<long>`.
    fn longs(&mut self, longs: &[i64]);
}

impl Writer for Vec<u8> {
    fn u32(&mut self, n: u32) {
        self.extend(n.to_le_bytes());
    }
    fn i32(&mut self, n: i32) {
        self.extend(n.to_le_bytes());
    }
    fn i64(&mut self, n: i64) {
        self.extend(n.to_le_bytes());
    }
    fn string(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        let head = if len < 254 {
            self.push(u8::try_from(len).unwrap_or(0));
            1
        } else {
            self.push(254);
            self.extend(&len.to_le_bytes()[..3]);
            4
        };
        self.extend(bytes);
        self.resize(self.len() + (4 - (head + len) % 4) % 4, 0);
    }
    fn longs(&mut self, longs: &[i64]) {
        self.u32(VECTOR);
        self.u32(u32::try_from(longs.len()).unwrap_or(0));
        longs.iter().for_each(|n| self.i64(*n));
    }
}

//! Bytes that come at one end and leave at the other, without moving what is left each time.

/// An empty buffer keeps no more than this, bytes: most connections are idle most of the time.
const KEPT_MAX: usize = 16 << 10;

#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    taken: usize,
}

impl Buffer {
    /// What has come and was not taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// How much that is.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Adds bytes; what was added may be changed in place.
    pub(super) fn add(&mut self, bytes: &[u8]) -> &mut [u8] {
        // Moving at most as much as was taken keeps the cost of a byte constant.
        if self.taken > 0 && self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        let from = self.bytes.len();
        self.bytes.extend(bytes);
        &mut self.bytes[from..]
    }

    /// Takes the next `len` bytes, or all if there are fewer.
    pub(super) fn take(&mut self, len: usize) -> Vec<u8> {
        let taken = self.rest()[..len.min(self.len())].to_vec();
        self.skip(taken.len());
        taken
    }

    /// Drops the next `len` bytes, or all if there are fewer.
    pub(super) fn skip(&mut self, len: usize) {
        self.taken += len.min(self.len());
        if self.len() == 0 {
            self.taken = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came_and_memory_is_given_back() {
        let mut buffer = Buffer::default();
        let (mut next, mut expected) = (0_u32, 0_u32);
        for len in [3, 1, 7, 2, 40_000, 5, 1] {
            for _ in 0..len {
                buffer.add(&next.to_le_bytes());
                next += 1;
            }
            for _ in 0..len - 1 {
                assert_eq!(buffer.take(4), expected.to_le_bytes());
                expected += 1;
            }
        }
        buffer.skip(usize::MAX);
        assert_eq!((buffer.len(), buffer.rest()), (0, &[][..]));
        assert!(buffer.bytes.capacity() <= KEPT_MAX);
    }
}

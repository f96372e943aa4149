//! What a connection or session noticed, for whoever counts: small numbers that are taken and begin anew.

use crate::handshake::HandshakeError;

/// Something worth counting that no output tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A client asked for a key.
    HandshakeBegun,
    /// A request of a handshake came again and got the answer of before (HS-5).
    HandshakeReplayed,
    /// A handshake request was malformed or out of order.
    HandshakeMalformed,
    /// Nonces or factors that are not those of the handshake.
    HandshakeProof,
    /// A key of ours that we do not have.
    HandshakeFingerprint,
    /// Data of a handshake that do not open, or are not what the outside says.
    HandshakeSealed,
    /// A data centre that is not ours.
    HandshakeDc,
    /// A public value out of range.
    HandshakePublicValue,
    /// Too many handshakes, or too slow a one.
    HandshakeLimit,
    /// Framing that is none, or a length out of bounds.
    BadFraming,
    /// A packet without a key id, or a plain one that is none.
    BadPlain,
    /// A packet that does not open under its key (EN-2).
    BadSealed,
    /// A wrong or old salt.
    BadSalt,
    /// A message id too far in the past or future.
    BadTime,
    /// A message id or number that breaks the rules of numbering.
    BadNumber,
    /// A container that is none, or stands in another.
    BadContainer,
    /// Packed data that do not unpack, or to too much.
    BadPacked,
}

impl Notice {
    const LAST: Self = Self::BadPacked;

    /// All of them, in order.
    pub const ALL: [Self; Self::LAST as usize + 1] = [
        Self::HandshakeBegun,
        Self::HandshakeReplayed,
        Self::HandshakeMalformed,
        Self::HandshakeProof,
        Self::HandshakeFingerprint,
        Self::HandshakeSealed,
        Self::HandshakeDc,
        Self::HandshakePublicValue,
        Self::HandshakeLimit,
        Self::BadFraming,
        Self::BadPlain,
        Self::BadSealed,
        Self::BadSalt,
        Self::BadTime,
        Self::BadNumber,
        Self::BadContainer,
        Self::BadPacked,
    ];
}

impl From<HandshakeError> for Notice {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Malformed | HandshakeError::OutOfOrder => Self::HandshakeMalformed,
            HandshakeError::Nonce | HandshakeError::Factors => Self::HandshakeProof,
            HandshakeError::Fingerprint => Self::HandshakeFingerprint,
            HandshakeError::Sealed | HandshakeError::Inner => Self::HandshakeSealed,
            HandshakeError::Dc => Self::HandshakeDc,
            HandshakeError::PublicValue => Self::HandshakePublicValue,
            HandshakeError::Limit => Self::HandshakeLimit,
        }
    }
}

/// How often each was noticed since the last look.
#[derive(Debug, Default)]
pub struct Tally {
    counts: [u32; Notice::ALL.len()],
    /// Most looks find nothing, and need not go through the counts.
    any: bool,
}

impl Tally {
    pub(crate) fn note(&mut self, notice: Notice) {
        let count = &mut self.counts[notice as usize];
        *count = count.saturating_add(1);
        self.any = true;
    }

    /// What was noticed, if anything was; counting begins anew.
    pub fn take(&mut self) -> Option<impl Iterator<Item = (Notice, u32)> + use<>> {
        if !self.any {
            return None;
        }
        let Self { counts, .. } = std::mem::take(self);
        Some(
            Notice::ALL
                .into_iter()
                .zip(counts)
                .filter(|(_, count)| *count > 0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_in_their_order() {
        for (place, notice) in Notice::ALL.into_iter().enumerate() {
            assert_eq!(notice as usize, place);
        }
    }

    #[test]
    fn what_was_taken_is_counted_anew() {
        let mut tally = Tally::default();
        assert!(tally.take().is_none());
        tally.note(Notice::BadSalt);
        tally.note(Notice::BadSalt);
        tally.note(Notice::BadPacked);
        let taken: Vec<_> = tally.take().unwrap().collect();
        assert_eq!(taken, [(Notice::BadSalt, 2), (Notice::BadPacked, 1)]);
        assert!(tally.take().is_none());
    }
}

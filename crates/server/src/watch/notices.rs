//! Where each notice of the protocol is counted.

use havre_metrics::{Handshake, Metrics, Spoilt};
use havre_mtproto::tally::Notice;

/// Counts what a connection or session noticed so many times.
pub fn count(metrics: &Metrics, notice: Notice, times: u32) {
    let refused = |why| metrics.handshakes_refused.of(why);
    let spoilt = |how| metrics.packets_spoilt.of(how);
    let counter = match notice {
        Notice::HandshakeBegun => &metrics.handshakes_begun,
        Notice::HandshakeReplayed => &metrics.handshakes_replayed,
        Notice::HandshakeMalformed => refused(Handshake::Malformed),
        Notice::HandshakeProof => refused(Handshake::Proof),
        Notice::HandshakeFingerprint => refused(Handshake::Fingerprint),
        Notice::HandshakeSealed => refused(Handshake::Sealed),
        Notice::HandshakeDc => refused(Handshake::Dc),
        Notice::HandshakePublicValue => refused(Handshake::PublicValue),
        Notice::HandshakeLimit => refused(Handshake::Limit),
        Notice::BadFraming => spoilt(Spoilt::Framing),
        Notice::BadPlain => spoilt(Spoilt::Plain),
        Notice::BadSealed => spoilt(Spoilt::Sealed),
        Notice::BadSalt => spoilt(Spoilt::Salt),
        Notice::BadTime => spoilt(Spoilt::Time),
        Notice::BadNumber => spoilt(Spoilt::Number),
        Notice::BadContainer => spoilt(Spoilt::Container),
        Notice::BadPacked => spoilt(Spoilt::Packed),
    };
    counter.add(u64::from(times));
}

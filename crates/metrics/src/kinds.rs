//! The values of labels: enums, so that nobody outside can make a metric grow.

/// A set of kinds that one label tells apart.
pub trait Kind: Copy {
    /// The label.
    const LABEL: &'static str;
    /// The label's values, by [`Kind::place`].
    const NAMES: &'static [&'static str];

    /// Where this kind stands among all.
    fn place(self) -> usize;
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident by $label:literal { $($(#[doc = $about:literal])+ $variant:ident = $name:literal,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[doc = $about])+ $variant,)+
        }

        impl Kind for $kind {
            const LABEL: &'static str = $label;
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn place(self) -> usize {
                self as usize
            }
        }
    )+};
}

kinds! {
    /// Why a connection was not let in.
    Refusal by "reason" {
        /// As many as there may be.
        Total = "total",
        /// As many from its address as there may be.
        Address = "address",
    }

    /// Why the server ended a connection, or the peer did.
    Ending by "reason" {
        /// The peer closed, or the network did.
        Peer = "peer",
        /// The peer broke a rule of the protocol.
        Rule = "rule",
        /// Silent for too long.
        Idle = "idle",
        /// Packets that are not whole held too many bytes.
        Bytes = "bytes",
        /// The peer took nothing of what was written to it.
        Stuck = "stuck",
        /// The store could not be asked for a key, or keep one.
        Store = "store",
        /// No place for another session.
        Sessions = "sessions",
        /// The server stops.
        Stop = "stop",
    }

    /// Why a packet or message was not taken.
    Spoilt by "kind" {
        /// Framing that is none, or a length out of bounds.
        Framing = "framing",
        /// No key id, or a plain packet that is none.
        Plain = "plain",
        /// A key that does not exist.
        UnknownKey = "unknown_key",
        /// Does not open under its key.
        Sealed = "sealed",
        /// A wrong or old salt.
        Salt = "salt",
        /// A message id too far in the past or future: a clock that is wrong.
        Time = "time",
        /// A message id or number that breaks the rules of numbering.
        Number = "number",
        /// A container that is none, or stands in another.
        Container = "container",
        /// Packed data that do not unpack, or to too much.
        Packed = "packed",
    }

    /// Why a handshake came to nothing.
    Handshake by "reason" {
        /// A malformed request, or one out of order.
        Malformed = "malformed",
        /// Nonces or factors that are not those of this handshake.
        Proof = "proof",
        /// A key of the server that it does not have.
        Fingerprint = "fingerprint",
        /// Data that do not open, or are not what the outside says.
        Sealed = "sealed",
        /// A data centre that is not ours.
        Dc = "dc",
        /// A public value out of range.
        PublicValue = "public_value",
        /// Too many on one connection, or too slow.
        Limit = "limit",
        /// The queue of the arithmetic was full.
        Queue = "queue",
        /// As many newcomers as there may be.
        Places = "places",
        /// The new key could not be kept.
        Store = "store",
    }

    /// The first part of a method's name.
    Namespace by "namespace" {
        /// `account.*`
        Account = "account",
        /// `auth.*`
        Auth = "auth",
        /// `channels.*`
        Channels = "channels",
        /// `contacts.*`
        Contacts = "contacts",
        /// `folders.*`
        Folders = "folders",
        /// `help.*`
        Help = "help",
        /// `langpack.*`
        Langpack = "langpack",
        /// `messages.*`
        Messages = "messages",
        /// `photos.*`
        Photos = "photos",
        /// `updates.*`
        Updates = "updates",
        /// `upload.*`
        Upload = "upload",
        /// `users.*`
        Users = "users",
        /// A method that is not served, or a call that cannot be read.
        Other = "other",
    }

    /// The code of an error that a call was answered with.
    Code by "code" {
        /// What was asked is wrong.
        BadRequest = "400",
        /// Not logged in, or not yet.
        Unauthorized = "401",
        /// Not allowed.
        Forbidden = "403",
        /// No such method.
        NotFound = "404",
        /// Not now, or not with this client.
        NotAcceptable = "406",
        /// Too often.
        Flood = "420",
        /// The server's fault.
        Internal = "500",
        /// Any other.
        Other = "other",
    }

    /// What somebody did too often.
    Flood by "kind" {
        /// Login codes asked for.
        Codes = "codes",
        /// Passwords tried.
        Passwords = "passwords",
        /// Messages sent, forwarded, edited.
        Sends = "sends",
        /// Groups made and changed.
        Groups = "groups",
        /// Telephone numbers and usernames looked up.
        Lookups = "lookups",
        /// Files uploaded and not used.
        Uploads = "uploads",
        /// Anything else.
        Other = "other",
    }

    /// Why a push did not reach a session.
    Undelivered by "reason" {
        /// The session is gone.
        Gone = "gone",
        /// Too much waited for the session: it is told to catch up instead.
        Slow = "slow",
        /// The session's layer cannot say it.
        Layer = "layer",
    }
}

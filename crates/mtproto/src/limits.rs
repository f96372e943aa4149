//! Bounds of everything that a peer can make grow.

/// Largest packet taken from a peer, bytes. The biggest honest ones are a container of about 32 KiB of
/// queries or one file part of 512 KiB.
pub const FRAME_LEN_MAX: usize = (1 << 20) + (64 << 10);
/// Largest packet taken from a server, bytes; clients refuse more.
pub const FRAME_LEN_MAX_CLIENT: usize = 16 << 20;
/// Longest HTTP head of a WebSocket upgrade, bytes.
pub const HTTP_HEAD_MAX: usize = 8 << 10;
/// Most messages in a container (core.telegram.org/mtproto/service_messages).
pub const CONTAINER_MESSAGES_MAX: usize = 1024;
/// Most bytes that one `gzip_packed` may unpack to.
pub const GZIP_UNPACKED_MAX: usize = 10 << 20;
/// Most bytes that all `gzip_packed` of one packet may unpack to.
pub const PACKET_UNPACKED_MAX: usize = 32 << 20;
/// Most `gzip_packed` around one message, each in the next.
pub const GZIP_DEPTH_MAX: usize = 3;
/// Most ids in one service message.
pub const IDS_MAX: usize = 8192;
/// How long a handshake may take, milliseconds.
pub const HANDSHAKE_MS: i64 = 600_000;
/// Longest request of a handshake, bytes; honest ones have some 400.
pub const PLAIN_LEN_MAX: usize = 4 << 10;
/// Most `req_pq` on one connection.
pub const REQ_PQ_MAX: u32 = 16;
/// Messages of a client that are remembered, so that none is run twice.
pub const SEEN_MAX: usize = 2048;
/// Most messages of a client that are remembered because their ids are not older than [`MSG_ID_PAST_MS`].
pub const SEEN_RECENT_MAX: usize = 16 << 10;
/// Longest time into the past that a message id may lie, milliseconds.
pub const MSG_ID_PAST_MS: i64 = 300_000;
/// Longest time into the future that a message id may lie, milliseconds.
pub const MSG_ID_FUTURE_MS: i64 = 30_000;
/// Most calls of one session that run at once, however many the shell lets run.
pub const RUNNING_MAX: usize = 4096;
/// Most bytes of pushed messages that wait for a session's acknowledgement.
pub const PUSHED_BYTES_MAX: usize = 1 << 20;
/// Most pushed messages that wait for a session's acknowledgement.
pub const PUSHED_MESSAGES_MAX: usize = 2048;
/// Most bytes of answers that were sent and wait for a session's acknowledgement: four of the largest file
/// parts.
pub const ANSWERED_BYTES_MAX: usize = 4 << 20;
/// How long a message waits for an acknowledgement before it is forgotten, milliseconds.
pub const UNACKED_MS: i64 = 600_000;
/// A message that is older is sent in a container, milliseconds: clients refuse packets of another time.
pub const ALONE_MS: i64 = 120_000;
/// Answers up to this size are sent again to a repeated question, bytes; larger ones are announced.
pub const ANSWER_RESEND_MAX: usize = 64 << 10;
/// A request that takes longer is acknowledged before its answer, milliseconds.
pub const ACK_AFTER_MS: i64 = 1_000;
/// Answers from this size on are packed when that makes them smaller, bytes.
pub const GZIP_FROM: usize = 512;
/// Most bytes of messages in one outgoing container.
pub const CONTAINER_BYTES_MAX: usize = 512 << 10;
/// Connections without a first packet are closed after this time, milliseconds (TR-14).
pub const SILENT_MS: i64 = 30_000;
/// Connections that say nothing are closed after this time, milliseconds (TR-14).
pub const IDLE_MS: i64 = 90_000;
/// Most packets that wait for a key to be looked up.
pub const WAITING_FRAMES_MAX: usize = 32;
/// Most bytes in those packets.
pub const WAITING_BYTES_MAX: usize = 2 * FRAME_LEN_MAX;
/// Most keys that one connection speaks under.
pub const KEYS_PER_CONNECTION_MAX: usize = 4;
/// A client acknowledges what came after this time at the latest, milliseconds.
pub const CLIENT_ACK_AFTER_MS: i64 = 5_000;
/// A client acknowledges this many messages at once.
pub const CLIENT_ACKS_MAX: usize = 16;

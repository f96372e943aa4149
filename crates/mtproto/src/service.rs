//! Service messages (core.telegram.org/mtproto/service_messages): constructor ids, and the bodies that a
//! server writes.

use crate::bytes::Writer as _;

pub(crate) const MSGS_ACK: u32 = 0x62d6_b459;
pub(crate) const MSG_CONTAINER: u32 = 0x73f1_f8dc;
pub(crate) const MSG_COPY: u32 = 0xe060_46b2;
pub(crate) const GZIP_PACKED: u32 = 0x3072_cfa1;
pub(crate) const PING: u32 = 0x7abe_77ec;
pub(crate) const PING_DELAY_DISCONNECT: u32 = 0xf342_7b8c;
pub(crate) const GET_FUTURE_SALTS: u32 = 0xb921_bd04;
pub(crate) const MSGS_STATE_REQ: u32 = 0xda69_fb52;
pub(crate) const MSGS_STATE_INFO: u32 = 0x04de_b57d;
pub(crate) const MSGS_ALL_INFO: u32 = 0x8cc0_d131;
pub(crate) const MSG_DETAILED_INFO: u32 = 0x276d_3ec6;
pub(crate) const MSG_NEW_DETAILED_INFO: u32 = 0x809d_b6df;
pub(crate) const MSG_RESEND_REQ: u32 = 0x7d86_1a08;
pub(crate) const MSG_RESEND_ANS_REQ: u32 = 0x8610_baeb;
pub(crate) const RPC_DROP_ANSWER: u32 = 0x58e4_a740;
pub(crate) const DESTROY_SESSION: u32 = 0xe751_2126;
pub(crate) const DESTROY_AUTH_KEY: u32 = 0xd143_5160;
pub(crate) const HTTP_WAIT: u32 = 0x9299_359f;
pub(crate) const RPC_RESULT: u32 = 0xf35c_6d01;
pub(crate) const RPC_ERROR: u32 = 0x2144_ca19;
pub(crate) const RPC_ANSWER_UNKNOWN: u32 = 0x5e2a_d36e;
pub(crate) const RPC_ANSWER_DROPPED_RUNNING: u32 = 0xcd78_e586;
pub(crate) const RPC_ANSWER_DROPPED: u32 = 0xa43a_d8b7;
pub(crate) const BAD_MSG_NOTIFICATION: u32 = 0xa7ef_f811;
pub(crate) const BAD_SERVER_SALT: u32 = 0xedab_447b;
pub(crate) const NEW_SESSION_CREATED: u32 = 0x9ec2_0908;
pub(crate) const PONG: u32 = 0x3477_73c5;
pub(crate) const FUTURE_SALTS: u32 = 0xae50_0895;
pub(crate) const DESTROY_SESSION_OK: u32 = 0xe220_45fc;
pub(crate) const DESTROY_SESSION_NONE: u32 = 0x62d3_50c9;
pub(crate) const DESTROY_AUTH_KEY_OK: u32 = 0xf660_e1d4;
pub(crate) const DESTROY_AUTH_KEY_NONE: u32 = 0x0a9f_2259;
pub(crate) const DESTROY_AUTH_KEY_FAIL: u32 = 0xea10_9b13;

/// Service messages that a client may send.
const FROM_CLIENTS: [u32; 18] = [
    MSGS_ACK,
    MSG_CONTAINER,
    MSG_COPY,
    PING,
    PING_DELAY_DISCONNECT,
    GET_FUTURE_SALTS,
    MSGS_STATE_REQ,
    MSGS_STATE_INFO,
    MSGS_ALL_INFO,
    MSG_DETAILED_INFO,
    MSG_NEW_DETAILED_INFO,
    MSG_RESEND_REQ,
    MSG_RESEND_ANS_REQ,
    RPC_DROP_ANSWER,
    DESTROY_SESSION,
    DESTROY_AUTH_KEY,
    HTTP_WAIT,
    GZIP_PACKED,
];

/// Service messages whose answers nobody acknowledges, and that change nothing.
pub(crate) const QUESTIONS: [u32; 6] = [
    PING,
    PING_DELAY_DISCONNECT,
    GET_FUTURE_SALTS,
    MSGS_STATE_REQ,
    MSG_RESEND_REQ,
    MSG_RESEND_ANS_REQ,
];

/// A body of a constructor and what `fields` writes.
pub(crate) fn body(constructor: u32, fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::with_capacity(32);
    body.u32(constructor);
    fields(&mut body);
    body
}

/// The constructor id that a body begins with.
pub(crate) fn constructor(body: &[u8]) -> Option<u32> {
    body.first_chunk::<4>().map(|id| u32::from_le_bytes(*id))
}

/// Service messages that a server says of itself or in answer to one; a client has no other use for them.
const FROM_SERVERS: [u32; 13] = [
    RPC_RESULT,
    NEW_SESSION_CREATED,
    BAD_MSG_NOTIFICATION,
    BAD_SERVER_SALT,
    PONG,
    FUTURE_SALTS,
    MSGS_STATE_INFO,
    MSGS_ALL_INFO,
    DESTROY_SESSION_OK,
    DESTROY_SESSION_NONE,
    DESTROY_AUTH_KEY_OK,
    DESTROY_AUTH_KEY_NONE,
    DESTROY_AUTH_KEY_FAIL,
];

/// Whether a body is one of the server's own service messages, no object of the API.
pub(crate) fn is_from_servers(body: &[u8]) -> bool {
    constructor(body).is_some_and(|id| FROM_SERVERS.contains(&id))
}

/// Whether a constructor is a service message of either side, no call.
pub(crate) fn is_service(constructor: u32) -> bool {
    FROM_CLIENTS.contains(&constructor) || FROM_SERVERS.contains(&constructor)
}

//! Containers: several messages in one (core.telegram.org/mtproto/service_messages).
//!
//! ```text
//! +----+-------+--------+--------+--------+------+--------+...
//! | id | count | msg id | seq no | length | body | msg id |
//! +----+-------+--------+--------+--------+------+--------+...
//! ```

use crate::bytes::{Malformed, Reader, Writer as _};
use crate::limits::{CONTAINER_BYTES_MAX, CONTAINER_MESSAGES_MAX};
use crate::packet::Message;
use crate::service::{self, body, constructor};

/// Bytes of a message around its body.
const OVERHEAD: usize = 16;

/// How much of a container is used.
#[derive(Default)]
pub(crate) struct Room {
    messages: usize,
    bytes: usize,
}

impl Room {
    /// Takes room for a body of this length: there always is for one message, whatever its length.
    pub(crate) fn take(&mut self, len: usize) -> bool {
        let bytes = self.bytes + len + OVERHEAD;
        let fits =
            self.messages == 0 || (bytes <= CONTAINER_BYTES_MAX && self.messages < CONTAINER_MESSAGES_MAX);
        if fits {
            (self.messages, self.bytes) = (self.messages + 1, bytes);
        }
        fits
    }
}

/// The body of a container of these messages.
pub(crate) fn write(messages: &[Message]) -> Vec<u8> {
    body(service::MSG_CONTAINER, |b| {
        b.u32(u32::try_from(messages.len()).unwrap_or(0));
        for message in messages {
            b.i64(message.msg_id);
            b.i32(message.seq_no);
            b.u32(u32::try_from(message.body.len()).unwrap_or(0));
            b.extend(&message.body);
        }
    })
}

/// Whether a message is a container.
pub(crate) fn is_container(message: &Message) -> bool {
    constructor(&message.body) == Some(service::MSG_CONTAINER)
}

/// The messages of a container: all are well-formed, or none counts.
pub(crate) fn read(container: &Message) -> Result<Vec<Message>, Malformed> {
    let mut reader = Reader(&container.body);
    reader.u32()?;
    let count = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
    if count > CONTAINER_MESSAGES_MAX || count * OVERHEAD > reader.0.len() {
        return Err(Malformed);
    }
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        let (msg_id, seq_no) = (reader.i64()?, reader.i32()?);
        let len = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let body = reader.take(len)?.to_vec();
        let message = Message { msg_id, seq_no, body };
        if len % 4 != 0 || is_container(&message) || msg_id >= container.msg_id {
            return Err(Malformed);
        }
        messages.push(message);
    }
    if reader.0.is_empty() {
        Ok(messages)
    } else {
        Err(Malformed)
    }
}

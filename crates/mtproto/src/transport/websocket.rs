//! WebSocket, the server's end (RFC 6455): upgrade on `/apiws` with subprotocol `binary`, then binary
//! frames as a byte stream; their borders mean nothing (TR-12).

use crate::crypto::sha1;
use crate::limits::{FRAME_LEN_MAX, HTTP_HEAD_MAX};

use super::TransportError;
use super::buffer::Buffer;

#[derive(Default)]
pub(super) struct WebSocket {
    open: bool,
}

/// Appended to the client's key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Longest close, ping or pong (RFC 6455 section 5.5).
const CONTROL_LEN_MAX: usize = 125;

impl WebSocket {
    /// Takes what is whole out of `raw`: data goes to `data`, what must be answered to `own`.
    pub(super) fn receive(
        &mut self,
        raw: &mut Buffer,
        data: &mut Vec<u8>,
        own: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        if !self.open {
            let head = &raw.rest()[..raw.len().min(HTTP_HEAD_MAX)];
            let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") else {
                return if head.len() == HTTP_HEAD_MAX {
                    Err(TransportError::WebSocket)
                } else {
                    Ok(())
                };
            };
            own.extend(upgrade(&raw.take(end + 4))?);
            self.open = true;
        }
        while let Some(frame) = next_frame(raw)? {
            take(frame, data, own)?;
        }
        Ok(())
    }
}

struct Frame {
    opcode: u8,
    payload: Vec<u8>,
}

fn take(frame: Frame, data: &mut Vec<u8>, own: &mut Vec<u8>) -> Result<(), TransportError> {
    match frame.opcode {
        0 | 2 => data.extend(frame.payload),
        8..=10 if frame.payload.len() > CONTROL_LEN_MAX => return Err(TransportError::WebSocket),
        8 => {
            write_frame(8, &frame.payload, own);
            return Err(TransportError::Closed);
        }
        9 => write_frame(10, &frame.payload, own),
        10 => {}
        _ => return Err(TransportError::WebSocket),
    }
    Ok(())
}

fn next_frame(buffer: &mut Buffer) -> Result<Option<Frame>, TransportError> {
    let raw = buffer.rest();
    let Some([first, second]) = raw.first_chunk::<2>() else {
        return Ok(None);
    };
    let (opcode, masked) = (first & 0x0f, second & 0x80 != 0);
    // A client must mask, and no extension was agreed on.
    if !masked || first & 0x70 != 0 {
        return Err(TransportError::WebSocket);
    }
    let (len, at) = match second & 0x7f {
        126 => match raw.get(2..4).and_then(|b| b.first_chunk::<2>()) {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
            None => return Ok(None),
        },
        127 => match raw.get(2..10).and_then(|b| b.first_chunk::<8>()) {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    let len = usize::try_from(len).map_err(|_| TransportError::Length)?;
    if len > FRAME_LEN_MAX {
        return Err(TransportError::Length);
    }
    if raw.len() < at + 4 + len {
        return Ok(None);
    }
    let (mask, payload) = raw[at..at + 4 + len].split_at(4);
    let payload = payload
        .iter()
        .zip(mask.iter().cycle())
        .map(|(b, m)| b ^ m)
        .collect();
    buffer.skip(at + 4 + len);
    Ok(Some(Frame { opcode, payload }))
}

/// Writes stream bytes as one binary frame.
pub(super) fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    write_frame(2, bytes, out);
}

fn write_frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len), _) if len < 126 => out.push(len),
        (_, Ok(len)) => {
            out.push(126);
            out.extend(len.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(payload);
}

/// The answer to an upgrade request.
fn upgrade(head: &[u8]) -> Result<Vec<u8>, TransportError> {
    let head = std::str::from_utf8(head).map_err(|_| TransportError::WebSocket)?;
    let mut lines = head.split("\r\n");
    let request = lines.next().unwrap_or_default();
    let path = request.split(' ').nth(1).unwrap_or_default();
    if !path.starts_with("/apiws") {
        return Err(TransportError::WebSocket);
    }
    let (mut key, mut binary) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("sec-websocket-key") {
            key = Some(value);
        } else if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            binary |= value.split(',').any(|p| p.trim() == "binary");
        }
    }
    let accept = base64(&sha1(&[key.ok_or(TransportError::WebSocket)?.as_bytes(), GUID]));
    let protocol = if binary {
        "Sec-WebSocket-Protocol: binary\r\n"
    } else {
        ""
    };
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
    )
    .into_bytes())
}

/// Base64 with padding (RFC 4648 section 4), for the one hash that an upgrade needs.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = (n >> (18 - 6 * i)) & 63;
            text.push(if i <= chunk.len() {
                char::from(ALPHABET[sextet as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tr_12_accept_is_that_of_the_rfc() {
        let head = b"GET /apiws HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                     Sec-WebSocket-Protocol: binary\r\n\r\n";
        let answer = String::from_utf8(upgrade(head).unwrap()).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(answer.contains("Sec-WebSocket-Protocol: binary\r\n"));
    }

    #[test]
    fn tr_12_split_masked_frames_are_a_stream() {
        let mut raw = b"GET /apiws HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n".to_vec();
        for chunk in [&b"abc"[..], b"defg"] {
            raw.extend([0x82, 0x80 | chunk.len() as u8, 1, 2, 3, 4]);
            raw.extend(chunk.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(b, m)| b ^ m));
        }
        let (mut ws, mut fed) = (WebSocket::default(), Buffer::default());
        let (mut data, mut own) = (Vec::new(), Vec::new());
        for byte in raw {
            fed.add(&[byte]);
            ws.receive(&mut fed, &mut data, &mut own).unwrap();
        }
        assert_eq!(data, b"abcdefg");
    }
}

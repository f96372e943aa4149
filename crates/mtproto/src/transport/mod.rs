//! Transports: a byte stream becomes packets and the other way (core.telegram.org/mtproto/mtproto-transports).
//!
//! The server tells the transport by the first bytes (TR-1):
//!
//! ```text
//! ef                      abridged
//! ee ee ee ee             intermediate
//! dd dd dd dd             padded intermediate
//! xx xx xx xx 00 00 00 00 full
//! GET                     WebSocket, obfuscated inside
//! anything else           obfuscated: 64 bytes of header, then one of the above
//! ```

mod abridged;
mod buffer;
mod full;
mod intermediate;
mod obfuscated;
mod websocket;

use buffer::Buffer;
use full::Counters;
use obfuscated::{HEADER_LEN, Streams, client_header};
use rand_core::Rng;
use websocket::WebSocket;

/// How packets are set apart in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Length in one byte or four.
    Abridged,
    /// Length in four bytes.
    Intermediate,
    /// As intermediate, with up to 15 bytes of padding behind the packet.
    Padded,
    /// Length, counter and CRC.
    Full,
}

impl Framing {
    /// The framing that a tag of the obfuscation header or of a plain opening names.
    fn of_tag(tag: [u8; 4]) -> Option<Self> {
        match tag {
            [0xef, 0xef, 0xef, 0xef] => Some(Self::Abridged),
            [0xee, 0xee, 0xee, 0xee] => Some(Self::Intermediate),
            [0xdd, 0xdd, 0xdd, 0xdd] => Some(Self::Padded),
            _ => None,
        }
    }

    /// The tag of an obfuscation header.
    #[must_use]
    pub fn tag(self) -> Option<[u8; 4]> {
        match self {
            Self::Abridged => Some([0xef; 4]),
            Self::Intermediate => Some([0xee; 4]),
            Self::Padded => Some([0xdd; 4]),
            Self::Full => None,
        }
    }
}

/// A packet as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The packet.
    pub payload: Vec<u8>,
    /// The sender wants to hear at once that it arrived (TR-6).
    pub quick_ack: bool,
}

/// The peer broke a transport's rule: the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// A length that no packet has.
    #[error("a packet of impossible length")]
    Length,
    /// Full transport: wrong counter.
    #[error("a packet out of order")]
    Counter,
    /// Full transport: wrong checksum.
    #[error("a packet with a wrong checksum")]
    Checksum,
    /// An obfuscation header that leads nowhere.
    #[error("an unknown transport")]
    Unknown,
    /// Not a WebSocket of ours.
    #[error("a WebSocket rule was broken")]
    WebSocket,
    /// WebSocket: the peer closed.
    #[error("the peer closed")]
    Closed,
}

/// Length of the next frame's head and body, when the head is there.
struct Head {
    head_len: usize,
    body_len: usize,
    quick_ack: bool,
}

/// One connection's transport, as the server or the client has it.
pub struct Transport {
    websocket: Option<WebSocket>,
    obfuscation: Option<Streams>,
    framing: Option<Framing>,
    dc_id: Option<i32>,
    counters: Counters,
    /// Bytes as they came from the socket, not yet out of the WebSocket.
    raw: Buffer,
    /// Bytes of the stream of packets.
    stream: Buffer,
    /// Bytes that the transport itself has to say.
    own: Vec<u8>,
    frame_len_max: usize,
}

impl Transport {
    /// The server's end of a new connection.
    #[must_use]
    pub fn server() -> Self {
        Self {
            websocket: None,
            obfuscation: None,
            framing: None,
            dc_id: None,
            counters: Counters::default(),
            raw: Buffer::default(),
            stream: Buffer::default(),
            own: Vec::new(),
            frame_len_max: crate::limits::FRAME_LEN_MAX,
        }
    }

    /// A client's end; `obfuscate` gives 64 random bytes to make a header of.
    #[must_use]
    pub fn client(framing: Framing, obfuscate: Option<[u8; 64]>) -> Self {
        let mut transport = Self::server();
        transport.frame_len_max = crate::limits::FRAME_LEN_MAX_CLIENT;
        transport.framing = Some(framing);
        match (
            obfuscate.and_then(|random| client_header(random, framing)),
            framing,
        ) {
            (Some((header, streams)), _) => {
                transport.own.extend(header);
                transport.obfuscation = Some(streams);
            }
            (None, Framing::Abridged) => transport.own.push(0xef),
            (None, Framing::Intermediate) => transport.own.extend([0xee; 4]),
            (None, Framing::Padded) => transport.own.extend([0xdd; 4]),
            (None, Framing::Full) => {}
        }
        transport
    }

    /// The data centre that the client means to talk to, from 1 to 5, where its transport says so.
    #[must_use]
    pub fn dc_id(&self) -> Option<i32> {
        self.dc_id
    }

    /// Takes bytes from the socket.
    ///
    /// # Errors
    /// [`TransportError`]: the connection is to be closed, after the packets that came before the error.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        match &self.websocket {
            None if self.framing.is_some() => self.append(bytes),
            _ => {
                self.raw.add(bytes);
            }
        }
        self.advance()
    }

    fn append(&mut self, bytes: &[u8]) {
        let added = self.stream.add(bytes);
        if let Some(streams) = &mut self.obfuscation {
            streams.decrypt(added);
        }
    }

    fn advance(&mut self) -> Result<(), TransportError> {
        if self.websocket.is_none() && self.framing.is_none() && !self.detect()? {
            return Ok(());
        }
        if let Some(websocket) = &mut self.websocket {
            let mut bytes = Vec::new();
            let received = websocket.receive(&mut self.raw, &mut bytes, &mut self.own);
            self.take_stream(&bytes)?;
            received?;
        }
        Ok(())
    }

    /// Bytes of the stream inside a WebSocket: the obfuscation header comes first.
    fn take_stream(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.framing.is_some() {
            self.append(bytes);
            return Ok(());
        }
        self.stream.add(bytes);
        if self.stream.len() >= HEADER_LEN {
            let header = self.stream.take(HEADER_LEN);
            self.open_obfuscation(&header)?;
            let rest = self.stream.take(usize::MAX);
            self.append(&rest);
        }
        Ok(())
    }

    fn open_obfuscation(&mut self, header: &[u8]) -> Result<(), TransportError> {
        let opened = obfuscated::open(header).ok_or(TransportError::Unknown)?;
        self.obfuscation = Some(opened.streams);
        self.framing = Some(opened.framing);
        self.dc_id = opened.dc_id;
        Ok(())
    }

    /// Tells the transport by the first bytes. False while there are too few of them.
    fn detect(&mut self) -> Result<bool, TransportError> {
        let start = self.raw.rest();
        if start.first() == Some(&0xef) {
            return Ok(self.opened(Framing::Abridged, 1));
        }
        let Some(tag) = start.first_chunk::<4>() else {
            return Ok(false);
        };
        match tag {
            b"GET " => {
                self.websocket = Some(WebSocket::default());
                return Ok(true);
            }
            // Other requests, and the ClientHello of TLS: nothing of ours speaks them.
            b"POST" | b"HEAD" | b"OPTI" | [0x16, 0x03, 0x01, 0x02] => return Err(TransportError::Unknown),
            tag => match Framing::of_tag(*tag) {
                Some(Framing::Abridged) | None => {}
                Some(framing) => return Ok(self.opened(framing, 4)),
            },
        }
        let Some(start) = start.first_chunk::<8>() else {
            return Ok(false);
        };
        if start[4..] == [0; 4] {
            return Ok(self.opened(Framing::Full, 0));
        }
        if self.raw.len() < HEADER_LEN {
            return Ok(false);
        }
        let header = self.raw.take(HEADER_LEN);
        self.open_obfuscation(&header)?;
        Ok(self.opened_as_is())
    }

    fn opened(&mut self, framing: Framing, skip: usize) -> bool {
        self.framing = Some(framing);
        self.raw.skip(skip);
        self.opened_as_is()
    }

    fn opened_as_is(&mut self) -> bool {
        let raw = self.raw.take(usize::MAX);
        self.append(&raw);
        true
    }

    /// The next packet, when it is whole.
    ///
    /// # Errors
    /// [`TransportError`]: the connection is to be closed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TransportError> {
        let Some(framing) = self.framing else {
            return Ok(None);
        };
        let head = match framing {
            Framing::Abridged => abridged::head(self.stream.rest()),
            Framing::Intermediate | Framing::Padded => intermediate::head(self.stream.rest()),
            Framing::Full => full::head(self.stream.rest())?,
        };
        let Some(Head {
            head_len,
            body_len,
            quick_ack,
        }) = head
        else {
            return Ok(None);
        };
        // Refused before a byte of it is waited for.
        if body_len > self.frame_len_max {
            return Err(TransportError::Length);
        }
        if self.stream.len() < head_len + body_len {
            return Ok(None);
        }
        let frame = &self.stream.rest()[..head_len + body_len];
        let payload = match framing {
            Framing::Full => self.counters.open(frame)?,
            Framing::Padded => intermediate::without_padding(&frame[head_len..]).to_vec(),
            _ => frame[head_len..].to_vec(),
        };
        self.stream.skip(head_len + body_len);
        Ok(Some(Frame { payload, quick_ack }))
    }

    /// Bytes that are held for packets that are not whole yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.raw.len() + self.stream.len()
    }

    /// Takes what the transport itself has to say: openings, WebSocket answers.
    pub fn take_own(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.own)
    }

    /// Writes a packet. `rng` is asked for padding where the framing has it.
    pub fn send(&mut self, payload: &[u8], quick_ack: bool, rng: &mut impl Rng, out: &mut Vec<u8>) {
        let mut framed = Vec::with_capacity(payload.len() + 24);
        match self.framing {
            Some(Framing::Abridged) => abridged::send(payload, quick_ack, &mut framed),
            Some(Framing::Intermediate) => intermediate::send(payload, quick_ack, &mut framed),
            Some(Framing::Padded) => intermediate::send_padded(payload, quick_ack, rng, &mut framed),
            Some(Framing::Full) => self.counters.send(payload, &mut framed),
            None => return,
        }
        self.write(framed, out);
    }

    /// Writes a quick ack (TR-6). Full has none.
    pub fn send_quick_ack(&mut self, token: [u8; 4], rng: &mut impl Rng, out: &mut Vec<u8>) {
        let mut framed = Vec::with_capacity(24);
        match self.framing {
            Some(Framing::Abridged) => framed.extend(token.iter().rev()),
            Some(Framing::Intermediate) => framed.extend(token),
            Some(Framing::Padded) => {
                let mut packet = vec![0xff; 4];
                packet.extend(token);
                intermediate::send_padded(&packet, false, rng, &mut framed);
            }
            Some(Framing::Full) | None => return,
        }
        self.write(framed, out);
    }

    fn write(&mut self, mut framed: Vec<u8>, out: &mut Vec<u8>) {
        if let Some(streams) = &mut self.obfuscation {
            streams.encrypt(&mut framed);
        }
        match &self.websocket {
            Some(_) => websocket::binary(&framed, out),
            None => out.extend(framed),
        }
    }
}

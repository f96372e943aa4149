//! One bound connection to a message centre, in a task of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindTransmitter, SubmitSm};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, interval_at, timeout};
use tokio_util::codec::Framed;

/// The longest packet that is read, in bytes; answers have less than 100.
pub const PACKET_LEN_MAX: usize = 4096;
/// How long the message centre may take to read a packet; the connection is then given up.
pub const WRITE_MAX: Duration = Duration::from_secs(10);

/// Sequence numbers begin anew after this one (SMPP 3.4, section 3.2).
const SEQUENCE_MAX: u32 = 0x7fff_ffff;

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Why there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbound {
    /// The message centre does not want it, with this status.
    Refused(CommandStatus),
    /// The connection was closed, or something else than an answer came.
    Broken,
}

/// A bound connection. It is unbound when the last clone goes.
#[derive(Clone, Debug)]
pub struct Link {
    submissions: mpsc::Sender<Submission>,
}

#[derive(Debug)]
struct Submission {
    message: SubmitSm,
    answer: oneshot::Sender<CommandStatus>,
}

impl Link {
    /// Binds `stream` as a transmitter, and asks it for a sign of life every `beat`. Waits for the answer
    /// without a bound of its own.
    ///
    /// # Errors
    /// When the message centre does not want it or does not speak SMPP.
    pub async fn bind(
        stream: Box<dyn Duplex>,
        bind: BindTransmitter,
        beat: Duration,
    ) -> Result<Self, Unbound> {
        let codec = CommandCodec::new().with_max_length(PACKET_LEN_MAX);
        let mut wire = Framed::new(stream, codec);
        let command = Command::new(CommandStatus::EsmeRok, 1, bind);
        wire.send(command).await.map_err(|_| Unbound::Broken)?;
        let answer = wire.next().await.and_then(Result::ok).ok_or(Unbound::Broken)?;
        match (answer.id(), answer.status()) {
            (CommandId::BindTransmitterResp, CommandStatus::EsmeRok) => {}
            (_, CommandStatus::EsmeRok) => return Err(Unbound::Broken),
            (_, status) => return Err(Unbound::Refused(status)),
        }
        let (submissions, submitted) = mpsc::channel(1);
        let session = Session {
            wire,
            submitted,
            answers: BTreeMap::new(),
            sequence: 1,
            silent: false,
        };
        tokio::spawn(session.run(interval_at(Instant::now() + beat, beat)));
        Ok(Self { submissions })
    }

    /// Whether the connection still stands, as far as known.
    pub fn is_open(&self) -> bool {
        !self.submissions.is_closed()
    }

    /// Submits a message and waits for the answer, without a bound of its own; `None` when the connection
    /// ends before.
    pub async fn submit(&self, message: SubmitSm) -> Option<CommandStatus> {
        let (answer, answered) = oneshot::channel();
        let submission = Submission { message, answer };
        self.submissions.send(submission).await.ok()?;
        answered.await.ok()
    }
}

/// The connection has ended.
struct Gone;

struct Session {
    wire: Framed<Box<dyn Duplex>, CommandCodec>,
    submitted: mpsc::Receiver<Submission>,
    /// Who waits for the answer to which packet.
    answers: BTreeMap<u32, oneshot::Sender<CommandStatus>>,
    /// That of the last packet.
    sequence: u32,
    /// Nothing has come since a sign of life was asked for.
    silent: bool,
}

impl Session {
    /// Runs until the connection or its owner goes. Whoever waits for an answer then learns that none comes.
    async fn run(mut self, mut beat: Interval) {
        while self.step(&mut beat).await.is_ok() {}
    }

    async fn step(&mut self, beat: &mut Interval) -> Result<(), Gone> {
        tokio::select! {
            submission = self.submitted.recv() => match submission {
                Some(submission) => self.submit(submission).await,
                None => {
                    let _ = self.request(Pdu::Unbind).await;
                    Err(Gone)
                }
            },
            command = self.wire.next() => {
                let command = command.and_then(Result::ok).ok_or(Gone)?;
                self.handle(&command).await
            }
            _ = beat.tick() => self.beat().await,
        }
    }

    async fn submit(&mut self, submission: Submission) -> Result<(), Gone> {
        // Whoever has given up waiting leaves no trace, even if the answer never comes.
        self.answers.retain(|_, answer| !answer.is_closed());
        let sequence = self.request(submission.message.into()).await?;
        self.answers.insert(sequence, submission.answer);
        Ok(())
    }

    async fn handle(&mut self, command: &Command) -> Result<(), Gone> {
        self.silent = false;
        let sequence = command.sequence_number();
        match command.id() {
            CommandId::SubmitSmResp | CommandId::GenericNack => {
                if let Some(answer) = self.answers.remove(&sequence) {
                    let _ = answer.send(command.status());
                }
                Ok(())
            }
            CommandId::EnquireLink => self.send(sequence, Pdu::EnquireLinkResp).await,
            CommandId::Unbind => {
                let _ = self.send(sequence, Pdu::UnbindResp).await;
                Err(Gone)
            }
            CommandId::UnbindResp => Err(Gone),
            // Nothing else is due to a transmitter.
            _ => Ok(()),
        }
    }

    async fn beat(&mut self) -> Result<(), Gone> {
        if self.silent {
            return Err(Gone);
        }
        self.silent = true;
        self.request(Pdu::EnquireLink).await?;
        Ok(())
    }

    async fn request(&mut self, pdu: Pdu) -> Result<u32, Gone> {
        self.sequence = if self.sequence == SEQUENCE_MAX {
            1
        } else {
            self.sequence + 1
        };
        self.send(self.sequence, pdu).await?;
        Ok(self.sequence)
    }

    async fn send(&mut self, sequence: u32, pdu: Pdu) -> Result<(), Gone> {
        let command = Command::new(CommandStatus::EsmeRok, sequence, pdu);
        let sent = timeout(WRITE_MAX, self.wire.send(command)).await;
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const BEAT: Duration = Duration::from_secs(30);
    const BIND_RESP: u32 = 0x8000_0002;
    const SUBMIT_RESP: u32 = 0x8000_0004;

    /// A packet without body, as error answers are (SMPP 3.4, section 4.4.2).
    fn head(id: u32, status: u32, sequence: u32) -> Vec<u8> {
        [16, id, status, sequence].map(u32::to_be_bytes).concat()
    }

    async fn next_sequence(centre: &mut DuplexStream) -> u32 {
        let len = centre.read_u32().await.unwrap();
        let mut rest = vec![0; len as usize - 4];
        centre.read_exact(&mut rest).await.unwrap();
        u32::from_be_bytes(rest[8..12].try_into().unwrap())
    }

    /// A link whose message centre answers the bind with `answer`.
    async fn bound(answer: &[u8]) -> (Result<Link, Unbound>, DuplexStream) {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(answer).await.unwrap();
        let link = Link::bind(Box::new(near), BindTransmitter::default(), BEAT).await;
        next_sequence(&mut far).await;
        (link, far)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_body_is_understood() {
        let (link, mut centre) = bound(&head(BIND_RESP, 0, 1)).await;
        let link = link.unwrap();
        for (id, status, meaning) in [
            (SUBMIT_RESP, 0x0b, CommandStatus::EsmeRinvdstadr),
            (0x8000_0000, 0x03, CommandStatus::EsmeRinvcmdid),
        ] {
            let submitter = link.clone();
            let answer = tokio::spawn(async move { submitter.submit(SubmitSm::default()).await });
            let sequence = next_sequence(&mut centre).await;
            centre
                .write_all(&head(SUBMIT_RESP, 0, sequence + 1))
                .await
                .unwrap();
            centre.write_all(&head(id, status, sequence)).await.unwrap();
            assert_eq!(answer.await.unwrap(), Some(meaning));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_an_answer_to_a_bind_binds_nothing() {
        let answers = [
            (
                head(BIND_RESP, 0x0e, 1),
                Unbound::Refused(CommandStatus::EsmeRinvpaswd),
            ),
            (head(SUBMIT_RESP, 0, 1), Unbound::Broken),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Unbound::Broken),
            (vec![0; 16], Unbound::Broken),
        ];
        for (answer, expected) in answers {
            assert_eq!(bound(&answer).await.0.err(), Some(expected), "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nonsense_silence_and_a_centre_that_does_not_read_end_the_link() {
        let (link, mut centre) = bound(&head(BIND_RESP, 0, 1)).await;
        let link = link.unwrap();
        centre.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        assert_eq!(link.submit(SubmitSm::default()).await, None);
        assert!(!link.is_open());

        let (link, _silent) = bound(&head(BIND_RESP, 0, 1)).await;
        let started = Instant::now();
        assert_eq!(link.unwrap().submit(SubmitSm::default()).await, None);
        assert_eq!(started.elapsed(), BEAT * 2);

        let (near, mut far) = tokio::io::duplex(32);
        let bind = tokio::spawn(Link::bind(Box::new(near), BindTransmitter::default(), BEAT));
        next_sequence(&mut far).await;
        far.write_all(&head(BIND_RESP, 0, 1)).await.unwrap();
        let link = bind.await.unwrap().unwrap();
        let started = Instant::now();
        assert_eq!(link.submit(SubmitSm::default()).await, None);
        assert_eq!(started.elapsed(), WRITE_MAX);
    }
}

//! Messages that were opened, into a session.

use havre_mtproto::packet::Message;
use havre_mtproto::salts::Salts;
use havre_mtproto::session::{Answer, ConnectionId, Output, Session};
use havre_mtproto::time::Millis;

use crate::pieces;
use crate::wire::auth_key;

const NOW: Millis = Millis(1_800_000_000_000);
const CONNECTION: ConnectionId = ConnectionId(1);

/// Each piece is one message under a right salt: a byte that says how its id and number lie, then its body.
/// Bit 0: an odd number; bits 1 and 2: how many seconds have passed; bit 3: the id of the message before;
/// bit 4: the connection is another one; bit 5: a wrong salt.
///
/// # Panics
/// When the session says more than is due, or loses count.
pub fn session(input: &[u8]) {
    let key = auth_key().id();
    let (salts, mut session) = (Salts::new([5; 32]), Session::new(key, 77));
    let (mut now, mut msg_id, mut content) = (NOW, 0, 0);
    for piece in pieces(input) {
        let Some((how, body)) = piece.split_first() else {
            continue;
        };
        now = now.plus(i64::from(how >> 1 & 3) * 1000);
        if how & 8 == 0 {
            msg_id = now.msg_id().max(msg_id + 4);
        }
        let seq_no = content * 2 + i32::from(how & 1);
        content += i32::from(how & 1);
        let salt = salts.current(key, now) ^ i64::from(how >> 5 & 1);
        // A packet whose body is no multiple of four is not opened (EN-3).
        let body = body[..body.len() / 4 * 4].to_vec();
        let message = Message { msg_id, seq_no, body };
        session.handle(now, &salts, (salt, None), message, 4711);
        if how & 16 != 0 {
            session.connection_closed(CONNECTION);
        }
        settle(&mut session, now);
    }
}

/// Answers what is asked, and takes what there is to send.
fn settle(session: &mut Session, now: Millis) {
    let mut requests = Vec::new();
    while let Some(output) = session.poll() {
        match output {
            Output::Request { msg_id, body } => requests.push((msg_id, body)),
            Output::DestroySession { session_id, .. } => session.session_destroyed(now, session_id, true),
            Output::DestroyKey { .. } => session.key_destroyed(now, Some(true)),
            Output::CloseAfter { ms } => assert!(ms >= 0),
            Output::Overflowed => {}
        }
    }
    for (msg_id, body) in requests {
        session.answer(now, msg_id, Answer::Result(body));
    }
    session.handle_timeout(now);
    let mut last = 0;
    while let Some(message) = session.transmit(now, CONNECTION) {
        assert_eq!(message.body.len() % 4, 0);
        assert!(message.msg_id & 1 == 1, "a server's id is odd");
        last += 1;
        assert!(last < 10_000, "there is no end to what it says");
    }
}

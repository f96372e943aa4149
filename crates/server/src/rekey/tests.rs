use proptest::prelude::*;

use super::*;

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);

/// A text of the form and length of a server's key.
fn pem(body: char) -> String {
    let line = format!("{}\n", body.to_string().repeat(64));
    let last = body.to_string().repeat(360 - 5 * 64);
    format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}{last}\n-----END RSA PUBLIC KEY-----",
        line.repeat(5)
    )
}

fn emergency_pem() -> String {
    let known = "MIIBCgKCAQEAyr+18Rex2ohtVy8sroGPBwXD3DOoKCSpjDqYoXgCqB7ioln4eDCF";
    pem('e').replacen(&"e".repeat(64), known, 1)
}

fn target(port: u16) -> Target {
    Target {
        key_pem: pem('n') + "\n",
        host: HERE,
        port,
    }
}

/// A program made up of pieces with noise between them.
struct Program {
    bytes: Vec<u8>,
    noise: Vec<u8>,
}

impl Program {
    fn new(noise: &[u8]) -> Self {
        let mut program = Self {
            bytes: Vec::new(),
            noise: noise.to_vec(),
        };
        program.add(&[]);
        program
    }

    fn add(&mut self, piece: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(piece);
        self.bytes.push(0);
        self.bytes.extend_from_slice(&self.noise);
        self.bytes.push(0);
        self
    }

    fn add_all(&mut self, pieces: &[&str]) -> &mut Self {
        for piece in pieces {
            self.add(piece.as_bytes());
        }
        self
    }

    fn keys(&mut self) -> &mut Self {
        self.add_all(&[&pem('p'), &emergency_pem(), &pem('t')])
    }
}

fn record(id: u64, port: u64) -> Vec<u8> {
    [id, 0x036d_8187, port].map(u64::to_le_bytes).concat()
}

/// As Telegram Desktop has it: texts, and a table.
fn desktop(noise: &[u8]) -> Vec<u8> {
    let mut program = Program::new(noise);
    program.keys();
    program.add_all(&["149.154.175.50", "95.161.76.100", "149.154.171.5"]);
    program.add_all(&["2001:0b28:f23d:f001:0000:0000:0000:000a"]);
    program.add(&[record(1, 443), record(2, 443), record(5, 443)].concat());
    program.add(&[record(3, 443), record(9, 443)].concat());
    program.bytes
}

/// The ports as compilers write TDLib's list.
const PORT_CODE: &[u8] = b"\x48\xb9\xbb\x01\0\0\x50\0\0\0\x49\x89\x0e\x41\xc7\x46\x08\x66\x14\0\0";

/// As GCC builds TDLib: texts, and instructions.
fn tdlib_with_texts(noise: &[u8]) -> Vec<u8> {
    let mut program = Program::new(noise);
    program.keys();
    program.add_all(&["149.154.175.50", "149.154.171.5", "2001:b28:f23d:f001::a"]);
    program.add(PORT_CODE);
    program.bytes
}

fn movabs(word: [u8; 8]) -> Vec<u8> {
    [&[0x49, 0xbd], &word[..]].concat()
}

const SECOND_WORDS: [&[u8; 8]; 17] = [
    b".175.10\0",
    b".167.40\0",
    b".175.117",
    b".175.50\0",
    b".167.51\0",
    b"76.100\0\0",
    b".175.100",
    b".167.91\0",
    b".171.5\0\0",
    b"8:f23d:f",
    b"c:4e8:f0",
    b"8:f23d:f",
    b"8:f23d:f",
    b"c:4e8:f0",
    b"8:f23d:f",
    b"c:4e8:f0",
    b"8:f23f:f",
];

/// As clang builds TDLib with libc++: instructions alone.
fn tdlib_with_words(noise: &[u8]) -> Vec<u8> {
    let mut program = Program::new(noise);
    program.keys();
    for first in [b"\x1c149.154", b"\x1a95.161.", b"\x2a2001:b2", b"\x282001:67"] {
        program.add(&movabs(*first));
    }
    for second in SECOND_WORDS {
        program.add(&movabs(*second));
    }
    program.add(PORT_CODE);
    program.bytes
}

fn count(bytes: &[u8], piece: &[u8]) -> usize {
    memchr::memmem::find_iter(bytes, piece).count()
}

fn refusal(original: &[u8], target: &Target) -> String {
    format!("{:#}", rekey(original, target).unwrap_err())
}

#[test]
fn telegram_desktop_is_led_here_by_texts_and_a_table() {
    let (copy, changes) = rekey(&desktop(b"noise"), &target(4430)).unwrap();
    let expected = Changes {
        keys: 2,
        ipv4: 3,
        ipv6: 1,
        ports: 3,
    };
    assert_eq!(changes, expected);
    assert_eq!(count(&copy, pem('n').as_bytes()), 2);
    assert_eq!(count(&copy, emergency_pem().as_bytes()), 1);
    assert_eq!(count(&copy, b"\x00127.0.0.1\0"), 3);
    assert_eq!(count(&copy, b"\0::ffff:7f00:1\0"), 1);
    assert_eq!(count(&copy, &record(2, 4430)), 1);
    // Alone, or with a number that is no data centre's, it is something else.
    assert_eq!(count(&copy, &[record(3, 443), record(9, 443)].concat()), 1);
}

#[test]
fn tdlib_is_led_here_whichever_compiler_made_it() {
    let (texts, changes) = rekey(&tdlib_with_texts(b"noise"), &target(4430)).unwrap();
    assert_eq!((changes.ipv4, changes.ipv6, changes.ports), (2, 1, 3));
    assert_eq!(count(&texts, b"\x00127.0.0.1\0"), 2);
    let (words, changes) = rekey(&tdlib_with_words(b"noise"), &target(4430)).unwrap();
    assert_eq!((changes.ipv4, changes.ipv6, changes.ports), (9, 8, 3));
    assert_eq!(count(&words, b"\x1c127.0.0"), 1);
    assert_eq!(count(&words, b"\xbd.1\0\0\0\0\0\0"), 9);
    assert_eq!(count(&words, b"\x28::ffff:"), 1);
    assert_eq!(count(&words, b"\xbd7f00:1\0\0"), 8);
    for copy in [texts, words] {
        let code = b"\x48\xb9\x4e\x11\0\0\x4e\x11\0\0\x49\x89\x0e\x41\xc7\x46\x08\x4e\x11\0\0";
        assert_eq!(count(&copy, code), 1);
    }
}

#[test]
fn the_end_of_an_old_address_stays_where_linkers_let_others_share_it() {
    let (copy, _) = rekey(&desktop(b"noise"), &target(4430)).unwrap();
    assert_eq!(count(&copy, b"\x00127.0.0.1\x005.50\0"), 1);
}

#[test]
fn what_is_not_recognised_is_refused_with_a_reason() {
    let keys = Program::new(b"noise").keys().bytes.clone();
    let no_ports = Program::new(b"").keys().add(b"149.154.175.50").bytes.clone();
    let partial = Program::new(b"")
        .keys()
        .add(b"149.154.175.50")
        .add(b"\x48\xbf149.154.")
        .add(PORT_CODE)
        .bytes
        .clone();
    let twice = [tdlib_with_texts(b""), PORT_CODE.to_vec()].concat();
    for (program, reason) in [
        (b"hello".to_vec(), "no public key"),
        (keys, "no addresses"),
        (no_ports, "no list of ports"),
        (partial, "addresses in a form that is not known"),
        (twice, "2 lists that may be the ports"),
        (
            without(b".171.5\0\0", &tdlib_with_words(b"")),
            "only 16 of TDLib's 17",
        ),
    ] {
        let told = refusal(&program, &target(4430));
        assert!(told.contains(reason), "{told}");
    }
}

/// The program with one bit of a piece turned, so that it is not to be found.
fn without(piece: &[u8], program: &[u8]) -> Vec<u8> {
    let mut changed = program.to_vec();
    changed[memchr::memmem::find(program, piece).unwrap()] ^= 1;
    changed
}

#[test]
fn a_host_that_has_no_room_and_a_key_of_another_size_are_refused() {
    let long = Target {
        host: Ipv4Addr::new(192, 168, 100, 200),
        ..target(4430)
    };
    for program in [desktop(b""), tdlib_with_texts(b""), tdlib_with_words(b"")] {
        assert!(
            refusal(&program, &long).contains("192.168.100.200 is too long for it: 13 characters at most")
        );
    }
    let short = Target {
        key_pem: pem('n').replacen("nnnn", "", 1),
        ..target(4430)
    };
    assert!(refusal(&desktop(b""), &short).contains("not one of 2048 bits"));
}

#[test]
fn an_ipv6_place_that_is_too_short_leads_to_nobody() {
    let far = Target {
        host: Ipv4Addr::new(192, 168, 20, 5),
        ..target(4430)
    };
    let (copy, _) = rekey(&tdlib_with_words(b""), &far).unwrap();
    assert_eq!(count(&copy, b"\x28100::\0\0"), 1);
    let (copy, _) = rekey(&tdlib_with_texts(b""), &far).unwrap();
    assert_eq!(count(&copy, b"\0::ffff:c0a8:1405\0"), 1);
}

/// Bytes that a change may touch: those of the pieces that lead to Telegram.
fn may_differ(program: &[u8]) -> Vec<bool> {
    let mut open = vec![false; program.len()];
    let texts = [pem('p'), pem('t')].map(String::into_bytes);
    let mut pieces: Vec<Vec<u8>> = texts.to_vec();
    pieces.extend(SECOND_WORDS.map(|word| word.to_vec()));
    for text in [
        "149.154",
        "95.161.",
        "2001:b2",
        "2001:67",
        "149.154.175.50",
        "149.154.171.5",
        "95.161.76.100",
        "2001:b28:f23d:f001::a",
        "2001:0b28:f23d:f001:0000:0000:0000:000a",
    ] {
        pieces.push(text.into());
    }
    pieces.extend([
        PORT_CODE.to_vec(),
        [record(1, 443), record(2, 443), record(5, 443)].concat(),
    ]);
    for piece in pieces {
        for at in memchr::memmem::find_iter(program, &piece) {
            open[at..at + piece.len()].fill(true);
        }
    }
    open
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_else_stays_byte_for_byte(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        port in 1..=u16::MAX,
        host in prop::array::uniform4(0..=99u8),
    ) {
        let target = Target { host: host.into(), ..target(port) };
        for program in [desktop(&noise), tdlib_with_texts(&noise), tdlib_with_words(&noise)] {
            let (copy, _) = rekey(&program, &target).unwrap();
            prop_assert_eq!(copy.len(), program.len());
            for (at, open) in may_differ(&program).into_iter().enumerate() {
                prop_assert!(open || copy[at] == program[at], "byte {} differs", at);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_copied_never_a_panic(
        program in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0..5000usize,
        flipped in 0..5000usize,
    ) {
        rekey(&program, &target(4430)).unwrap_err();
        for mut program in [desktop(&program), tdlib_with_texts(&program), tdlib_with_words(&program)] {
            program.truncate(cut);
            if let Some(byte) = program.get_mut(flipped) {
                *byte ^= 0x55;
            }
            if let Ok((copy, _)) = rekey(&program, &target(4430)) {
                prop_assert_eq!(copy.len(), program.len());
            }
        }
    }
}

//! A message as the body of one text message.

use rusmpp::values::DataCoding;

use crate::provider::Message;

/// Characters of the GSM alphabet in one text message; those of its extension count twice
/// (3GPP TS 23.038, section 4).
pub const SEPTETS_MAX: usize = 160;
/// Bytes of UCS-2 in one text message: 70 characters.
pub const UCS2_LEN_MAX: usize = 140;

/// The GSM alphabet, each character at its number (3GPP TS 23.038, section 6.2.1).
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                   ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What stands behind an escape (section 6.2.1.1).
const GSM_EXTENSION: [(char, u8); 10] = [
    ('\u{c}', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];
const ESCAPE: u8 = 0x1b;

/// The text of `message` in the GSM alphabet where it has all the characters, else in UCS-2; the code alone
/// where the text would need more than one text message.
pub fn encode(message: &Message) -> (DataCoding, Vec<u8>) {
    gsm(&message.text)
        .or_else(|| ucs2(&message.text))
        .or_else(|| gsm(&message.code))
        .unwrap_or_else(|| (DataCoding::McSpecific, Vec::new()))
}

/// In the alphabet that a message centre takes for granted, one character a byte.
fn gsm(text: &str) -> Option<(DataCoding, Vec<u8>)> {
    let mut bytes = Vec::new();
    for char in text.chars() {
        match septet(char)? {
            (septet, false) => bytes.push(septet),
            (septet, true) => bytes.extend([ESCAPE, septet]),
        }
    }
    (bytes.len() <= SEPTETS_MAX).then_some((DataCoding::McSpecific, bytes))
}

/// The place of a character in the GSM alphabet, and whether that is in the extension.
fn septet(char: char) -> Option<(u8, bool)> {
    let plain = GSM.chars().position(|other| other == char);
    let extended = || GSM_EXTENSION.iter().find(|(other, _)| *other == char);
    match plain {
        // Nobody writes the escape itself.
        Some(place) if char != '\u{1b}' => Some((u8::try_from(place).ok()?, false)),
        _ => extended().map(|(_, septet)| (*septet, true)),
    }
}

/// As UTF-16, which phones have read as UCS-2 since there are emoji.
fn ucs2(text: &str) -> Option<(DataCoding, Vec<u8>)> {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    (bytes.len() <= UCS2_LEN_MAX).then_some((DataCoding::Ucs2, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> (DataCoding, Vec<u8>) {
        encode(&Message {
            number: "15550000001".into(),
            code: "31415".into(),
            text: text.into(),
        })
    }

    #[test]
    fn the_gsm_alphabet_where_it_suffices() {
        let (coding, bytes) = encoded("Code @ 1€ ñ");
        assert_eq!(coding, DataCoding::McSpecific);
        assert_eq!(bytes, b"Code \x00 1\x1b\x65 \x7d");
    }

    #[test]
    fn ucs2_where_it_does_not() {
        let (coding, bytes) = encoded("Код 1");
        assert_eq!(coding, DataCoding::Ucs2);
        assert_eq!(bytes, [4, 0x1a, 4, 0x3e, 4, 0x34, 0, 0x20, 0, 0x31]);
        assert_eq!(encoded("✓😀").1, [0x27, 0x13, 0xd8, 0x3d, 0xde, 0x00]);
    }

    #[test]
    fn the_code_alone_where_the_text_is_too_long() {
        let code = (DataCoding::McSpecific, b"31415".to_vec());
        assert_eq!(encoded(&"x".repeat(SEPTETS_MAX)).1.len(), SEPTETS_MAX);
        assert_eq!(encoded(&"x".repeat(SEPTETS_MAX + 1)), code);
        assert_eq!(encoded(&"€".repeat(SEPTETS_MAX / 2)).1.len(), SEPTETS_MAX);
        assert_eq!(encoded(&"я".repeat(70)).1.len(), UCS2_LEN_MAX);
        assert_eq!(encoded(&"я".repeat(71)), code);
    }
}

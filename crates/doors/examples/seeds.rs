//! Writes what honest clients send into the corpora: `cargo run -p havre-doors --example seeds`.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use havre_doors::input_of;
use havre_doors::wire::{NOW, auth_key, connection, server_key, settle};
use havre_mtproto::client::{ClientConfig, ClientConnection, KeyRequest, Output, RsaScheme};
use havre_mtproto::transport::Framing;
use havre_tl::{Serialize, enums, functions, types};

fn main() -> std::io::Result<()> {
    for (n, framing) in [
        Framing::Abridged,
        Framing::Intermediate,
        Framing::Padded,
        Framing::Full,
    ]
    .into_iter()
    .enumerate()
    {
        for obfuscated in [false, true] {
            let name = format!("{n}-{}", u8::from(obfuscated));
            write(
                "stream",
                &name,
                &input_of(talk(framing, obfuscated, true).iter().map(Vec::as_slice)),
            )?;
            let resumed = talk(framing, obfuscated, false);
            write(
                "stream",
                &format!("{name}-resumed"),
                &input_of(resumed.iter().map(Vec::as_slice)),
            )?;
        }
    }
    for (n, scheme) in [RsaScheme::Padded, RsaScheme::Sha1].into_iter().enumerate() {
        for (m, expires_in) in [None, Some(86_400)].into_iter().enumerate() {
            for (k, dc_id) in [None, Some(2), Some(-2)].into_iter().enumerate() {
                let request = KeyRequest {
                    scheme,
                    dc_id,
                    expires_in,
                };
                let bodies = plain_bodies(request);
                write(
                    "handshake",
                    &format!("{n}-{m}-{k}"),
                    &input_of(bodies.iter().map(Vec::as_slice)),
                )?;
            }
        }
    }
    for (n, input) in sessions().into_iter().enumerate() {
        write("session", &format!("{n}"), &input)?;
    }
    for (n, call) in calls().into_iter().enumerate() {
        write("language", &format!("{n}"), &call)?;
        write("call", &format!("{n}"), &call)?;
    }
    for (n, input) in passkeys().into_iter().enumerate() {
        write("passkey", &format!("{n}"), &input)?;
    }
    Ok(())
}

fn write(door: &str, name: &str, input: &[u8]) -> std::io::Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(door);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{name}")), input)
}

/// A registration and a log-in that the standard publishes, whole and with one part missing.
fn passkeys() -> Vec<Vec<u8>> {
    const PARTS: [&str; 7] = [
        "create challenge",
        "create client data",
        "attestation",
        "get challenge",
        "get client data",
        "authenticator data",
        "signature",
    ];
    let mut inputs = Vec::new();
    for section in ["16.2", "16.7"] {
        let parts = PARTS.map(|part| vector(&format!("{section} {part}")));
        for missing in 0..=PARTS.len() {
            let present = |(n, part)| if n == missing { &[][..] } else { part };
            inputs.push(input_of(parts.iter().map(Vec::as_slice).enumerate().map(present)));
        }
    }
    inputs
}

/// A test vector of Web Authentication Level 3.
fn vector(name: &str) -> Vec<u8> {
    let mut vectors = include_str!("../../domain/src/webauthn_vectors.txt").lines();
    let hex = vectors.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let hex = hex.expect("one of the vectors");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn config(framing: Framing, obfuscated: bool, key_request: KeyRequest) -> ClientConfig {
    ClientConfig {
        framing,
        obfuscated: obfuscated && framing != Framing::Full,
        server_key: Arc::new(server_key()),
        key_request,
    }
}

/// What a client writes, piece by piece, to the server behind the doors.
fn talk(framing: Framing, obfuscated: bool, makes_key: bool) -> Vec<Vec<u8>> {
    let config = config(framing, obfuscated, KeyRequest::default());
    let mut client = match makes_key {
        true => ClientConnection::new(NOW, config, [3; 32]),
        false => ClientConnection::resume(NOW, config, auth_key(), 0, [3; 32]),
    };
    client.call(NOW, functions::help::GetConfig {}.to_bytes());
    client.ping(NOW, 1, Some(60));
    let (mut server, mut said) = (connection(), Vec::new());
    loop {
        let outputs: Vec<Output> = std::iter::from_fn(|| client.poll()).collect();
        let bytes: Vec<u8> = outputs.into_iter().filter_map(written).flatten().collect();
        if bytes.is_empty() {
            return said;
        }
        server.receive(NOW, &bytes);
        said.push(bytes);
        client.receive(NOW, &settle(&mut server).0);
    }
}

fn written(output: Output) -> Option<Vec<u8>> {
    match output {
        Output::Write(bytes) => Some(bytes),
        _ => None,
    }
}

/// The bodies of the plain packets of a handshake: each write is one packet of the intermediate transport.
fn plain_bodies(request: KeyRequest) -> Vec<Vec<u8>> {
    let mut client = ClientConnection::new(NOW, config(Framing::Intermediate, false, request), [4; 32]);
    let (mut server, mut bodies) = (connection(), Vec::new());
    loop {
        let writes: Vec<Vec<u8>> = std::iter::from_fn(|| client.poll()).filter_map(written).collect();
        if writes.is_empty() {
            return bodies;
        }
        for bytes in writes {
            server.receive(NOW, &bytes);
            // The length, and the head of a plain packet, whose first eight bytes are zero.
            if bytes.len() > 24 && bytes[4..12] == [0; 8] {
                bodies.push(bytes[24..].to_vec());
            }
        }
        client.receive(NOW, &settle(&mut server).0);
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Messages as sessions get them, by the ids of core.telegram.org/mtproto/service_messages.
fn sessions() -> Vec<Vec<u8>> {
    let ping = words(&[0x7abe_77ec, 1, 0]);
    let ping_delay = words(&[0xf342_7b8c, 2, 0, 60]);
    let acks = words(&[0x62d6_b459, 0x1cb5_c415, 1, 1, 0]);
    let salts = words(&[0xb921_bd04, 64]);
    let state = words(&[0xda69_fb52, 0x1cb5_c415, 2, 0, 0x6b49_d200, 4, 0x6b49_d200]);
    let resend = words(&[0x7d86_1a08, 0x1cb5_c415, 1, 1, 0x6b49_d200]);
    let drop_answer = words(&[0x58e4_a740, 0, 0x6b49_d200]);
    let destroy_session = words(&[0xe751_2126, 7, 7]);
    let destroy_key = words(&[0xd143_5160]);
    let wait = words(&[0x9299_359f, 0, 0, 25_000]);
    let call = functions::help::GetConfig {}.to_bytes();
    let container = |bodies: &[&Vec<u8>]| {
        let mut body = words(&[0x73f1_f8dc, u32::try_from(bodies.len()).unwrap_or(0)]);
        for (n, inner) in (0_u32..).zip(bodies) {
            body.extend(words(&[
                4 * n + 4,
                0x6b49_d1ff,
                2 * n + 1,
                u32::try_from(inner.len()).unwrap_or(0),
            ]));
            body.extend(*inner);
        }
        body
    };
    let all = [
        &ping,
        &ping_delay,
        &acks,
        &salts,
        &state,
        &resend,
        &drop_answer,
        &destroy_session,
        &wait,
        &call,
    ];
    let with = |how: u8, body: &Vec<u8>| [&[how][..], body].concat();
    let mut inputs: Vec<Vec<u8>> = all
        .iter()
        .map(|body| input_of([&with(1, &ping)[..], &with(1, body), &with(3, &call)]))
        .collect();
    let several = container(&[&ping, &acks, &call, &state]);
    inputs.push(input_of([
        &with(0, &several)[..],
        &with(8, &several),
        &with(16, &ping),
    ]));
    inputs.push(input_of([
        &with(1, &call)[..],
        &with(9, &call),
        &with(33, &ping),
        &with(1, &resend),
    ]));
    inputs.push(input_of([&with(1, &destroy_key)[..], &with(1, &ping)]));
    inputs.push(input_of([
        &with(0, &container(&[&several]))[..],
        &with(0, &container(&[])),
    ]));
    inputs
}

fn myself() -> enums::InputPeer {
    enums::InputPeer::InputPeerSelf
}

fn calls() -> Vec<Vec<u8>> {
    [sends(), reads(), changes(), people()].concat()
}

fn sends() -> Vec<Vec<u8>> {
    let peer = myself;
    let text = functions::messages::SendMessage {
        peer: peer(),
        message: "hello @somebody https://havre.example #fun".into(),
        random_id: 1,
        entities: Some(vec![types::MessageEntityBold { offset: 0, length: 5 }.into()]),
        ..Default::default()
    };
    let wrapped = functions::InvokeWithLayer {
        layer: 152,
        query: functions::InvokeAfterMsg {
            msg_id: 4,
            query: text.to_bytes(),
        }
        .to_bytes(),
    };
    vec![text.to_bytes(), wrapped.to_bytes()]
}

fn reads() -> Vec<Vec<u8>> {
    let peer = myself;
    vec![
        functions::help::GetConfig {}.to_bytes(),
        functions::updates::GetState {}.to_bytes(),
        functions::updates::GetDifference {
            pts: 0,
            pts_limit: Some(1),
            date: i32::MAX,
            ..Default::default()
        }
        .to_bytes(),
        functions::messages::GetDialogs {
            limit: 20,
            offset_peer: enums::InputPeer::InputPeerEmpty,
            ..Default::default()
        }
        .to_bytes(),
        functions::messages::GetHistory {
            peer: peer(),
            limit: 20,
            add_offset: -5,
            ..Default::default()
        }
        .to_bytes(),
        functions::messages::Search {
            peer: peer(),
            q: "hello".into(),
            limit: 5,
            ..Default::default()
        }
        .to_bytes(),
    ]
}

fn changes() -> Vec<Vec<u8>> {
    let peer = myself;
    vec![
        functions::messages::CreateChat {
            title: "group".into(),
            users: vec![enums::InputUser::InputUserSelf],
            ttl_period: None,
        }
        .to_bytes(),
        functions::messages::DeleteMessages {
            revoke: true,
            id: vec![1, 2, -3],
        }
        .to_bytes(),
        functions::messages::ForwardMessages {
            from_peer: peer(),
            to_peer: peer(),
            id: vec![1],
            random_id: vec![9],
            ..Default::default()
        }
        .to_bytes(),
        functions::messages::SaveDraft {
            peer: peer(),
            message: "draft".into(),
            ..Default::default()
        }
        .to_bytes(),
        functions::messages::SendMedia {
            peer: peer(),
            media: types::InputMediaGeoPoint {
                geo_point: types::InputGeoPoint {
                    lat: 1.0,
                    long: f64::NAN,
                    accuracy_radius: None,
                }
                .into(),
            }
            .into(),
            message: String::new(),
            random_id: 2,
            ..Default::default()
        }
        .to_bytes(),
    ]
}

fn people() -> Vec<Vec<u8>> {
    vec![
        functions::contacts::ImportContacts {
            contacts: vec![
                types::InputPhoneContact {
                    client_id: 1,
                    phone: "+79990000002".into(),
                    first_name: "Bob".into(),
                    last_name: String::new(),
                    ..Default::default()
                }
                .into(),
            ],
        }
        .to_bytes(),
        functions::contacts::ResolveUsername {
            username: "somebody".into(),
            ..Default::default()
        }
        .to_bytes(),
        functions::account::UpdateProfile {
            first_name: Some("A".into()),
            last_name: None,
            about: Some("b".into()),
        }
        .to_bytes(),
        functions::account::SetPrivacy {
            key: enums::InputPrivacyKey::InputPrivacyKeyPhoneNumber,
            rules: vec![enums::InputPrivacyRule::InputPrivacyValueDisallowAll],
        }
        .to_bytes(),
        functions::upload::SaveFilePart {
            file_id: 1,
            file_part: 0,
            bytes: vec![1; 64],
        }
        .to_bytes(),
        functions::users::GetUsers {
            id: vec![enums::InputUser::InputUserSelf],
        }
        .to_bytes(),
        functions::auth::ExportLoginToken {
            api_id: 1,
            api_hash: "x".into(),
            except_ids: Vec::new(),
        }
        .to_bytes(),
    ]
}

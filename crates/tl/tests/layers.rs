//! The way between layers, as clients of known layers see it.

use havre_tl::layers::{
    Decoded, EncodeError, Layer, check_object, check_result, decode_request, encode_object, encode_result,
};
use havre_tl::{
    DecodeError, Deserialize, Identifiable, Limits, RemoteCall, Serialize, enums, functions, types,
};
use std::borrow::Cow;

fn layer(number: i32) -> Layer {
    Layer::nearest(number).expect("not below the floor")
}

fn decode(body: &[u8]) -> Decoded<'_> {
    decode_request(body, Limits::default()).expect("a request")
}

/// Writes an answer for a layer and checks it by the definitions of that layer.
fn answer<C: RemoteCall>(number: i32, called_as: u32, answer: &C::Return) -> Vec<u8> {
    let bytes = encode_result(layer(number), called_as, &answer.to_bytes())
        .expect("representable")
        .into_owned();
    assert_eq!(check_result(layer(number), called_as, &bytes), Ok(()));
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn id(bytes: &[u8]) -> u32 {
    u32::from_bytes(&bytes[..4]).expect("four bytes")
}

#[test]
fn the_nearest_layer_is_not_above() {
    let nearest = |announced| Layer::nearest(announced).map(Layer::number);
    assert_eq!(nearest(151), None);
    assert_eq!(nearest(i32::MIN), None);
    for served in [152, 158, 198, 221, 227, 229, 230] {
        assert_eq!(nearest(served), Some(served));
    }
    assert_eq!(
        (nearest(155), nearest(200), nearest(i32::MAX)),
        (Some(152), Some(198), Some(230))
    );
    assert_eq!(
        (Layer::all().next(), Layer::all().last()),
        (Some(Layer::FLOOR), Some(Layer::CANONICAL))
    );
}

#[test]
fn a_canonical_request_is_passed_on() {
    let call = functions::messages::GetHistory {
        peer: enums::InputPeer::InputPeerSelf,
        ..Default::default()
    };
    let body = call.to_bytes();
    let decoded = decode(&body);
    assert!(matches!(decoded.canonical, Cow::Borrowed(_)));
    assert_eq!(decoded.called_as, functions::messages::GetHistory::CONSTRUCTOR_ID);
    assert_eq!(decoded.method, decoded.called_as);
}

#[test]
fn a_reply_of_layer_152_keeps_what_it_replies_to() {
    // flags, peer inputPeerSelf, reply_to_msg_id, message, random_id
    let mut body = words(&[0x1cc2_0387, 1 | (1 << 5), 0x7da0_7ec9, 77]);
    "hi".to_owned().serialize(&mut body);
    5_i64.serialize(&mut body);
    let decoded = decode(&body);
    assert_eq!(decoded.called_as, 0x1cc2_0387);
    assert_eq!(decoded.method, functions::messages::SendMessage::CONSTRUCTOR_ID);
    let expected = functions::messages::SendMessage {
        silent: true,
        peer: enums::InputPeer::InputPeerSelf,
        reply_to: Some(
            types::InputReplyToMessage {
                reply_to_msg_id: 77,
                ..Default::default()
            }
            .into(),
        ),
        message: "hi".into(),
        random_id: 5,
        ..Default::default()
    };
    assert_eq!(
        functions::messages::SendMessage::from_bytes(&decoded.canonical),
        Ok(expected)
    );
}

#[test]
fn a_canonical_call_may_hold_old_constructors() {
    // sendMessage of 230 with an inline keyboard of 227: replyInlineMarkup, keyboardButtonRow, keyboardButtonUrl.
    let call = functions::messages::SendMessage {
        message: "m".into(),
        ..Default::default()
    };
    let mut body = call.to_bytes();
    body[4] |= 1 << 2;
    body.extend(words(&[
        0x48a3_0254,
        0x1cb5_c415,
        1,
        0x7760_8b83,
        0x1cb5_c415,
        1,
        0xd80c_25ec,
        0,
    ]));
    "text".to_owned().serialize(&mut body);
    "https://example.org".to_owned().serialize(&mut body);
    let decoded = decode(&body);
    assert!(matches!(decoded.canonical, Cow::Owned(_)));
    let call = functions::messages::SendMessage::from_bytes(&decoded.canonical).expect("canonical");
    assert_eq!(call.reply_markup, Some(inline_url()));
}

fn inline_url() -> enums::ReplyMarkup {
    let url = types::InlineButtonTypeUrl {
        url: "https://example.org".into(),
    }
    .into();
    let button = types::KeyboardInlineButton {
        text: "text".into(),
        r#type: url,
        ..Default::default()
    }
    .into();
    let row = types::KeyboardInlineButtonRow {
        buttons: vec![button],
    }
    .into();
    types::ReplyInlineMarkup {
        rows: vec![row],
        ..Default::default()
    }
    .into()
}

#[test]
fn a_keyboard_is_joined_for_older_layers() {
    let message = types::Message {
        reply_markup: Some(inline_url()),
        ..Default::default()
    };
    let message = enums::Message::from(message).to_bytes();
    for number in [152, 198, 227] {
        let written = encode_object(layer(number), &message).expect("representable");
        assert_eq!(check_object(layer(number), &written), Ok(()));
        let has = |text: &[u8]| written.windows(text.len()).any(|window| window == text);
        assert!(has(b"text") && has(b"https://example.org"));
    }
}

#[test]
fn a_wrapper_is_made_canonical_and_its_query_left_alone() {
    let query = words(&[0xdead_beef]);
    let wrapper = functions::InvokeWithLayer {
        layer: 152,
        query: query.clone(),
    }
    .to_bytes();
    let decoded = decode(&wrapper);
    let wrapper = functions::InvokeWithLayer::from_bytes(&decoded.canonical).expect("canonical");
    assert_eq!(wrapper.query, query);
}

#[test]
fn answers_of_plain_types() {
    let users = vec![
        types::User {
            id: 7,
            first_name: Some("A".into()),
            ..Default::default()
        }
        .into(),
    ];
    let called = functions::users::GetUsers::CONSTRUCTOR_ID;
    for (number, user) in [
        (152, 0x8f97_c628),
        (198, 0x4b46_c37e),
        (221, 0x3177_4388),
        (230, 0xb1b8_cc83),
    ] {
        let bytes = answer::<functions::users::GetUsers>(number, called, &users);
        assert_eq!((id(&bytes), id(&bytes[8..])), (0x1cb5_c415, user));
        let called = functions::account::UpdateStatus::CONSTRUCTOR_ID;
        assert_eq!(
            answer::<functions::account::UpdateStatus>(number, called, &true),
            true.to_bytes()
        );
        let called = functions::messages::ReceivedMessages::CONSTRUCTOR_ID;
        let none = answer::<functions::messages::ReceivedMessages>(number, called, &Vec::new());
        assert_eq!(none, words(&[0x1cb5_c415, 0]));
    }
}

#[test]
fn the_answer_has_the_type_of_the_method_called() {
    let config: enums::help::AppConfig = types::help::AppConfig {
        hash: 3,
        ..Default::default()
    }
    .into();
    let json = answer::<functions::help::GetAppConfig>(152, 0x9891_4110, &config);
    assert_eq!(json, enums::JSONValue::default().to_bytes());
    let same = answer::<functions::help::GetAppConfig>(152, 0x61e3_f854, &config);
    assert_eq!(same, config.to_bytes());

    let filters: enums::messages::DialogFilters = types::messages::DialogFilters {
        filters: vec![enums::DialogFilter::DialogFilterDefault],
        ..Default::default()
    }
    .into();
    let old = answer::<functions::messages::GetDialogFilters>(152, 0xf19e_d96d, &filters);
    assert_eq!(old, words(&[0x1cb5_c415, 1, 0x363293ae]));

    let invited: enums::messages::InvitedUsers = Default::default();
    let updates = answer::<functions::messages::CreateChat>(152, 0x0034_a818, &invited);
    assert_eq!(updates, enums::Updates::UpdatesTooLong.to_bytes());
}

#[test]
fn what_a_layer_lacks_is_left_out_or_stood_in_for() {
    let unknown: enums::Update = types::UpdateNewAuthorization::default().into();
    let known: enums::Update = types::UpdateMessageID { id: 1, random_id: 2 }.into();
    let action = enums::MessageAction::from(types::MessageActionStarGift::default());
    let service = types::MessageService {
        id: 9,
        action,
        ..Default::default()
    };
    let new_message: enums::Update = types::UpdateNewMessage {
        message: service.into(),
        pts: 1,
        pts_count: 1,
    }
    .into();
    let dropped: enums::Update = enums::Update::UpdateAiComposeTones;
    let updates: enums::Updates = types::Updates {
        updates: vec![unknown, dropped, known, new_message],
        ..Default::default()
    }
    .into();
    let updates = updates.to_bytes();
    let written = encode_object(layer(152), &updates).expect("representable");
    assert_eq!(check_object(layer(152), &written), Ok(()));
    let action = 0xb6ae_f7b0_u32.to_le_bytes();
    assert!(
        written.windows(4).any(|window| window == action),
        "messageActionEmpty"
    );
}

#[test]
fn what_is_not_canonical_is_refused() {
    let body = words(&[0x1cc2_0387, 0]);
    assert_eq!(
        decode_request(&body, Limits::default()),
        Err(DecodeError::UnexpectedEnd)
    );
    let unknown = words(&[0xdead_beef]);
    let error = DecodeError::UnexpectedConstructor {
        id: 0xdead_beef,
        expected: "method",
    };
    assert_eq!(decode_request(&unknown, Limits::default()), Err(error));
    assert_eq!(
        encode_result(layer(152), 7, &[]),
        Err(EncodeError::UnknownMethod(7))
    );
    let old_user = words(&[0x8f97_c628]);
    let truncated = encode_object(layer(152), &old_user);
    assert!(matches!(truncated, Err(EncodeError::NotCanonical(_))));
}

#[test]
fn a_quiz_of_layer_222_names_its_answers_by_position() {
    let answers = [*b"a", *b"b"].map(|option| {
        // pollAnswer of 198: text as textWithEntities, option
        let mut answer = words(&[0xff16_e2ca, 0x751f_3146]);
        "t".to_owned().serialize(&mut answer);
        answer.extend(words(&[0x1cb5_c415, 0]));
        option.to_vec().serialize(&mut answer);
        answer
    });
    let mut body = words(&[0x7852_834e, 0, 0x7da0_7ec9, 0x0f94_e5f1, 1, 0x5874_7131]);
    1_i64.serialize(&mut body);
    body.extend(words(&[1 << 3, 0x751f_3146]));
    "q".to_owned().serialize(&mut body);
    body.extend(words(&[0x1cb5_c415, 0, 0x1cb5_c415, 2]));
    body.extend(answers.concat());
    body.extend(words(&[0x1cb5_c415, 1]));
    b"b".to_vec().serialize(&mut body);
    "m".to_owned().serialize(&mut body);
    6_i64.serialize(&mut body);
    let decoded = decode(&body);
    let call = functions::messages::SendMedia::from_bytes(&decoded.canonical).expect("canonical");
    let enums::InputMedia::InputMediaPoll(poll) = call.media else {
        panic!("a poll")
    };
    assert_eq!(poll.correct_answers, Some(vec![1]));
}

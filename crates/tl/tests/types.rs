//! The generated types against the binary form they stand for.

use havre_tl::{
    DEPTH_MAX, DecodeError, Deserialize, Identifiable, Limits, Reader, RemoteCall, Serialize, enums,
    functions, types,
};

fn round_trip<T: Serialize + Deserialize + PartialEq + std::fmt::Debug>(value: &T) {
    assert_eq!(T::from_bytes(&value.to_bytes()).as_ref(), Ok(value));
}

#[test]
fn a_method_with_flags_and_nested_types() {
    let call = functions::messages::SendMessage {
        silent: true,
        peer: types::InputPeerUser {
            user_id: 7,
            access_hash: -1,
        }
        .into(),
        message: "hé".into(),
        random_id: i64::MIN,
        entities: Some(vec![types::MessageEntityBold { offset: 0, length: 2 }.into()]),
        ..Default::default()
    };
    round_trip(&call);
    assert_eq!(functions::messages::SendMessage::NAME, "messages.sendMessage");
    let bytes = call.to_bytes();
    assert_eq!(
        bytes[..4],
        functions::messages::SendMessage::CONSTRUCTOR_ID.to_le_bytes()
    );
    assert_eq!(bytes[4..8], ((1u32 << 5) | (1 << 3)).to_le_bytes());
}

#[test]
fn a_wrapper_leaves_its_query_unread() {
    let query = functions::help::GetConfig.to_bytes();
    let call = functions::InvokeWithLayer {
        layer: 152,
        query: query.clone(),
    };
    let mut expected = 0xda9b_0d0d_u32.to_bytes();
    152.serialize(&mut expected);
    expected.extend(&query);
    assert_eq!(call.to_bytes(), expected);
    round_trip(&call);
}

#[test]
fn fields_that_share_a_flag_are_written_together() {
    let message = types::Message {
        views: Some(3),
        ..Default::default()
    };
    let read = types::Message::from_bytes(&message.to_bytes()).unwrap();
    assert_eq!((read.views, read.forwards), (Some(3), Some(0)));
}

#[test]
fn answers_are_typed_by_their_method() {
    fn answer<C: RemoteCall<Return = R>, R: Serialize>(_: &C, answer: R) -> Vec<u8> {
        answer.to_bytes()
    }
    let users = answer(
        &functions::users::GetUsers::default(),
        vec![enums::User::default()],
    );
    assert_eq!(users[..8], [0x15, 0xc4, 0xb5, 0x1c, 1, 0, 0, 0]);
    let done = answer(&functions::account::UpdateStatus::default(), true);
    assert_eq!(done, [0xb5, 0x75, 0x72, 0x99]);
}

#[test]
fn defaults_are_the_first_that_do_not_recur() {
    assert_eq!(enums::InputPeer::default(), enums::InputPeer::InputPeerEmpty);
    assert_eq!(
        enums::Peer::default(),
        enums::Peer::PeerUser(types::PeerUser { user_id: 0 })
    );
    round_trip(&enums::Updates::default());
    round_trip(&enums::Update::default());
    round_trip(&types::UserFull::default());
    round_trip(&types::Config::default());
}

#[test]
fn strings_are_padded_and_checked() {
    for len in [0, 1, 2, 3, 4, 252, 253, 254, 255, 256, 257, 70_000] {
        let bytes = vec![7_u8; len].to_bytes();
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(Vec::<u8>::from_bytes(&bytes).unwrap(), vec![7; len]);
        assert_eq!(
            Vec::<u8>::from_bytes(&bytes[..bytes.len() - 1]),
            Err(DecodeError::UnexpectedEnd)
        );
    }
    assert_eq!(String::from_bytes(&[1, 0xff, 0, 0]), Err(DecodeError::NotUtf8));
    assert_eq!(
        String::from_bytes(&[0, 0, 0, 0, 0]),
        Err(DecodeError::TrailingBytes(1))
    );
    assert_eq!(
        Vec::<u8>::from_bytes(&[254, 255, 255, 255]),
        Err(DecodeError::BytesTooLong(0xff_ffff))
    );
}

#[test]
fn a_vector_is_not_believed() {
    let claim = |len: u32| [0x1cb5_c415_u32.to_bytes(), len.to_bytes(), vec![0; 64]].concat();
    assert_eq!(
        Vec::<i32>::from_bytes(&claim(17)),
        Err(DecodeError::UnexpectedEnd)
    );
    assert_eq!(
        Vec::<i32>::from_bytes(&claim(u32::MAX)),
        Err(DecodeError::VectorTooLong(u32::MAX as usize))
    );
    assert_eq!(Vec::<i32>::from_bytes(&claim(16)), Ok(vec![0; 16]));
}

#[test]
fn nesting_ends_at_the_limit() {
    let mut peer = enums::InputPeer::InputPeerSelf;
    for _ in 0..DEPTH_MAX {
        peer = types::InputPeerUserFromMessage {
            peer: Box::new(peer),
            msg_id: 0,
            user_id: 0,
        }
        .into();
    }
    round_trip(&peer);
    let deeper: enums::InputPeer = types::InputPeerUserFromMessage {
        peer: Box::new(peer),
        msg_id: 0,
        user_id: 0,
    }
    .into();
    assert_eq!(
        enums::InputPeer::from_bytes(&deeper.to_bytes()),
        Err(DecodeError::TooDeep)
    );
    let limits = Limits {
        depth_max: DEPTH_MAX + 1,
        ..Limits::default()
    };
    assert_eq!(Reader::with_limits(&deeper.to_bytes(), limits).read(), Ok(deeper));
}

#[test]
fn nesting_to_the_limit_fits_a_small_stack() {
    let read = || {
        let mut block = enums::PageBlock::PageBlockDivider;
        for _ in 0..DEPTH_MAX {
            block = types::PageBlockCover {
                cover: Box::new(block),
            }
            .into();
        }
        round_trip(&block);
        let mut media = enums::InputMedia::InputMediaEmpty;
        for _ in 0..DEPTH_MAX {
            let extended_media = Some(Box::new(media));
            media = types::InputMediaInvoice {
                extended_media,
                ..Default::default()
            }
            .into();
        }
        let limits = Limits {
            depth_max: DEPTH_MAX + 2,
            ..Limits::default()
        };
        assert_eq!(Reader::with_limits(&media.to_bytes(), limits).read(), Ok(media));
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(read)
        .unwrap()
        .join()
        .unwrap();
}

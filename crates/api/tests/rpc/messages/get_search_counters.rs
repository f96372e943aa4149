use enums::MessagesFilter as F;
use havre_api::error::RpcError;
use havre_tl::functions::messages::GetSearchCounters;
use havre_tl::{enums, functions, types};

use super::group::{Group, group};

fn counters(group: &Group, filters: &[F]) -> Vec<(F, i32, bool)> {
    let request = GetSearchCounters {
        peer: group.peer(),
        filters: filters.to_vec(),
        ..Default::default()
    };
    let told = group.alice.call(request).unwrap().into_iter();
    let counters = told.map(|counter| {
        let enums::messages::SearchCounter::SearchCounter(c) = counter;
        (c.filter, c.count, c.inexact)
    });
    counters.collect()
}

#[test]
fn each_kind_in_the_order_asked() {
    let group = group(1);
    for n in 0..3 {
        group
            .bob
            .say(group.peer(), &format!("https://example.org/{n}"))
            .unwrap();
    }
    let point = types::InputGeoPoint {
        lat: 49.5,
        long: 0.1,
        ..Default::default()
    };
    let place = types::InputMediaGeoPoint {
        geo_point: point.into(),
    };
    let send = functions::messages::SendMedia {
        peer: group.peer(),
        media: place.into(),
        random_id: 4,
        ..Default::default()
    };
    group.bob.call(send).unwrap();
    let elsewhere = enums::InputPeer::InputPeerSelf;
    group.alice.say(elsewhere, "https://example.net").unwrap();
    let filters = [
        F::InputMessagesFilterGeo,
        F::InputMessagesFilterPhotos,
        F::InputMessagesFilterUrl,
        F::InputMessagesFilterGeo,
        F::InputMessagesFilterEmpty,
    ];
    // The service message of the group's making is one of all.
    let expected: Vec<(F, i32, bool)> = filters
        .iter()
        .zip([1, 0, 3, 1, 5])
        .map(|(filter, count)| (filter.clone(), count, false))
        .collect();
    assert_eq!(counters(&group, &filters), expected);
    assert_eq!(counters(&group, &[]), []);
}

#[test]
fn refusals() {
    let group = group(2);
    let refused = |peer, filters| {
        let request = GetSearchCounters {
            peer,
            filters,
            ..Default::default()
        };
        group.dan.call(request).unwrap_err()
    };
    assert_eq!(refused(group.peer(), vec![]), RpcError::PEER_ID_INVALID);
    let many = vec![F::InputMessagesFilterUrl; 101];
    assert_eq!(
        refused(enums::InputPeer::InputPeerSelf, many),
        RpcError::LIMIT_INVALID
    );
}

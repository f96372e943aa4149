use havre_api::error::RpcError;
use havre_sim::town::Client;
use havre_tl::{enums, functions, types};

use super::group::{Group, exported, group};

fn list(
    group: &Group,
    by: &Client,
    of: &Client,
    after: Option<&types::ChatInviteExported>,
) -> Result<types::messages::ExportedChatInvites, RpcError> {
    let enums::messages::ExportedChatInvites::ExportedChatInvites(page) =
        by.call(functions::messages::GetExportedChatInvites {
            revoked: false,
            peer: group.peer(),
            admin_id: by.input_user_of(of),
            offset_date: after.map(|i| i.date),
            offset_link: after.map(|i| i.link.clone()),
            limit: 2,
        })?;
    Ok(page)
}

#[test]
fn links_are_listed_newest_first_in_pages() {
    let group = group(1);
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(group.invite(&group.alice).unwrap());
        group.town.pass(5);
    }
    let first = list(&group, &group.alice, &group.alice, None).unwrap();
    assert_eq!(first.count, 3);
    let first: Vec<_> = first.invites.into_iter().map(exported).collect();
    assert_eq!(first, [made[2].clone(), made[1].clone()]);
    let rest = list(&group, &group.alice, &group.alice, first.last()).unwrap();
    let rest: Vec<_> = rest.invites.into_iter().map(exported).collect();
    assert_eq!(rest, [made[0].clone()]);
}

#[test]
fn links_of_others_are_for_the_creator() {
    let group = group(2);
    group.appoint(&group.alice, &group.bob, true).unwrap();
    group.invite(&group.bob).unwrap();
    assert_eq!(list(&group, &group.alice, &group.bob, None).unwrap().count, 1);
    let refused = |by, of| list(&group, by, of, None).unwrap_err();
    assert_eq!(refused(&group.bob, &group.alice), RpcError::CHAT_ADMIN_REQUIRED);
    assert_eq!(refused(&group.carol, &group.carol), RpcError::CHAT_ADMIN_REQUIRED);
}

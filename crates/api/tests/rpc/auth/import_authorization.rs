//! `auth.exportAuthorization`, `auth.importAuthorization`, `auth.importBotAuthorization`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use super::{is_logged_in, user};

fn export(client: &Client) -> types::auth::ExportedAuthorization {
    let enums::auth::ExportedAuthorization::ExportedAuthorization(exported) = client
        .call(functions::auth::ExportAuthorization { dc_id: 2 })
        .unwrap();
    exported
}

fn import(
    client: &Client,
    from: &types::auth::ExportedAuthorization,
) -> Result<enums::auth::Authorization, RpcError> {
    client.call(functions::auth::ImportAuthorization {
        id: from.id,
        bytes: from.bytes.clone(),
    })
}

#[test]
fn another_key_takes_the_login_over_once() {
    let town = Town::new(1);
    let alice = town.person("79990000001", "Alice");
    let exported = export(&alice);
    let media = town.client();
    assert_eq!(user(import(&media, &exported).unwrap()).id, alice.user().0);
    assert!(is_logged_in(&media));
    assert_eq!(
        import(&town.client(), &exported),
        Err(RpcError::AUTH_BYTES_INVALID)
    );
    let list = alice.call(functions::account::GetAuthorizations {}).unwrap();
    let enums::account::Authorizations::Authorizations(list) = list;
    assert_eq!(list.authorizations.len(), 1, "it is the same app");
    alice.call(functions::auth::LogOut {}).unwrap();
    assert!(!is_logged_in(&media), "it ends with the login that it came from");
}

#[test]
fn old_and_made_up_bytes_are_refused() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let exported = export(&alice);
    town.pass(61);
    assert_eq!(
        import(&town.client(), &exported),
        Err(RpcError::AUTH_BYTES_INVALID)
    );
    let made_up = types::auth::ExportedAuthorization {
        id: alice.user().0,
        bytes: vec![0; 32],
    };
    assert_eq!(
        import(&town.client(), &made_up),
        Err(RpcError::AUTH_BYTES_INVALID)
    );
    let nowhere = alice.call(functions::auth::ExportAuthorization { dc_id: 9 });
    assert_eq!(nowhere, Err(RpcError::DC_ID_INVALID));
}

#[test]
fn there_are_no_bots() {
    let bot = Town::new(3)
        .client()
        .call(functions::auth::ImportBotAuthorization {
            api_id: 1,
            bot_auth_token: "1:token".into(),
            ..Default::default()
        });
    assert_eq!(bot, Err(RpcError::ACCESS_TOKEN_INVALID));
}

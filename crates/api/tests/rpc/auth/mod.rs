mod authorizations;
mod bind_temp_auth_key;
mod check_password;
mod finish_passkey_login;
mod import_authorization;
mod invitations;
mod log_out;
mod login_email;
mod login_token;
mod send_code;
mod sign_in;
mod sign_up;

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions};

/// Asks for a code; answers with what the server said.
fn send_code(client: &Client, phone: &str) -> Result<havre_tl::types::auth::SentCode, RpcError> {
    let sent = client.call(functions::auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: "hash".into(),
        ..Default::default()
    })?;
    match sent {
        enums::auth::SentCode::SentCode(sent) => Ok(sent),
        other => panic!("{other:?}"),
    }
}

fn sign_in(
    client: &Client,
    phone: &str,
    hash: &str,
    code: &str,
) -> Result<enums::auth::Authorization, RpcError> {
    client.call(functions::auth::SignIn {
        phone_number: phone.into(),
        phone_code_hash: hash.into(),
        phone_code: Some(code.into()),
        ..Default::default()
    })
}

fn sign_up(
    client: &Client,
    phone: &str,
    hash: &str,
    first_name: &str,
) -> Result<enums::auth::Authorization, RpcError> {
    client.call(functions::auth::SignUp {
        phone_number: phone.into(),
        phone_code_hash: hash.into(),
        first_name: first_name.into(),
        ..Default::default()
    })
}

/// Who is logged in by an answer.
fn user(authorization: enums::auth::Authorization) -> havre_tl::types::User {
    match authorization {
        enums::auth::Authorization::Authorization(a) => match a.user {
            enums::User::User(user) => user,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The code that the provider was given.
fn code_of(town: &Town, digits: &str) -> String {
    town.env()
        .code(digits)
        .expect("a code was sent through the provider")
}

/// Logs in on a new key with the code that is pending, whichever way it went.
fn log_in(town: &Town, phone: &str) -> (Client, Result<enums::auth::Authorization, RpcError>) {
    let client = town.client();
    let sent = send_code(&client, phone).unwrap();
    let code = town.env().run(town.api().pending_code(phone)).unwrap().unwrap();
    let answer = sign_in(&client, phone, &sent.phone_code_hash, &code);
    (client, answer)
}

/// Whether a client counts as logged in.
fn is_logged_in(client: &Client) -> bool {
    match client.call(functions::updates::GetState {}) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, RpcError::AUTH_KEY_UNREGISTERED);
            false
        }
    }
}

mod devices;
mod notify_settings;
mod passkeys;
mod password;
mod privacy;
mod update_profile;
mod update_status;
mod update_username;

use havre_sim::Client;
use havre_tl::{enums, functions, types};

/// Somebody as another sees them.
fn seen(by: &Client, whom: &Client) -> types::User {
    let id = vec![by.input_user_of(whom)];
    let users = by.call(functions::users::GetUsers { id }).unwrap();
    match users.into_iter().next() {
        Some(enums::User::User(user)) => user,
        other => panic!("{other:?}"),
    }
}

fn user(user: enums::User) -> types::User {
    match user {
        enums::User::User(user) => user,
        other => panic!("{other:?}"),
    }
}

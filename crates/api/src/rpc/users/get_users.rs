//! `users.getUsers`: people, in the order asked; `userEmpty` for those who are not to be had.

use havre_domain::limits::IDS_MAX;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 LIMIT_INVALID` for too many at once.
pub async fn call(cx: &mut Cx, request: functions::users::GetUsers) -> Result<Vec<enums::User>, Error> {
    let me = cx.me()?;
    if request.id.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut users = Vec::with_capacity(request.id.len());
    for input in &request.id {
        users.push(match cx.input_user(input).await {
            Ok(user) => render::user(&mut cx.world, me, user).await?,
            Err(Error::Rpc(_)) => types::UserEmpty { id: claimed(input) }.into(),
            Err(fault) => return Err(fault),
        });
    }
    Ok(users)
}

fn claimed(input: &enums::InputUser) -> i64 {
    match input {
        enums::InputUser::InputUser(user) => user.user_id,
        _ => 0,
    }
}

//! `account.updateProfile`: first name, last name, about.

use havre_domain::limits::{ABOUT_LEN_MAX, NAME_LEN_MAX};
use havre_domain::updates::{self, Event};
use havre_domain::{acquaintances, keys, users};
use havre_tl::{enums, functions};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers with the caller. What is not given stays as it is.
///
/// # Errors
/// `400 FIRSTNAME_INVALID`, `400 LASTNAME_INVALID`, `400 ABOUT_TOO_LONG`.
pub async fn call(cx: &mut Cx, request: functions::account::UpdateProfile) -> Result<enums::User, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let tx = cx.own()?;
    let before = users::own_profile(tx, me).await?;
    let mut profile = before.clone();
    if let Some(first_name) = &request.first_name {
        let first_name = name(first_name).filter(|n| !n.is_empty());
        profile.first_name = first_name.ok_or(RpcError::FIRSTNAME_INVALID)?;
    }
    if let Some(last_name) = &request.last_name {
        profile.last_name = name(last_name).ok_or(RpcError::LASTNAME_INVALID)?;
    }
    if let Some(about) = &request.about {
        let about = about.trim();
        if about.chars().count() > ABOUT_LEN_MAX {
            return Err(RpcError::ABOUT_TOO_LONG.into());
        }
        about.clone_into(&mut profile.about);
    }
    if profile != before {
        tx.put(keys::profile(), &profile);
        updates::append(tx, now, Event::User(me)).await?;
    }
    if (&profile.first_name, &profile.last_name) != (&before.first_name, &before.last_name) {
        acquaintances::tell(tx, me).await?;
    }
    Ok(render::user(&mut cx.world, me, me).await?)
}

/// A first or last name as it is kept: without white space around it and control characters in it. Nothing
/// when it is too long.
#[must_use]
pub fn name(written: &str) -> Option<String> {
    let kept: String = written.chars().filter(|c| !c.is_control()).collect();
    let kept = kept.trim();
    (kept.chars().count() <= NAME_LEN_MAX).then(|| kept.to_owned())
}

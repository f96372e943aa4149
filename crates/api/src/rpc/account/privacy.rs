//! Privacy keys and rules as clients send and are told them.

use havre_domain::ids::{ChatId, UserId};
use havre_domain::limits::PRIVACY_NAMED_MAX;
use havre_domain::privacy::{self, Rule, Rules};
use havre_tl::{enums, types};

use crate::cx::Cx;
use crate::error::{Error, RpcError};
use crate::render::Named;

/// The number of a key.
#[must_use]
pub fn key(input: &enums::InputPrivacyKey) -> u8 {
    use enums::InputPrivacyKey as K;
    match input {
        K::InputPrivacyKeyStatusTimestamp => privacy::STATUS,
        K::InputPrivacyKeyChatInvite => privacy::CHAT_INVITE,
        K::InputPrivacyKeyPhoneCall => 2,
        K::InputPrivacyKeyPhoneP2P => 3,
        K::InputPrivacyKeyForwards => privacy::FORWARDS,
        K::InputPrivacyKeyProfilePhoto => privacy::PHOTO,
        K::InputPrivacyKeyPhoneNumber => privacy::PHONE,
        K::InputPrivacyKeyAddedByPhone => privacy::ADDED_BY_PHONE,
        K::InputPrivacyKeyVoiceMessages => 8,
        K::InputPrivacyKeyAbout => privacy::ABOUT,
        K::InputPrivacyKeyBirthday => 10,
        K::InputPrivacyKeyStarGiftsAutoSave => 11,
        K::InputPrivacyKeyNoPaidMessages => 12,
        K::InputPrivacyKeySavedMusic => 13,
    }
}

/// Rules that a client sends.
///
/// # Errors
/// `400 PRIVACY_VALUE_INVALID` for none, for too many names, and for rules about what there is not here:
/// close friends, premium, bots.
pub async fn rules(cx: &mut Cx, input: &[enums::InputPrivacyRule]) -> Result<Rules, Error> {
    let mut rules = Vec::new();
    let mut named = 0;
    for one in input {
        let rule = rule(cx, one).await?;
        named += match &rule {
            Rule::AllowUsers(users) | Rule::DisallowUsers(users) => users.len(),
            Rule::AllowChats(chats) | Rule::DisallowChats(chats) => chats.len(),
            _ => 1,
        };
        if named > PRIVACY_NAMED_MAX {
            return Err(RpcError::PRIVACY_VALUE_INVALID.into());
        }
        rules.push(rule);
    }
    if rules.is_empty() {
        return Err(RpcError::PRIVACY_VALUE_INVALID.into());
    }
    Ok(Rules(rules))
}

async fn rule(cx: &mut Cx, input: &enums::InputPrivacyRule) -> Result<Rule, Error> {
    use enums::InputPrivacyRule as R;
    Ok(match input {
        R::InputPrivacyValueAllowAll => Rule::AllowAll,
        R::InputPrivacyValueAllowContacts => Rule::AllowContacts,
        R::InputPrivacyValueDisallowAll => Rule::DisallowAll,
        R::InputPrivacyValueDisallowContacts => Rule::DisallowContacts,
        R::InputPrivacyValueAllowUsers(r) => Rule::AllowUsers(users(cx, &r.users).await?),
        R::InputPrivacyValueDisallowUsers(r) => Rule::DisallowUsers(users(cx, &r.users).await?),
        R::InputPrivacyValueAllowChatParticipants(r) => Rule::AllowChats(chats(cx, &r.chats).await?),
        R::InputPrivacyValueDisallowChatParticipants(r) => Rule::DisallowChats(chats(cx, &r.chats).await?),
        _ => return Err(RpcError::PRIVACY_VALUE_INVALID.into()),
    })
}

async fn users(cx: &mut Cx, input: &[enums::InputUser]) -> Result<Vec<UserId>, Error> {
    if input.len() > PRIVACY_NAMED_MAX {
        return Err(RpcError::PRIVACY_VALUE_INVALID.into());
    }
    let mut users = Vec::with_capacity(input.len());
    for one in input {
        users.push(cx.input_user(one).await?);
    }
    Ok(users)
}

async fn chats(cx: &mut Cx, input: &[i64]) -> Result<Vec<ChatId>, Error> {
    if input.len() > PRIVACY_NAMED_MAX {
        return Err(RpcError::PRIVACY_VALUE_INVALID.into());
    }
    let mut chats = Vec::with_capacity(input.len());
    for &one in input {
        chats.push(cx.known_chat(ChatId(one)).await?);
    }
    Ok(chats)
}

/// Rules of the caller's with everybody that they name.
///
/// # Errors
/// [`Error`].
pub async fn answer(cx: &mut Cx, rules: &Rules) -> Result<enums::account::PrivacyRules, Error> {
    let me = cx.me()?;
    let mut named = Named::default();
    named.users.extend(rules.named());
    for rule in &rules.0 {
        if let Rule::AllowChats(chats) | Rule::DisallowChats(chats) = rule {
            named.chats.extend(chats);
        }
    }
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::account::PrivacyRules {
        rules: rules.on_the_wire(),
        chats,
        users,
    }
    .into())
}

//! Who may see what of a person: phone, last seen, photo, and more keys of the same form.

use havre_tl::{enums, types};
use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, Time, UserId};
use crate::keys::{self, partition};
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::world::World;
use crate::{chats, contacts};

/// The keys, by the number that they are stored under.
pub const KEYS: [enums::PrivacyKey; 14] = [
    enums::PrivacyKey::PrivacyKeyStatusTimestamp,
    enums::PrivacyKey::PrivacyKeyChatInvite,
    enums::PrivacyKey::PrivacyKeyPhoneCall,
    enums::PrivacyKey::PrivacyKeyPhoneP2P,
    enums::PrivacyKey::PrivacyKeyForwards,
    enums::PrivacyKey::PrivacyKeyProfilePhoto,
    enums::PrivacyKey::PrivacyKeyPhoneNumber,
    enums::PrivacyKey::PrivacyKeyAddedByPhone,
    enums::PrivacyKey::PrivacyKeyVoiceMessages,
    enums::PrivacyKey::PrivacyKeyAbout,
    enums::PrivacyKey::PrivacyKeyBirthday,
    enums::PrivacyKey::PrivacyKeyStarGiftsAutoSave,
    enums::PrivacyKey::PrivacyKeyNoPaidMessages,
    enums::PrivacyKey::PrivacyKeySavedMusic,
];
/// Last seen.
pub const STATUS: u8 = 0;
/// Who may add to groups.
pub const CHAT_INVITE: u8 = 1;
/// Whose forwards name the author.
pub const FORWARDS: u8 = 4;
/// Profile photo.
pub const PHOTO: u8 = 5;
/// Phone number.
pub const PHONE: u8 = 6;
/// Who finds the person by phone number.
pub const ADDED_BY_PHONE: u8 = 7;
/// About.
pub const ABOUT: u8 = 9;

/// One rule; the first that fits decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Everybody may.
    AllowAll,
    /// Contacts may.
    AllowContacts,
    /// These people may.
    AllowUsers(Vec<UserId>),
    /// Members of these groups may.
    AllowChats(Vec<ChatId>),
    /// Nobody may.
    DisallowAll,
    /// Contacts may not.
    DisallowContacts,
    /// These people may not.
    DisallowUsers(Vec<UserId>),
    /// Members of these groups may not.
    DisallowChats(Vec<ChatId>),
}

/// The rules of one key, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// What holds until a person says otherwise: the phone number is for contacts, the rest for all.
    #[must_use]
    pub fn default_of(key: u8) -> Self {
        Self(vec![if key == PHONE {
            Rule::AllowContacts
        } else {
            Rule::AllowAll
        }])
    }

    /// People named by the rules.
    #[must_use]
    pub fn named(&self) -> Vec<UserId> {
        let users = self.0.iter().filter_map(|rule| match rule {
            Rule::AllowUsers(users) | Rule::DisallowUsers(users) => Some(users.clone()),
            _ => None,
        });
        users.flatten().collect()
    }

    /// The rules on the wire.
    #[must_use]
    pub fn on_the_wire(&self) -> Vec<enums::PrivacyRule> {
        self.0.iter().map(on_the_wire).collect()
    }
}

fn on_the_wire(rule: &Rule) -> enums::PrivacyRule {
    let users = |users: &[UserId]| users.iter().map(|u| u.0).collect();
    let chats = |chats: &[ChatId]| chats.iter().map(|c| c.0).collect();
    match rule {
        Rule::AllowAll => enums::PrivacyRule::PrivacyValueAllowAll,
        Rule::AllowContacts => enums::PrivacyRule::PrivacyValueAllowContacts,
        Rule::AllowUsers(u) => types::PrivacyValueAllowUsers { users: users(u) }.into(),
        Rule::AllowChats(c) => types::PrivacyValueAllowChatParticipants { chats: chats(c) }.into(),
        Rule::DisallowAll => enums::PrivacyRule::PrivacyValueDisallowAll,
        Rule::DisallowContacts => enums::PrivacyRule::PrivacyValueDisallowContacts,
        Rule::DisallowUsers(u) => types::PrivacyValueDisallowUsers { users: users(u) }.into(),
        Rule::DisallowChats(c) => types::PrivacyValueDisallowChatParticipants { chats: chats(c) }.into(),
    }
}

/// The key under a number.
#[must_use]
pub fn wire_key(key: u8) -> Option<enums::PrivacyKey> {
    KEYS.get(usize::from(key)).cloned()
}

/// The rules of one key of a person.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn rules(tx: &mut Tx, key: u8) -> Result<Rules, Fault> {
    Ok(tx
        .get(&keys::privacy(key))
        .await?
        .unwrap_or_else(|| Rules::default_of(key)))
}

/// What a viewer may see of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sees {
    /// The phone number.
    pub phone: bool,
    /// Exactly when they were last seen.
    pub last_seen: bool,
    /// Profile photos.
    pub photo: bool,
    /// About.
    pub about: bool,
}

/// What `viewer` may see of `user`: nothing of it when `user` blocked them.
///
/// # Errors
/// [`Fault`].
pub async fn sees(world: &mut World, viewer: UserId, user: UserId) -> Result<Sees, Fault> {
    let all = |seen| Sees {
        phone: seen,
        last_seen: seen,
        photo: seen,
        about: seen,
    };
    if user == viewer {
        return Ok(all(true));
    }
    if contacts::is_blocked(world.view_user(user), viewer).await? {
        return Ok(all(false));
    }
    Ok(Sees {
        phone: allows(world, user, PHONE, viewer).await?,
        last_seen: allows(world, user, STATUS, viewer).await?,
        photo: allows(world, user, PHOTO, viewer).await?,
        about: allows(world, user, ABOUT, viewer).await?,
    })
}

/// Lets somebody see what a key is about, whatever the other rules of it say.
///
/// # Errors
/// [`Fault`].
pub async fn let_see(tx: &mut Tx, now: Time, key: u8, user: UserId) -> Result<(), Fault> {
    let mut rules = rules(tx, key).await?;
    match rules.0.first_mut() {
        Some(Rule::AllowUsers(users)) if users.contains(&user) => return Ok(()),
        Some(Rule::AllowUsers(users)) => users.push(user),
        _ => rules.0.insert(0, Rule::AllowUsers(vec![user])),
    }
    tx.put(keys::privacy(key), &rules);
    updates::append(tx, now, Event::Privacy(key)).await.map(drop)
}

/// Whether a person's rules of one key allow somebody.
///
/// # Errors
/// [`Fault`].
pub async fn allows(world: &mut World, user: UserId, key: u8, viewer: UserId) -> Result<bool, Fault> {
    if user == viewer {
        return Ok(true);
    }
    for rule in rules(world.view_user(user), key).await?.0 {
        if let Some(decided) = decide(world, user, &rule, viewer).await? {
            return Ok(decided);
        }
    }
    Ok(false)
}

async fn decide(world: &mut World, user: UserId, rule: &Rule, viewer: UserId) -> Result<Option<bool>, Fault> {
    Ok(match rule {
        Rule::AllowAll => Some(true),
        Rule::DisallowAll => Some(false),
        Rule::AllowContacts => is_contact(world, user, viewer).await?.then_some(true),
        Rule::DisallowContacts => is_contact(world, user, viewer).await?.then_some(false),
        Rule::AllowUsers(users) => users.contains(&viewer).then_some(true),
        Rule::DisallowUsers(users) => users.contains(&viewer).then_some(false),
        Rule::AllowChats(chats) => shares(world, chats, viewer).await?.then_some(true),
        Rule::DisallowChats(chats) => shares(world, chats, viewer).await?.then_some(false),
    })
}

async fn is_contact(world: &mut World, user: UserId, viewer: UserId) -> Result<bool, Fault> {
    Ok(contacts::contact(world.view_user(user), viewer).await?.is_some())
}

async fn shares(world: &mut World, groups: &[ChatId], viewer: UserId) -> Result<bool, Fault> {
    for &chat in groups {
        if chats::member(world.view(partition::chat(chat)), viewer)
            .await?
            .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

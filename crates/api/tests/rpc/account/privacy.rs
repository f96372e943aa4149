//! `account.getPrivacy`, `account.setPrivacy`, `account.getGlobalPrivacySettings`.

use havre_api::error::RpcError;
use havre_sim::{Client, Town};
use havre_tl::{enums, functions, types};

use super::seen;

fn set(
    client: &Client,
    key: enums::InputPrivacyKey,
    rules: Vec<enums::InputPrivacyRule>,
) -> Result<types::account::PrivacyRules, RpcError> {
    let answer = client.call(functions::account::SetPrivacy { key, rules })?;
    let enums::account::PrivacyRules::PrivacyRules(rules) = answer;
    Ok(rules)
}

#[test]
fn the_phone_number_is_for_contacts_until_its_owner_says_otherwise() {
    let town = Town::new(1);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    let carol = town.person("79990000003", "Carol");
    assert_eq!(seen(&bob, &alice).phone, None);
    let to_bob = types::InputPrivacyValueAllowUsers {
        users: vec![alice.input_user_of(&bob)],
    };
    let rules = vec![
        to_bob.into(),
        enums::InputPrivacyRule::InputPrivacyValueDisallowAll,
    ];
    let answer = set(&alice, enums::InputPrivacyKey::InputPrivacyKeyPhoneNumber, rules).unwrap();
    assert_eq!(answer.rules.len(), 2);
    assert!(
        answer
            .users
            .iter()
            .any(|u| matches!(u, enums::User::User(u) if u.id == bob.user().0))
    );
    assert_eq!(seen(&bob, &alice).phone.as_deref(), Some("79990000001"));
    assert_eq!(seen(&carol, &alice).phone, None);
}

#[test]
fn rules_are_kept_and_other_sessions_told() {
    let town = Town::new(2);
    let alice = town.person("79990000001", "Alice");
    let phone = town.second_login(&alice);
    let key = enums::InputPrivacyKey::InputPrivacyKeyAbout;
    let rules = vec![enums::InputPrivacyRule::InputPrivacyValueAllowContacts];
    let answer = set(&alice, key.clone(), rules).unwrap();
    let told = phone.pushed_updates();
    assert!(matches!(&told[..], [enums::Update::UpdatePrivacy(u)] if u.rules == answer.rules));
    let kept = phone.call(functions::account::GetPrivacy { key }).unwrap();
    let enums::account::PrivacyRules::PrivacyRules(kept) = kept;
    assert_eq!(kept.rules, [enums::PrivacyRule::PrivacyValueAllowContacts]);
}

#[test]
fn rules_that_could_not_be_kept_are_refused() {
    let town = Town::new(3);
    let (alice, bob) = (
        town.person("79990000001", "Alice"),
        town.person("79990000002", "Bob"),
    );
    let key = enums::InputPrivacyKey::InputPrivacyKeyAbout;
    let none = set(&alice, key.clone(), Vec::new());
    assert_eq!(none, Err(RpcError::PRIVACY_VALUE_INVALID));
    let premium = vec![enums::InputPrivacyRule::InputPrivacyValueAllowPremium];
    assert_eq!(
        set(&alice, key.clone(), premium),
        Err(RpcError::PRIVACY_VALUE_INVALID)
    );
    let guessed = types::InputUser {
        user_id: bob.user().0,
        access_hash: 1,
    };
    let guessed = types::InputPrivacyValueAllowUsers {
        users: vec![guessed.into()],
    };
    assert_eq!(
        set(&alice, key, vec![guessed.into()]),
        Err(RpcError::USER_ID_INVALID)
    );
}

#[test]
fn every_key_can_be_asked_for() {
    use enums::InputPrivacyKey as K;
    let town = Town::new(4);
    let alice = town.person("79990000001", "Alice");
    for key in [
        K::InputPrivacyKeyStatusTimestamp,
        K::InputPrivacyKeyChatInvite,
        K::InputPrivacyKeyPhoneCall,
        K::InputPrivacyKeyPhoneP2P,
        K::InputPrivacyKeyForwards,
        K::InputPrivacyKeyProfilePhoto,
        K::InputPrivacyKeyPhoneNumber,
        K::InputPrivacyKeyAddedByPhone,
        K::InputPrivacyKeyVoiceMessages,
        K::InputPrivacyKeyAbout,
        K::InputPrivacyKeyBirthday,
        K::InputPrivacyKeyStarGiftsAutoSave,
        K::InputPrivacyKeyNoPaidMessages,
        K::InputPrivacyKeySavedMusic,
    ] {
        assert!(alice.call(functions::account::GetPrivacy { key }).is_ok());
    }
    assert!(
        alice
            .call(functions::account::GetGlobalPrivacySettings {})
            .is_ok()
    );
}

//! `help.getAppConfig`: what the apps are to offer and to bound.

use havre_domain::limits;
use havre_tl::{Serialize as _, enums, functions, types};

use super::answer_hash;
use crate::cx::{Access, Cx};
use crate::error::Error;

/// Before login too.
pub const ACCESS: Access = Access::Open;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(
    cx: &mut Cx,
    request: functions::help::GetAppConfig,
) -> Result<enums::help::AppConfig, Error> {
    let config = config(cx.api.settings.passkeys.is_some());
    let hash = answer_hash(&config.to_bytes());
    if request.hash == hash {
        return Ok(enums::help::AppConfig::AppConfigNotModified);
    }
    Ok(types::help::AppConfig { hash, config }.into())
}

/// A key that is missing is read by clients as what harms most: a bound of nothing, a shop that is open.
fn config(passkeys: bool) -> enums::JSONValue {
    let mut entries = switches();
    let shown = types::JsonBool { value: passkeys };
    entries.push(("settings_display_passkeys", shown.into()));
    entries.extend(bounds());
    entries.extend(lists());
    let entry = |(key, value): (&str, enums::JSONValue)| {
        types::JsonObjectValue {
            key: key.to_owned(),
            value,
        }
        .into()
    };
    types::JsonObject {
        value: entries.into_iter().map(entry).collect(),
    }
    .into()
}

type Entry = (&'static str, enums::JSONValue);

/// What is offered and what is not: nothing is sold here.
fn switches() -> Vec<Entry> {
    [
        ("premium_purchase_blocked", true),
        ("stars_purchase_blocked", true),
        ("stargifts_blocked", true),
        ("premium_gift_attach_menu_icon", false),
        ("premium_gift_text_field_icon", false),
        ("dialog_filters_enabled", false),
        ("dialog_filters_tooltip", false),
        ("autoarchive_setting_available", false),
        ("qr_login_camera", true),
        ("background_connection", true),
        ("keep_alive_service", true),
        ("getfile_experimental_params", false),
        ("channel_revenue_withdrawal_enabled", false),
        ("video_ignore_alt_documents", true),
    ]
    .map(|(key, value)| (key, types::JsonBool { value }.into()))
    .to_vec()
}

fn bounds() -> Vec<Entry> {
    let pinned = int(limits::PINNED_DIALOGS_MAX);
    [
        ("caption_length_limit_default", int(limits::CAPTION_LEN_MAX)),
        ("caption_length_limit_premium", int(limits::CAPTION_LEN_MAX)),
        ("about_length_limit_default", int(limits::ABOUT_LEN_MAX)),
        ("about_length_limit_premium", int(limits::ABOUT_LEN_MAX)),
        ("upload_max_fileparts_default", 4000.0),
        ("upload_max_fileparts_premium", 4000.0),
        ("dialogs_pinned_limit_default", pinned),
        ("dialogs_pinned_limit_premium", pinned),
        ("dialogs_folder_pinned_limit_default", pinned),
        ("dialogs_folder_pinned_limit_premium", pinned),
        ("dialog_filters_limit_default", 10.0),
        ("dialog_filters_limit_premium", 10.0),
        ("dialog_filters_chats_limit_default", 100.0),
        ("dialog_filters_chats_limit_premium", 100.0),
        ("channels_limit_default", 500.0),
        ("channels_limit_premium", 500.0),
        ("channels_public_limit_default", 10.0),
        ("channels_public_limit_premium", 10.0),
        ("saved_gifs_limit_default", 200.0),
        ("saved_gifs_limit_premium", 200.0),
        ("stickers_faved_limit_default", 5.0),
        ("stickers_faved_limit_premium", 5.0),
        ("chatlist_invites_limit_default", 3.0),
        ("chatlist_invites_limit_premium", 3.0),
        ("chatlists_joined_limit_default", 2.0),
        ("chatlists_joined_limit_premium", 2.0),
        ("passkeys_account_passkeys_max", int(limits::PASSKEYS_MAX)),
        ("reactions_uniq_max", 11.0),
        ("reactions_in_chat_max", 3.0),
        ("reactions_user_max_default", 1.0),
        ("reactions_user_max_premium", 1.0),
        ("chat_read_mark_expire_period", 7.0 * 86_400.0),
        ("chat_read_mark_size_threshold", 100.0),
        ("pm_read_date_expire_period", 7.0 * 86_400.0),
        ("topics_pinned_limit", 5.0),
        ("telegram_antispam_group_size_min", 200.0),
        ("hidden_members_group_size_min", 100.0),
        ("ringtone_size_max", 307_200.0),
        ("ringtone_duration_max", 5.0),
        ("ringtone_saved_count_max", 100.0),
    ]
    .map(|(key, value)| (key, types::JsonNumber { value }.into()))
    .to_vec()
}

/// Lists that clients walk through without asking whether they are there.
fn lists() -> Vec<Entry> {
    let text = |value: &str| types::JsonString { value: value.into() }.into();
    let empty = || types::JsonArray { value: Vec::new() }.into();
    let nothing = || types::JsonObject { value: Vec::new() }.into();
    vec![
        (
            "fragment_prefixes",
            types::JsonArray {
                value: vec![text("888")],
            }
            .into(),
        ),
        ("emojies_send_dice", empty()),
        ("emojies_send_dice_success", nothing()),
        ("emojies_sounds", nothing()),
        ("autologin_domains", empty()),
        ("url_auth_domains", empty()),
        ("whitelisted_domains", empty()),
        ("pending_suggestions", empty()),
        ("dismissed_suggestions", empty()),
        ("ignore_restriction_reasons", empty()),
        ("restriction_add_platforms", empty()),
        ("premium_promo_order", empty()),
        ("qr_login_code", text("primary")),
        ("stories_posting", text("disabled")),
        ("stories_entities", text("disabled")),
    ]
}

fn int(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

//! `help.getConfig`: where to connect and the bounds that clients keep to.

use havre_domain::limits;
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::Error;
use crate::{DC_ID, DC_IDS};

/// Before login too: clients start with it.
pub const ACCESS: Access = Access::Open;

/// How long clients may keep the answer, seconds.
const EXPIRES: i64 = 24 * 3600;

/// Answers.
///
/// # Errors
/// None.
pub async fn call(cx: &mut Cx, _: functions::help::GetConfig) -> Result<enums::Config, Error> {
    let int = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    // A zero limit disables editing or deleting in Telegram Desktop, a zero period makes its timers
    // busy: every one of them has a value.
    Ok(types::Config {
        date: cx.world.now.date(),
        expires: cx.world.now.plus(EXPIRES).date(),
        this_dc: cx.dc_id,
        dc_options: dc_options(&cx.api.settings.host, cx.api.settings.port),
        chat_size_max: int(limits::CHAT_MEMBERS_MAX),
        megagroup_size_max: 200_000,
        forwarded_count_max: int(limits::IDS_MAX),
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: i32::try_from(limits::EDIT_TIME_LIMIT).unwrap_or(i32::MAX),
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        revoke_pm_inbox: true,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: format!("http://{}:{}/", cx.api.settings.host, cx.api.settings.port),
        caption_length_max: int(limits::CAPTION_LEN_MAX),
        message_length_max: int(limits::TEXT_LEN_MAX),
        webfile_dc_id: DC_ID,
        ..types::Config::default()
    }
    .into())
}

/// Every data centre at our address, twice: grammers takes only addresses that are `static`, `TDLib` looks for
/// one that is not.
fn dc_options(host: &str, port: u16) -> Vec<enums::DcOption> {
    let option = |id, r#static| {
        types::DcOption {
            ipv6: host.contains(':'),
            r#static,
            this_port_only: true,
            id,
            ip_address: host.to_owned(),
            port: i32::from(port),
            ..types::DcOption::default()
        }
        .into()
    };
    DC_IDS
        .flat_map(|id| [option(id, false), option(id, true)])
        .collect()
}

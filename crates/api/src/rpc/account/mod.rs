//! `account.*`
pub mod check_username;
pub mod get_authorizations;
pub mod get_global_privacy_settings;
pub mod get_notify_settings;
pub mod get_privacy;
mod notify;
mod privacy;
pub mod register_device;
pub mod reset_authorization;
pub mod set_privacy;
pub mod unregister_device;
pub mod update_notify_settings;
pub mod update_profile;
pub mod update_status;
pub mod update_username;

//! `auth.*`
pub mod accept_login_token;
pub mod cancel_code;
mod code;
pub mod export_authorization;
pub mod export_login_token;
pub mod import_authorization;
pub mod import_bot_authorization;
pub mod import_login_token;
pub mod log_out;
pub(super) mod login;
pub mod resend_code;
pub mod reset_authorizations;
pub mod send_code;
pub mod sign_in;
pub mod sign_up;

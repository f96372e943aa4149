//! What a client is told when a call fails (core.telegram.org/api/errors).

use std::borrow::Cow;

use havre_domain::files::ReferenceError;
use havre_domain::flood::Wait;
use havre_domain::tx::Fault;
use havre_store::StoreError;
use havre_store::blob::BlobError;

/// An error of the API: code and documented name, `[A-Z0-9_]+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// 303, 400, 401, 403, 404, 406, 420 or 500.
    pub code: i32,
    /// The documented name.
    pub text: Cow<'static, str>,
}

impl RpcError {
    /// An error with a fixed name.
    #[must_use]
    pub const fn new(code: i32, text: &'static str) -> Self {
        Self {
            code,
            text: Cow::Borrowed(text),
        }
    }

    /// The next message in so many seconds.
    #[must_use]
    pub fn slowmode_wait(seconds: i64) -> Self {
        Self {
            code: 420,
            text: Cow::Owned(format!("SLOWMODE_WAIT_{}", seconds.max(1))),
        }
    }

    /// Come back in so many seconds.
    #[must_use]
    pub fn flood_wait(seconds: i64) -> Self {
        Self {
            code: 420,
            text: Cow::Owned(format!("FLOOD_WAIT_{}", seconds.max(1))),
        }
    }
}

impl From<Wait> for RpcError {
    fn from(Wait(seconds): Wait) -> Self {
        Self::flood_wait(seconds)
    }
}

impl RpcError {
    /// `400 FILE_PART_n_MISSING`: clients send that part again.
    #[must_use]
    pub fn file_part_missing(part: u32) -> Self {
        Self {
            code: 400,
            text: Cow::Owned(format!("FILE_PART_{part}_MISSING")),
        }
    }
}

impl RpcError {
    /// This error said of one item of a list: `FILE_REFERENCE_EXPIRED` becomes `FILE_REFERENCE_n_EXPIRED`.
    /// Other errors do not say which item they are of.
    #[must_use]
    pub fn of_item(self, n: usize) -> Self {
        const REFERENCE: &str = "FILE_REFERENCE_";
        match self.text.strip_prefix(REFERENCE) {
            Some(what) => Self {
                code: self.code,
                text: Cow::Owned(format!("{REFERENCE}{n}_{what}")),
            },
            None => self,
        }
    }
}

macro_rules! bad_request {
    ($($name:ident),* $(,)?) => {
        impl RpcError {
            $(
                #[doc = concat!("`400 ", stringify!($name), "`")]
                pub const $name: Self = Self::new(400, stringify!($name));
            )*
        }
    };
}

bad_request!(
    ABOUT_TOO_LONG,
    ADMIN_RANK_INVALID,
    API_ID_INVALID,
    AUTH_BYTES_INVALID,
    AUTH_TOKEN_EXCEPTION,
    AUTH_TOKEN_ALREADY_ACCEPTED,
    AUTH_TOKEN_EXPIRED,
    AUTH_TOKEN_INVALID,
    BANNED_RIGHTS_INVALID,
    ACCESS_TOKEN_INVALID,
    ADMINS_TOO_MUCH,
    CHANNELS_TOO_MUCH,
    CHANNEL_INVALID,
    CHANNEL_TOO_LARGE,
    CHAT_ABOUT_NOT_MODIFIED,
    CHAT_ABOUT_TOO_LONG,
    CHAT_FORWARDS_RESTRICTED,
    CHAT_ID_INVALID,
    CHAT_INVALID,
    CHAT_INVITE_PERMANENT,
    CHAT_NOT_MODIFIED,
    CHAT_RESTRICTED,
    CHAT_TITLE_EMPTY,
    CODE_INVALID,
    CONNECTION_LAYER_INVALID,
    CONNECTION_NOT_INITED,
    CONTACT_ID_INVALID,
    CONTACT_NAME_EMPTY,
    CREDENTIAL_INVALID,
    DATA_JSON_INVALID,
    DC_ID_INVALID,
    EMAIL_INSTALL_MISSING,
    EMAIL_INVALID,
    EMAIL_NOT_ALLOWED,
    EMAIL_UNCONFIRMED,
    EMAIL_VERIFY_EXPIRED,
    ENCRYPTED_MESSAGE_INVALID,
    ENTITY_MENTION_USER_INVALID,
    ENTITIES_TOO_LONG,
    ENTITY_BOUNDS_INVALID,
    EXPIRE_DATE_INVALID,
    FILE_ID_INVALID,
    FILE_PARTS_INVALID,
    FILE_PART_EMPTY,
    FILE_PART_INVALID,
    FILE_PART_SIZE_INVALID,
    FILE_PART_TOO_BIG,
    FILE_PART_LENGTH_INVALID,
    FILE_REFERENCE_EMPTY,
    FILE_REFERENCE_EXPIRED,
    FILE_REFERENCE_INVALID,
    FIRSTNAME_INVALID,
    FOLDER_ID_INVALID,
    FROM_PEER_INVALID,
    GROUPED_MEDIA_INVALID,
    HASH_INVALID,
    IMAGE_PROCESS_FAILED,
    INPUT_METHOD_INVALID,
    INPUT_REQUEST_INVALID,
    INPUT_REQUEST_TOO_LONG,
    INPUT_USER_DEACTIVATED,
    INVITE_HASH_EMPTY,
    INVITE_HASH_EXPIRED,
    INVITE_HASH_INVALID,
    INVITE_REVOKED_MISSING,
    INVITES_TOO_MUCH,
    LANG_CODE_NOT_SUPPORTED,
    LASTNAME_INVALID,
    LIMIT_INVALID,
    LOCATION_INVALID,
    MD5_CHECKSUM_INVALID,
    MEDIA_CAPTION_TOO_LONG,
    MEDIA_EMPTY,
    MEDIA_INVALID,
    MEDIA_NEW_INVALID,
    MESSAGE_EDIT_TIME_EXPIRED,
    MESSAGE_EMPTY,
    MESSAGE_ID_INVALID,
    MESSAGE_IDS_EMPTY,
    MESSAGE_NOT_MODIFIED,
    MESSAGE_TOO_LONG,
    MSG_ID_INVALID,
    MSG_WAIT_FAILED,
    MSG_WAIT_TIMEOUT,
    MULTI_MEDIA_TOO_LONG,
    NEW_SALT_INVALID,
    NEW_SETTINGS_INVALID,
    OFFSET_INVALID,
    OFFSET_PEER_ID_INVALID,
    PARTICIPANT_ID_INVALID,
    PASSKEYS_TOO_MUCH,
    PASSKEYS_UNAVAILABLE,
    PASSKEY_ORIGIN_MISMATCH,
    PASSWORD_HASH_INVALID,
    PASSWORD_MISSING,
    PEER_HISTORY_EMPTY,
    PEER_ID_INVALID,
    PERSISTENT_TIMESTAMP_INVALID,
    PHONE_CODE_EMPTY,
    PHONE_CODE_EXPIRED,
    PHONE_CODE_HASH_EMPTY,
    PHONE_CODE_INVALID,
    PHONE_HASH_EXPIRED,
    PHONE_NOT_OCCUPIED,
    PHONE_NUMBER_INVALID,
    PHONE_NUMBER_OCCUPIED,
    PHONE_NUMBER_UNOCCUPIED,
    PHOTO_CROP_SIZE_SMALL,
    PHOTO_FILE_MISSING,
    PHOTO_ID_INVALID,
    PHOTO_INVALID,
    PHOTO_INVALID_DIMENSIONS,
    PINNED_DIALOGS_TOO_MUCH,
    PRIVACY_KEY_INVALID,
    PRIVACY_VALUE_INVALID,
    QUERY_ID_EMPTY,
    RANDOM_ID_EMPTY,
    RANDOM_ID_INVALID,
    REPLY_MARKUP_INVALID,
    REPLY_MESSAGE_ID_INVALID,
    SEARCH_QUERY_EMPTY,
    SECONDS_INVALID,
    SRP_A_INVALID,
    SRP_ID_INVALID,
    SRP_PASSWORD_CHANGED,
    TASK_ALREADY_EXISTS,
    TEMP_AUTH_KEY_ALREADY_BOUND,
    TEMP_AUTH_KEY_EMPTY,
    TOKEN_INVALID,
    TTL_PERIOD_INVALID,
    UNTIL_DATE_INVALID,
    USAGE_LIMIT_INVALID,
    TTL_MEDIA_INVALID,
    USERNAME_INVALID,
    USERNAME_NOT_MODIFIED,
    USERNAME_NOT_OCCUPIED,
    USERNAME_OCCUPIED,
    USERS_TOO_FEW,
    USERS_TOO_MUCH,
    USER_ADMIN_INVALID,
    USER_ALREADY_PARTICIPANT,
    USER_BANNED_IN_CHANNEL,
    USER_CHANNELS_TOO_MUCH,
    USER_CREATOR,
    USER_ID_INVALID,
    USER_IS_BLOCKED,
    USER_KICKED,
    USER_NOT_PARTICIPANT,
    YOU_BLOCKED_USER,
);

impl RpcError {
    /// The key is not logged in. Clients log out and wipe on it: only when it is true and durable (RP-8).
    pub const AUTH_KEY_UNREGISTERED: Self = Self::new(401, "AUTH_KEY_UNREGISTERED");
    /// A temporary key that is not bound yet (RP-5).
    pub const AUTH_KEY_PERM_EMPTY: Self = Self::new(401, "AUTH_KEY_PERM_EMPTY");
    /// The code was right and the password is asked for.
    pub const SESSION_PASSWORD_NEEDED: Self = Self::new(401, "SESSION_PASSWORD_NEEDED");
    /// Administrators only.
    pub const CHAT_ADMIN_REQUIRED: Self = Self::new(400, "CHAT_ADMIN_REQUIRED");
    /// A channel that the asker is not in, or may not come into.
    pub const CHANNEL_PRIVATE: Self = Self::new(406, "CHANNEL_PRIVATE");
    /// An administrator may not give what they do not have.
    pub const RIGHT_FORBIDDEN: Self = Self::new(403, "RIGHT_FORBIDDEN");
    /// No right to write there.
    pub const CHAT_WRITE_FORBIDDEN: Self = Self::new(403, "CHAT_WRITE_FORBIDDEN");
    /// Members may not send this kind of media there.
    pub const CHAT_SEND_MEDIA_FORBIDDEN: Self = Self::new(403, "CHAT_SEND_MEDIA_FORBIDDEN");
    /// Not the author's.
    pub const MESSAGE_AUTHOR_REQUIRED: Self = Self::new(403, "MESSAGE_AUTHOR_REQUIRED");
    /// Somebody's message that may not be deleted for everybody.
    pub const MESSAGE_DELETE_FORBIDDEN: Self = Self::new(403, "MESSAGE_DELETE_FORBIDDEN");
    /// Somebody's privacy settings say no.
    pub const USER_PRIVACY_RESTRICTED: Self = Self::new(403, "USER_PRIVACY_RESTRICTED");
    /// Too young a login for this.
    pub const FRESH_RESET_AUTHORISATION_FORBIDDEN: Self =
        Self::new(406, "FRESH_RESET_AUTHORISATION_FORBIDDEN");
    /// There is no way left by which a code could reach this number's owner.
    pub const SEND_CODE_UNAVAILABLE: Self = Self::new(406, "SEND_CODE_UNAVAILABLE");
    /// The layer is below what is served.
    pub const UPDATE_APP_TO_LOGIN: Self = Self::new(406, "UPDATE_APP_TO_LOGIN");
    /// The login is to begin anew; clients do not repeat the call.
    pub const AUTH_RESTART: Self = Self::new(500, "AUTH_RESTART");
    /// Our fault; clients try again.
    pub const INTERNAL: Self = Self::new(500, "INTERNAL");
    /// A deed found others changing the same thing too often; clients try again.
    pub const TIMEOUT: Self = Self::new(500, "TIMEOUT");
}

/// How a method fails.
#[derive(Debug)]
pub enum Error {
    /// The client is told.
    Rpc(RpcError),
    /// The dispatcher decides: a conflict is tried again, the rest is `500 INTERNAL`.
    Fault(Fault),
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::PartMissing(part) => RpcError::file_part_missing(part).into(),
            BlobError::PartLen(_) => RpcError::FILE_PART_LENGTH_INVALID.into(),
            BlobError::Md5 => RpcError::MD5_CHECKSUM_INVALID.into(),
            // Bytes are kept before the record that names them.
            BlobError::Missing => {
                StoreError::Corrupt("a record names bytes that are not there".into()).into()
            }
            BlobError::TooLarge(_) => Fault::Defect("a limit of files was not checked").into(),
            BlobError::Unavailable(why) => StoreError::Unavailable(why).into(),
        }
    }
}

impl From<ReferenceError> for Error {
    fn from(error: ReferenceError) -> Self {
        Self::Rpc(match error {
            ReferenceError::Empty => RpcError::FILE_REFERENCE_EMPTY,
            ReferenceError::Invalid => RpcError::FILE_REFERENCE_INVALID,
            ReferenceError::Expired => RpcError::FILE_REFERENCE_EXPIRED,
        })
    }
}

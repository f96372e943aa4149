//! Bounds of the rules, by name.

/// Longest text of a message, UTF-16 units as clients count them.
pub const TEXT_LEN_MAX: usize = 4096;
/// Longest caption of media.
pub const CAPTION_LEN_MAX: usize = 1024;
/// Most entities in a message; later ones are dropped.
pub const ENTITIES_MAX: usize = 100;
/// Most members of a basic group.
pub const CHAT_MEMBERS_MAX: usize = 200;
/// Longest title of a group, characters.
pub const TITLE_LEN_MAX: usize = 128;
/// Longest description of a group or person, characters.
pub const ABOUT_LEN_MAX: usize = 255;
/// Longest first or last name, characters.
pub const NAME_LEN_MAX: usize = 64;
/// Most messages in one page of history, search or difference by id.
pub const PAGE_MAX: usize = 100;
/// Most ids in one call.
pub const IDS_MAX: usize = 100;
/// Most items of an album.
pub const ALBUM_MAX: usize = 10;
/// Most distinct words of a message that search finds.
pub const WORDS_MAX: usize = 64;
/// Longest word that search tells apart, bytes.
pub const WORD_LEN_MAX: usize = 48;
/// Rows of random ids in a conversation. All but one are full, so what one call may send is remembered whole.
pub const RANDOM_ID_ROWS: u8 = 4;
/// Random ids in one of them.
pub const RANDOM_IDS_PER_ROW: usize = 40;
/// Most events in one slice of a difference.
pub const DIFFERENCE_MAX: usize = 1000;
/// Events that a box's log keeps: whoever was away for longer fetches conversations instead.
pub const EVENTS_KEPT_MAX: usize = 10_000;
/// Oldest events that are forgotten along with one deed; more than the events without pts between two with.
pub const EVENTS_FORGOTTEN_AT_ONCE: usize = 256;
/// Most messages deleted by one call; clients repeat while some are left.
pub const DELETE_MAX: usize = 1000;
/// How long a login code lives, seconds.
pub const CODE_TTL: i64 = 300;
/// Wrong codes before the code dies.
pub const CODE_TRIES_MAX: u32 = 5;
/// Codes that one number may ask for within [`CODE_WINDOW`].
pub const CODES_PER_WINDOW: usize = 5;
/// Seconds over which codes of a number are counted.
pub const CODE_WINDOW: i64 = 3600;
/// Digits in the code of an invitation.
pub const INVITATION_CODE_LEN: usize = 8;
/// Wrong codes before an invitation ends.
pub const INVITATION_TRIES_MAX: u32 = 5;
/// Digits of a code that is never sent: nobody guesses it.
pub const UNSENT_CODE_LEN: usize = 32;
/// Longest e-mail address, bytes (RFC 5321, section 4.5.3.1.3).
pub const EMAIL_LEN_MAX: usize = 254;
/// Longest part of an e-mail address before the `@`, bytes (RFC 5321, section 4.5.3.1.1).
pub const EMAIL_LOCAL_LEN_MAX: usize = 64;
/// How long it takes until an e-mail address that its owner cannot read any more is given up, seconds.
pub const EMAIL_RESET_WAIT: i64 = 7 * 24 * 3600;
/// Longest id of a passkey, bytes (Web Authentication Level 3, section 4).
pub const CREDENTIAL_ID_LEN_MAX: usize = 1023;
/// Most passkeys of a person.
pub const PASSKEYS_MAX: usize = 10;
/// How long an authenticator may take to answer, seconds.
pub const PASSKEY_CHALLENGE_TTL: i64 = 300;
/// How long an invitation by a member lasts, days.
pub const INVITATION_DAYS: u32 = 7;
/// How long an invitation lasts at most, days.
pub const INVITATION_DAYS_MAX: u32 = 365;
/// How long after sending a message may be edited by its author, seconds.
pub const EDIT_TIME_LIMIT: i64 = 48 * 3600;
/// Most pinned conversations in a folder.
pub const PINNED_DIALOGS_MAX: usize = 100;
/// Conversations of the archive, newest first, whose unread messages its row counts.
pub const ARCHIVE_COUNTED_MAX: usize = 100;
/// Most contacts of a person.
pub const CONTACTS_MAX: usize = 10_000;
/// Most blocked people of a person.
pub const BLOCKED_MAX: usize = 10_000;
/// Most logins of a person.
pub const SESSIONS_MAX: usize = 100;
/// Most profile photos of a person.
pub const PHOTOS_MAX: usize = 200;
/// Most invite links of a group.
pub const LINKS_MAX: usize = 200;
/// How exactly the last use of a login is kept, seconds.
pub const ACTIVE_GRAIN: i64 = 600;
/// Most numbers looked up by one call that imports contacts; clients send the rest again.
pub const IMPORT_MAX: usize = 500;
/// Conversations that a search for people and groups looks at.
pub const SEARCHED_DIALOGS_MAX: usize = 500;
/// Groups up to which those that two people share are counted.
pub const COMMON_CHATS_MAX: usize = 200;
/// Longest label of an invite link, characters.
pub const LINK_TITLE_LEN_MAX: usize = 32;
/// Most joins that an invite link can be limited to.
pub const LINK_USAGE_MAX: i32 = 99_999;
/// Most messages of a removed member that one person's box is searched for.
pub const PURGE_SPAN_MAX: usize = 5_000;
/// Addresses and ranges of numbers whose codes are counted apart; more share one count.
pub const TOLL_METERS_MAX: usize = 100_000;
/// Last digits in which the numbers of one range differ.
pub const TOLL_RANGE_DIGITS: usize = 4;
/// Seconds until a client may ask for its code by another way.
pub const CODE_RESEND_AFTER: i32 = 60;
/// How long after a right code its password may be entered, seconds.
pub const PASSWORD_WAIT_TTL: i64 = 3600;
/// How long a step of SRP may take, seconds.
pub const SRP_TTL: i64 = 600;
/// Wrong passwords from one key within [`PASSWORD_WINDOW`].
pub const PASSWORD_TRIES_PER_KEY: usize = 5;
/// Wrong passwords for one account within [`PASSWORD_WINDOW`].
pub const PASSWORD_TRIES_MAX: usize = 20;
/// Seconds over which wrong passwords are counted.
pub const PASSWORD_WINDOW: i64 = 3600;
/// Longest hint of a password, characters.
pub const HINT_LEN_MAX: usize = 128;
/// How long a login token shown as a QR code is valid, seconds.
pub const LOGIN_TOKEN_TTL: i64 = 30;
/// Most accounts that a login token may exclude.
pub const LOGIN_TOKEN_EXCEPT_MAX: usize = 16;
/// How long a login may be taken over to another key, seconds.
pub const GRANT_TTL: i64 = 60;
/// Most logins of a person that wait to be taken over.
pub const GRANTS_MAX: usize = 16;
/// Age below which a login may not end others, seconds.
pub const FRESH_LOGIN: i64 = 24 * 3600;
/// Most temporary keys bound to a permanent one at the same time.
pub const TEMP_KEYS_MAX: usize = 16;
/// How long somebody counts as online after saying so, seconds.
pub const ONLINE_TTL: i64 = 300;
/// Most people who are told of a change of somebody's name or status.
pub const ACQUAINTANCES_MAX: usize = 200;
/// Most people or groups in the rules of a privacy key.
pub const PRIVACY_NAMED_MAX: usize = 1000;
/// Longest token of a push service, bytes.
pub const DEVICE_TOKEN_LEN_MAX: usize = 4096;
/// Most push tokens of a login.
pub const DEVICES_MAX: usize = 4;
/// Bytes that a person may upload without making a file of them within [`UPLOAD_TTL`].
pub const UNUSED_UPLOADS_MAX: u64 = 4 << 30;
/// Uploads that a person may have begun and not made a file of within [`UPLOAD_TTL`].
pub const UPLOADS_MAX: usize = 500;
/// How long an upload waits to be made a file of, seconds.
pub const UPLOAD_TTL: i64 = 24 * 3600;
/// How long a file can be fetched and sent by the reference that was shown with it, at least, seconds.
pub const FILE_REFERENCE_TTL: i64 = 7 * 24 * 3600;
/// Within such a span of time a file is shown with one and the same reference, seconds: what is rendered again
/// equals what clients know.
pub const FILE_REFERENCE_GRAIN: i64 = 24 * 3600;
/// Most bytes of a picture that sizes are made of.
pub const PICTURE_LEN_MAX: u64 = 10 << 20;
/// Width and height of a picture together, pixels.
pub const PICTURE_SIDES_MAX: u32 = 10_000;
/// How much longer than high a picture may be, or the other way.
pub const PICTURE_RATIO_MAX: u32 = 20;
/// Most attributes of a document.
pub const ATTRIBUTES_MAX: usize = 16;
/// Longest file name, title and the like of a document, characters.
pub const ATTRIBUTE_LEN_MAX: usize = 255;
/// Longest card of a shared contact, bytes.
pub const VCARD_LEN_MAX: usize = 8 << 10;
/// People of the newest private chats who are told at once that somebody changed.
pub const TOLD_MAX: usize = 200;
/// Most members of a channel that are listed by one call.
pub const PARTICIPANTS_MAX: usize = 200;
/// Most channels that a person is in.
pub const CHANNELS_MAX: usize = 500;
/// Most administrators of a channel.
pub const CHANNEL_ADMINS_MAX: i32 = 50;
/// Most people invited to a channel by one call.
pub const INVITED_MAX: usize = 200;
/// Unread messages of a channel up to which they are counted; clients show this number for more.
pub const UNREAD_COUNTED_MAX: usize = 1_000;
/// Newest members of a channel that a search by name looks at.
pub const SEARCHED_MEMBERS_MAX: usize = 2_000;
/// Longest title that an administrator of a channel has, characters.
pub const RANK_LEN_MAX: usize = 16;
/// Members up to which a channel can be deleted (core.telegram.org/method/channels.deleteChannel).
pub const DELETABLE_MEMBERS_MAX: usize = 1_000;

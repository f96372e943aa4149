//! What names alone do not tell about the way between layers: the one place to look for a meaning that moved.
//!
//! Everything else follows from the schemas: definitions and fields match by name, a field that the other layer lacks is left out,
//! and a value that it cannot hold is dropped from where something may be missing.

use super::value::{Object, Value};

/// A definition that was split in two: the fields of `joint` are now those of `outer` and of `inner`, which `outer` holds in `field`.
pub(super) struct Split {
    pub joint: &'static str,
    pub outer: &'static str,
    pub field: &'static str,
    pub inner: &'static str,
}

/// A field that was called otherwise, or a value that moved: `field` of `definition` is filled from `source`.
pub(super) struct Alias {
    pub definition: &'static str,
    pub field: &'static str,
    pub source: &'static str,
}

const fn split(joint: &'static str, outer: &'static str, field: &'static str, inner: &'static str) -> Split {
    Split {
        joint,
        outer,
        field,
        inner,
    }
}

const fn reply(method: &'static str) -> Split {
    split(method, method, "reply_to", "inputReplyToMessage")
}

const fn button(joint: &'static str, inner: &'static str) -> Split {
    split(joint, "keyboardButton", "type", inner)
}

const fn inline_button(joint: &'static str, inner: &'static str) -> Split {
    split(joint, "keyboardInlineButton", "type", inner)
}

const fn alias(definition: &'static str, field: &'static str, source: &'static str) -> Alias {
    Alias {
        definition,
        field,
        source,
    }
}

/// Replies became a type in layers 159 to 164, buttons in 229.
pub(super) const SPLITS: [Split; 22] = [
    reply("messages.sendMessage"),
    reply("messages.sendMedia"),
    reply("messages.sendMultiMedia"),
    reply("messages.saveDraft"),
    button("keyboardButton", "buttonTypeDefault"),
    button("keyboardButtonRequestPhone", "buttonTypeRequestPhone"),
    button("keyboardButtonRequestGeoLocation", "buttonTypeRequestGeoLocation"),
    button("keyboardButtonRequestPoll", "buttonTypeRequestPoll"),
    button("keyboardButtonRequestPeer", "buttonTypeRequestPeer"),
    button("inputKeyboardButtonRequestPeer", "inputButtonTypeRequestPeer"),
    button("keyboardButtonSimpleWebView", "buttonTypeSimpleWebView"),
    inline_button("keyboardButtonUrl", "inlineButtonTypeUrl"),
    inline_button("keyboardButtonUrlAuth", "inlineButtonTypeUrlAuth"),
    inline_button("inputKeyboardButtonUrlAuth", "inputInlineButtonTypeUrlAuth"),
    inline_button("keyboardButtonWebView", "inlineButtonTypeWebView"),
    inline_button("keyboardButtonCallback", "inlineButtonTypeCallback"),
    inline_button("keyboardButtonGame", "inlineButtonTypeGame"),
    inline_button("keyboardButtonBuy", "inlineButtonTypeBuy"),
    inline_button("keyboardButtonSwitchInline", "inlineButtonTypeSwitchInline"),
    inline_button("keyboardButtonUserProfile", "inlineButtonTypeUserProfile"),
    inline_button(
        "inputKeyboardButtonUserProfile",
        "inputInlineButtonTypeUserProfile",
    ),
    inline_button("keyboardButtonCopy", "inlineButtonTypeCopy"),
];

/// Constructors that stand for each other where the type wanted is that of the other.
pub(super) const TWINS: [(&str, &str); 5] = [
    ("keyboardButtonRow", "keyboardInlineButtonRow"),
    ("inputUserEmpty", "inputPeerEmpty"),
    ("inputUserSelf", "inputPeerSelf"),
    ("inputUser", "inputPeerUser"),
    ("inputUserFromMessage", "inputPeerUserFromMessage"),
];

/// Constructors that hold, in one field, what used to stand there by itself.
pub(super) const WRAPPERS: [(&str, &str); 11] = [
    ("textWithEntities", "text"),
    ("starsAmount", "amount"),
    ("peerUser", "user_id"),
    ("peerColor", "color"),
    ("recentStory", "max_id"),
    ("chatTheme", "emoticon"),
    ("groupCallMessage", "message"),
    ("help.appConfig", "config"),
    ("messages.dialogFilters", "filters"),
    ("messages.invitedUsers", "updates"),
    ("messages.chatInviteJoinResultOk", "updates"),
];

/// Fields that are named otherwise in older layers, and two of requests the other way round.
pub(super) const ALIASES: [Alias; 13] = [
    alias("inputMediaStory", "peer", "user_id"),
    alias("inputReplyToStory", "peer", "user_id"),
    alias("messageActionRequestedPeer", "peer", "peers"),
    alias("messageActionSetChatTheme", "emoticon", "theme"),
    alias("userFull", "theme_emoticon", "theme"),
    alias("messageMediaStory", "user_id", "peer"),
    alias("messageReplyStoryHeader", "user_id", "peer"),
    alias("webPageAttributeStory", "user_id", "peer"),
    alias("updateStory", "user_id", "peer"),
    alias("updateReadStories", "user_id", "peer"),
    alias("updateSentStoryReaction", "user_id", "peer"),
    alias("updateMessagePollVote", "user_id", "peer"),
    // As a stand-in for formatting that a layer does not know: the text inside, unformatted.
    alias("textConcat", "texts", "text"),
];

/// What stands in for a value of a type whose constructor a layer lacks, with the fields that have the same name.
pub(super) const STAND_INS: [(&str, &str); 12] = [
    ("Message", "messageEmpty"),
    ("MessageAction", "messageActionEmpty"),
    ("MessageMedia", "messageMediaUnsupported"),
    ("PageBlock", "pageBlockUnsupported"),
    ("RichText", "textConcat"),
    ("SendMessageAction", "sendMessageTypingAction"),
    ("Chat", "chatForbidden"),
    ("User", "userEmpty"),
    ("Document", "documentEmpty"),
    ("JSONValue", "jsonObject"),
    ("auth.SentCodeType", "auth.sentCodeTypeSms"),
    ("help.PromoData", "help.promoDataEmpty"),
];

/// Numbers that a layer requires and the canonical one no longer has, where zero would be wrong.
pub(super) const DEFAULTS: [(&str, &str, i32); 4] = [
    ("config", "pinned_dialogs_count_max", 5),
    ("config", "pinned_infolder_count_max", 100),
    ("config", "saved_gifts_limit", 200),
    ("config", "stickers_faved_limit", 5),
];

/// The correct answers of a quiz were named by their option bytes until layer 222, and are counted since.
pub(super) fn correct_answers<'a>(media: &Object<'a>) -> Option<Value<'a>> {
    let Some(Value::Object(poll)) = media.field("poll") else {
        return None;
    };
    let (Some(Value::Vector(answers)), Some(Value::Vector(correct))) =
        (poll.field("answers"), media.field("correct_answers"))
    else {
        return None;
    };
    let has = |answer: &Value<'_>, option| matches!(answer, Value::Object(answer) if answer.field("option") == Some(option));
    let positions = correct
        .iter()
        .filter_map(|option| answers.iter().position(|answer| has(answer, option)));
    Some(Value::Vector(positions.map(|at| Value::Int(at as i32)).collect()))
}

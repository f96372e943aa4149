//! Nobody reads, lists, changes or probes what is not theirs: every method that names a person, a group or a channel is
//! called for one that the caller was never given the access hash of (or is not in), and for one that does not
//! exist. Both get the same answer, byte for byte but for the id, and nobody else hears of it. The calls are made from
//! the schema, so a method that is served is tested here from then on.

use std::collections::BTreeMap;

use havre_api::error::RpcError;
use havre_sim::town::{Client, Town};
use havre_tl::{enums, functions, types};
use havre_tl_schema::{Category, Definition, Kind, Parameter, Type};

const CANONICAL: &str = include_str!("../../tl/schema/canonical.tl");
const SERVED: &str = include_str!("../../tl/schema/served.txt");

/// Words that only the strangers' things contain.
const SECRETS: [&str; 3] = ["Quetzal", "Ocelot", "Jaguarundi"];

/// Types that name a person, a group or a channel.
const NAMES: [&str; 3] = ["InputPeer", "InputUser", "InputChannel"];

/// What a refusal of a name says.
const REFUSALS: [&str; 8] = [
    "PEER_ID_INVALID",
    "OFFSET_PEER_ID_INVALID",
    "USER_ID_INVALID",
    "CHAT_ID_INVALID",
    "CHANNEL_INVALID",
    "CHANNEL_PRIVATE",
    "MSG_ID_INVALID",
    "BOT_INVALID",
];

/// Parameters that are looked at only after another that a made-up call cannot have right.
const LATER: [(&str, &str); 3] = [
    ("messages.sendMultiMedia", "send_as"),
    ("photos.updateProfilePhoto", "bot"),
    ("photos.uploadProfilePhoto", "bot"),
];

/// Constructors that say something where the first of the type says nothing.
const SPEAKING: [(&str, &str); 13] = [
    ("InputPrivacyRule", "inputPrivacyValueAllowUsers"),
    ("InputDialogPeer", "inputDialogPeer"),
    ("InputNotifyPeer", "inputNotifyPeer"),
    ("InputMedia", "inputMediaContact"),
    ("InputMessage", "inputMessageID"),
    ("InputReplyTo", "inputReplyToMessage"),
    ("InputStickerSet", "inputStickerSetShortName"),
    ("InputChatPhoto", "inputChatPhotoEmpty"),
    ("InputSingleMedia", "inputSingleMedia"),
    ("ChannelParticipantsFilter", "channelParticipantsRecent"),
    ("MessagesFilter", "inputMessagesFilterEmpty"),
    ("InputCheckPasswordSRP", "inputCheckPasswordEmpty"),
    ("InputFolderPeer", "inputFolderPeer"),
];

/// Whom a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    User(i64),
    Chat(i64),
    Channel(i64),
}

impl Whom {
    fn id(self) -> i64 {
        match self {
            Self::User(id) | Self::Chat(id) | Self::Channel(id) => id,
        }
    }

    /// Another of the same kind, which nobody made.
    fn nobody(self) -> Self {
        match self {
            Self::User(id) => Self::User(id ^ 1),
            Self::Chat(id) => Self::Chat(id ^ 1),
            Self::Channel(id) => Self::Channel(id ^ 1),
        }
    }
}

struct Schema {
    functions: Vec<Definition>,
    constructors: BTreeMap<String, Vec<Definition>>,
}

impl Schema {
    fn new() -> Self {
        let definitions = havre_tl_schema::parse(CANONICAL).expect("the canonical schema");
        let served: Vec<&str> = SERVED.lines().filter(|line| line.contains('.')).collect();
        let mut schema = Self {
            functions: Vec::new(),
            constructors: BTreeMap::new(),
        };
        for definition in definitions {
            match definition.category {
                Category::Function if served.contains(&definition.name.as_str()) => {
                    schema.functions.push(definition);
                }
                Category::Function => {}
                Category::Constructor => {
                    let of = definition.result.to_string();
                    schema.constructors.entry(of).or_default().push(definition);
                }
            }
        }
        schema
    }

    fn constructor(&self, of: &str) -> &Definition {
        let all = &self.constructors[of];
        let speaking = SPEAKING.iter().find(|(name, _)| *name == of);
        match speaking {
            Some((_, name)) => all.iter().find(|one| one.name == *name).expect("a constructor"),
            None => all
                .iter()
                .min_by_key(|one| one.parameters.len())
                .expect("a constructor"),
        }
    }

    /// Whether a value of the type names somebody, in itself or in what it must hold.
    fn names(&self, value: &Type) -> bool {
        match value.innermost() {
            Type::Named(name) if NAMES.contains(&name.as_str()) => true,
            Type::Named(name) if self.constructors.contains_key(name) && !is_plain(name) => {
                let constructor = self.constructor(name);
                let required = constructor.parameters.iter().filter_map(required);
                required.into_iter().any(|inner| self.names(inner))
            }
            _ => false,
        }
    }
}

fn required(parameter: &Parameter) -> Option<&Type> {
    match &parameter.kind {
        Kind::Required(value) => Some(value),
        _ => None,
    }
}

fn is_plain(name: &str) -> bool {
    matches!(name, "Bool" | "true" | "Vector t" | "JSONValue")
}

/// Writes one call.
struct Writer<'a> {
    schema: &'a Schema,
    bytes: Vec<u8>,
}

impl Writer<'_> {
    /// The call of a method in which parameter `target` names `whom`, and every other names the caller.
    fn call(schema: &Schema, function: &Definition, target: &str, whom: Whom) -> Vec<u8> {
        let mut writer = Writer {
            schema,
            bytes: function.id.to_le_bytes().to_vec(),
        };
        for parameter in &function.parameters {
            let whom = (parameter.name == target).then_some(whom);
            match &parameter.kind {
                Kind::Flags => writer.int(flags(function, &parameter.name, target)),
                Kind::Presence(_) => {}
                Kind::Optional(..) if whom.is_none() => {}
                Kind::Optional(_, value) | Kind::Required(value) => {
                    writer.value(value, &parameter.name, whom)
                }
            }
        }
        writer.bytes
    }

    fn int(&mut self, n: u32) {
        self.bytes.extend(n.to_le_bytes());
    }

    fn long(&mut self, n: i64) {
        self.bytes.extend(n.to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        assert!(text.len() < 254);
        self.bytes.push(u8::try_from(text.len()).expect("short"));
        self.bytes.extend(text.as_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn value(&mut self, value: &Type, name: &str, whom: Option<Whom>) {
        match value {
            Type::Vector { boxed, element } => {
                if *boxed {
                    self.int(0x1cb5_c415);
                }
                self.int(1);
                self.value(element, name, whom);
            }
            Type::Variable(_) => panic!("only wrappers have these"),
            Type::Named(kind) => self.named(kind, name, whom),
        }
    }

    fn named(&mut self, kind: &str, name: &str, whom: Option<Whom>) {
        match kind {
            "int" if name == "limit" => self.int(10),
            "int" => self.int(1),
            "long" => self.long(whom.map_or(1, Whom::id)),
            "double" => self.bytes.extend(1f64.to_le_bytes()),
            "int128" | "int256" => self.bytes.extend([0; 16]),
            "string" if name == "phone_number" => self.string("79990000009"),
            "string" => self.string("words"),
            "bytes" => self.string(""),
            "Bool" => self.int(0x9972_75b5),
            "InputPeer" => self.input_peer(whom),
            "InputUser" => self.input_user(whom),
            "InputChannel" => self.input_channel(whom),
            boxed => self.boxed(boxed, whom),
        }
    }

    fn boxed(&mut self, kind: &str, whom: Option<Whom>) {
        let schema = self.schema;
        let constructor = schema.constructor(kind);
        self.int(constructor.id);
        for parameter in &constructor.parameters {
            match &parameter.kind {
                Kind::Flags => self.int(0),
                Kind::Required(value) => self.value(value, &parameter.name, whom),
                Kind::Presence(_) | Kind::Optional(..) => {}
            }
        }
    }

    fn one(&mut self, of: &str, name: &str, id: Option<i64>) {
        let all = &self.schema.constructors[of];
        let constructor = all.iter().find(|one| one.name == name).expect("a constructor");
        self.int(constructor.id);
        if let Some(id) = id {
            self.long(id);
        }
    }

    fn input_peer(&mut self, whom: Option<Whom>) {
        match whom {
            None => self.one("InputPeer", "inputPeerSelf", None),
            Some(Whom::Chat(id)) => self.one("InputPeer", "inputPeerChat", Some(id)),
            Some(Whom::User(id)) => {
                self.one("InputPeer", "inputPeerUser", Some(id));
                self.long(7);
            }
            Some(Whom::Channel(id)) => {
                self.one("InputPeer", "inputPeerChannel", Some(id));
                self.long(7);
            }
        }
    }

    fn input_user(&mut self, whom: Option<Whom>) {
        match whom {
            None => self.one("InputUser", "inputUserSelf", None),
            Some(whom) => {
                self.one("InputUser", "inputUser", Some(whom.id()));
                self.long(7);
            }
        }
    }

    fn input_channel(&mut self, whom: Option<Whom>) {
        match whom {
            None => self.one("InputChannel", "inputChannelEmpty", None),
            Some(whom) => {
                self.one("InputChannel", "inputChannel", Some(whom.id()));
                self.long(7);
            }
        }
    }
}

/// The flag word in which only the optional parameter `target` is there, if it is one.
fn flags(function: &Definition, word: &str, target: &str) -> u32 {
    let parameter = function.parameters.iter().find(|one| one.name == target);
    match parameter.map(|one| &one.kind) {
        Some(Kind::Optional(flag, _)) if flag.word == word => 1 << flag.bit,
        _ => 0,
    }
}

/// A town with people who have something, and one who knows none of them.
struct Street {
    stranger: Client,
    others: [Client; 2],
    chat: i64,
    channel: i64,
}

impl Street {
    fn new() -> Self {
        let town = Town::without_flood_limit(7);
        let [owner, friend] = [("79990000001", SECRETS[0]), ("79990000002", SECRETS[0])]
            .map(|(phone, name)| town.person(phone, name));
        let stranger = town.person("79990000003", "Carol");
        let created = owner.call(functions::messages::CreateChat {
            users: vec![owner.input_user_of(&friend)],
            title: SECRETS[1].into(),
            ttl_period: None,
        });
        let enums::messages::InvitedUsers::InvitedUsers(created) = created.expect("a group");
        let chat = made(&created.updates);
        let created = owner.call(functions::channels::CreateChannel {
            megagroup: true,
            title: SECRETS[1].into(),
            about: SECRETS[2].into(),
            ..Default::default()
        });
        let channel = made(&created.expect("a supergroup"));
        let said = owner.say(owner.input_peer_of(&friend), SECRETS[2]);
        said.expect("a message");
        let said = owner.say(types::InputPeerChat { chat_id: chat }.into(), SECRETS[2]);
        said.expect("a message");
        let noted = stranger.say(enums::InputPeer::InputPeerSelf, "a note");
        noted.expect("message 1 of the stranger");
        let others = [owner, friend];
        others.iter().for_each(|other| drop(other.pushed()));
        Self {
            stranger,
            others,
            chat,
            channel,
        }
    }

    /// Whom a parameter of the type may name.
    fn all(&self, kind: &Type, name: &str) -> Vec<Whom> {
        let user = Whom::User(self.others[0].user().0);
        let (chat, channel) = (Whom::Chat(self.chat), Whom::Channel(self.channel));
        match kind.innermost() {
            Type::Named(kind) if kind == "InputUser" => vec![user],
            Type::Named(kind) if kind == "InputChannel" => vec![channel],
            Type::Named(kind) if kind == "long" && name == "chat_id" => vec![chat],
            _ => vec![user, chat, channel],
        }
    }

    fn states(&self) -> Vec<enums::updates::State> {
        let states = self
            .others
            .iter()
            .map(|other| other.call(functions::updates::GetState {}));
        states.map(|state| state.expect("a state")).collect()
    }
}

fn made(updates: &enums::Updates) -> i64 {
    let enums::Updates::Updates(updates) = updates else {
        panic!("updates, not {updates:?}");
    };
    match &updates.chats[0] {
        enums::Chat::Chat(chat) => chat.id,
        enums::Chat::Channel(channel) => channel.id,
        other => panic!("a group or channel, not {other:?}"),
    }
}

/// The answer, without the id that was asked for.
fn asked(call: &[u8], whom: Whom) -> Result<Vec<u8>, RpcError> {
    let street = Street::new();
    let before = street.states();
    let answer = street.stranger.call_raw(call.to_vec());
    assert_eq!(street.states(), before, "somebody's box changed");
    for other in &street.others {
        assert_eq!(other.pushed(), [], "somebody heard of it");
    }
    let mut answer = answer?;
    for secret in SECRETS {
        let found = answer.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} is told");
    }
    let id = whom.id().to_le_bytes();
    while let Some(at) = answer.windows(8).position(|part| part == id) {
        answer[at..at + 8].fill(0);
    }
    Ok(answer)
}

fn targets<'a>(schema: &'a Schema, function: &'a Definition) -> impl Iterator<Item = (&'a str, &'a Type)> {
    function.parameters.iter().filter_map(|parameter| {
        let value = parameter.value_type()?;
        let by_id = parameter.name == "chat_id" && matches!(value, Type::Named(kind) if kind == "long");
        (by_id || schema.names(value)).then_some((parameter.name.as_str(), value))
    })
}

#[test]
fn what_is_not_ones_own_is_as_if_it_were_not() {
    let (schema, street) = (Schema::new(), Street::new());
    let (mut tried, mut early) = (0, Vec::new());
    for function in &schema.functions {
        for (target, kind) in targets(&schema, function) {
            for whom in street.all(kind, target) {
                let [there, nowhere] = [whom, whom.nobody()].map(|whom| {
                    let call = Writer::call(&schema, function, target, whom);
                    asked(&call, whom)
                });
                let case = format!("{}, {target}: {whom:?}", function.name);
                assert_eq!(there, nowhere, "{case}");
                tried += 1;
                let refused = there.as_ref().err().map(|error| error.text.to_string());
                let is_late = LATER.contains(&(function.name.as_str(), target));
                if refused
                    .as_ref()
                    .is_some_and(|text| !is_late && !REFUSALS.contains(&text.as_str()))
                {
                    early.push(format!("{case}: {}", refused.unwrap_or_default()));
                }
            }
        }
    }
    assert!(tried > 100, "{tried} calls");
    assert!(early.is_empty(), "refused for another reason: {early:#?}");
}

//! Reads TL schema text into definitions. Knows no transport, no rules.
//!
//! The language is described at <https://core.telegram.org/mtproto/TL>. What is read here is the part of it that API schemas use:
//!
//! ```text
//! namespace.name#1a2b3c4d {X:Type} flags:# id:long title:flags.0?string query:!X = namespace.Type;
//! └─── name ───┘ └─ id ─┘ generic  └────────────── parameters ────────────────┘   └── result ──┘
//! ```
//!
//! Text up to `---functions---` declares constructors; after it, functions; `---types---` switches back. `//` starts a comment.

mod definition;
mod parse;

pub use definition::{Category, Definition, Flag, Kind, Parameter, Type};
pub use parse::{ParseError, parse, parse_definition};

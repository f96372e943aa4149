use std::fmt;

/// Which section of the schema a definition stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A constructor of a type.
    Constructor,
    /// A function, which a client may call.
    Function,
}

/// One line of a schema: a constructor or a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Name with its namespace, `messages.dialogsSlice`.
    pub name: String,
    /// The number that announces this definition on the wire, as the text states it.
    pub id: u32,
    /// Names of the type variables, `X` of `{X:Type}`.
    pub generics: Vec<String>,
    /// Parameters in wire order, flag words included.
    pub parameters: Vec<Parameter>,
    /// The type constructed, or the type of the answer.
    pub result: Type,
    /// Constructor or function.
    pub category: Category,
}

/// A named parameter of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Name as written.
    pub name: String,
    /// What stands in its place on the wire.
    pub kind: Kind,
}

/// What a parameter is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#`: a word of 32 flags that later parameters refer to.
    Flags,
    /// `flags.N?true`: nothing but the flag itself.
    Presence(Flag),
    /// `flags.N?T`: there when the flag is set.
    Optional(Flag, Type),
    /// `T`: always there.
    Required(Type),
}

/// A bit of a flag word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Name of the parameter that holds the word.
    pub word: String,
    /// Position of the bit, 0 to 31.
    pub bit: u8,
}

/// The type of a parameter or of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A type by name: `int`, `Bool`, `messages.Dialogs`. Lower case last part means bare.
    Named(String),
    /// `Vector<T>`, boxed, or `vector<T>`, bare.
    Vector {
        /// Whether the constructor id of the vector precedes its length.
        boxed: bool,
        /// The type of the elements.
        element: Box<Type>,
    },
    /// `!X`: any value of the type that the variable stands for; also the variable itself as a result.
    Variable(String),
}

impl Definition {
    /// The namespace, if the name has one.
    pub fn namespace(&self) -> Option<&str> {
        self.name.rsplit_once('.').map(|(namespace, _)| namespace)
    }

    /// The name without namespace.
    pub fn own_name(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(_, own)| own)
    }
}

impl Parameter {
    /// The type of the value that this parameter carries, if it carries one beside a flag.
    pub fn value_type(&self) -> Option<&Type> {
        match &self.kind {
            Kind::Optional(_, value) | Kind::Required(value) => Some(value),
            Kind::Flags | Kind::Presence(_) => None,
        }
    }
}

impl Type {
    /// The type itself, or of a vector the type of its innermost elements.
    pub fn innermost(&self) -> &Type {
        match self {
            Self::Vector { element, .. } => element.innermost(),
            other => other,
        }
    }
}

/// Writes the definition the way it is read.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:08x}", self.name, self.id)?;
        for generic in &self.generics {
            write!(f, " {{{generic}:Type}}")?;
        }
        for parameter in &self.parameters {
            write!(f, " {}:{}", parameter.name, parameter.kind)?;
        }
        write!(f, " = {};", self.result)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags => f.write_str("#"),
            Self::Presence(flag) => write!(f, "{}.{}?true", flag.word, flag.bit),
            Self::Optional(flag, value) => {
                write!(f, "{}.{}?", flag.word, flag.bit)?;
                write_argument(value, f)
            }
            Self::Required(value) => write_argument(value, f),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) | Self::Variable(name) => f.write_str(name),
            Self::Vector { boxed: true, element } => write!(f, "Vector<{element}>"),
            Self::Vector {
                boxed: false,
                element,
            } => write!(f, "vector<{element}>"),
        }
    }
}

/// A type variable carries its exclamation mark among the parameters and not as a result.
fn write_argument(value: &Type, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Type::Variable(name) = value {
        write!(f, "!{name}")
    } else {
        write!(f, "{value}")
    }
}

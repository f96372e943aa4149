use crate::{Category, Definition, Flag, Kind, Parameter, Type};

/// Why a schema text was refused. Each names the definition it concerns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is no ` = Type`.
    #[error("no result type in `{0}`")]
    NoResult(String),
    /// There is no `#id`, or it is not a hexadecimal number of 32 bits.
    #[error("no valid constructor id in `{0}`")]
    NoId(String),
    /// A parameter is not `name:type`.
    #[error("not a parameter: `{parameter}` in `{definition}`")]
    BadParameter {
        /// The text in question.
        parameter: String,
        /// Where it stands.
        definition: String,
    },
}

/// Reads a whole schema, in the order of the text.
///
/// The definition of `vector` itself, which no schema can express with ordinary parameters, is passed over.
///
/// # Errors
/// The first definition that cannot be read ends the reading.
pub fn parse(text: &str) -> Result<Vec<Definition>, ParseError> {
    let plain = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let mut category = Category::Constructor;
    let mut definitions = Vec::new();
    for statement in plain.split(';') {
        let statement = enter_section(statement.trim(), &mut category);
        if !statement.is_empty() && !statement.starts_with("vector#") {
            definitions.push(parse_definition(statement, category)?);
        }
    }
    Ok(definitions)
}

/// Reads one definition, with or without its final semicolon.
///
/// # Errors
/// When the text lacks a result or an id, or holds a parameter that is none.
pub fn parse_definition(text: &str, category: Category) -> Result<Definition, ParseError> {
    let text = text.trim().trim_end_matches(';');
    let (left, result) = text
        .rsplit_once('=')
        .ok_or_else(|| ParseError::NoResult(text.to_owned()))?;
    let mut words = left.split_whitespace();
    let (name, id) = words
        .next()
        .and_then(split_id)
        .ok_or_else(|| ParseError::NoId(text.to_owned()))?;
    let mut generics = Vec::new();
    let mut parameters = Vec::new();
    for word in words {
        if let Some(generic) = word.strip_prefix('{') {
            generics.push(generic.split(':').next().unwrap_or_default().to_owned());
        } else {
            parameters.push(parse_parameter(word).ok_or_else(|| ParseError::BadParameter {
                parameter: word.to_owned(),
                definition: text.to_owned(),
            })?);
        }
    }
    let result = parse_result(result.trim(), &generics);
    Ok(Definition {
        name: name.to_owned(),
        id,
        generics,
        parameters,
        result,
        category,
    })
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(before, _)| before)
}

/// Takes the section marks from the front of a statement and notes which section follows.
fn enter_section<'a>(mut statement: &'a str, category: &mut Category) -> &'a str {
    loop {
        if let Some(rest) = statement.strip_prefix("---functions---") {
            *category = Category::Function;
            statement = rest.trim_start();
        } else if let Some(rest) = statement.strip_prefix("---types---") {
            *category = Category::Constructor;
            statement = rest.trim_start();
        } else {
            return statement;
        }
    }
}

fn split_id(word: &str) -> Option<(&str, u32)> {
    let (name, id) = word.split_once('#')?;
    Some((name, u32::from_str_radix(id, 16).ok()?))
}

fn parse_parameter(word: &str) -> Option<Parameter> {
    let (name, kind) = word.split_once(':')?;
    Some(Parameter {
        name: name.to_owned(),
        kind: parse_kind(kind)?,
    })
}

fn parse_kind(text: &str) -> Option<Kind> {
    if text == "#" {
        return Some(Kind::Flags);
    }
    let Some((flag, value)) = text.split_once('?') else {
        return Some(Kind::Required(parse_type(text)?));
    };
    let (word, bit) = flag.split_once('.')?;
    let bit = bit.parse().ok().filter(|bit| *bit < 32)?;
    let flag = Flag {
        word: word.to_owned(),
        bit,
    };
    Some(if value == "true" {
        Kind::Presence(flag)
    } else {
        Kind::Optional(flag, parse_type(value)?)
    })
}

fn parse_type(text: &str) -> Option<Type> {
    if let Some(variable) = text.strip_prefix('!') {
        return Some(Type::Variable(variable.to_owned()));
    }
    let Some((vector, element)) = text.split_once('<') else {
        return (!text.is_empty()).then(|| Type::Named(text.to_owned()));
    };
    let boxed = match vector {
        "Vector" => true,
        "vector" => false,
        _ => return None,
    };
    Some(Type::Vector {
        boxed,
        element: Box::new(parse_type(element.strip_suffix('>')?)?),
    })
}

fn parse_result(text: &str, generics: &[String]) -> Type {
    if generics.iter().any(|generic| generic == text) {
        return Type::Variable(text.to_owned());
    }
    parse_type(text).unwrap_or_else(|| Type::Named(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constructor(text: &str) -> Definition {
        parse_definition(text, Category::Constructor).unwrap()
    }

    #[test]
    fn reads_every_kind_of_parameter() {
        let line =
            "a.b#0000002a {X:Type} flags:# on:flags.3?true n:flags.31?Vector<a.C> v:vector<long> q:!X = X;";
        let definition = parse_definition(line, Category::Function).unwrap();
        assert_eq!(definition.to_string(), line);
        assert_eq!(
            (definition.namespace(), definition.own_name(), definition.id),
            (Some("a"), "b", 42)
        );
        assert_eq!(definition.result, Type::Variable("X".to_owned()));
        assert_eq!(definition.parameters[1].value_type(), None);
        let element = definition.parameters[2].value_type().unwrap().innermost();
        assert_eq!(element, &Type::Named("a.C".to_owned()));
    }

    #[test]
    fn sections_and_comments() {
        let text = "// one\na#1 = A; // two\n---functions---\nf#2 = A;\n---types---\nvector#1cb5c415 {t:Type} # [ t ] = Vector t;\nc#3 = A;";
        let definitions = parse(text).unwrap();
        let names: Vec<_> = definitions
            .iter()
            .map(|d| (d.name.as_str(), d.category))
            .collect();
        let expected = [
            ("a", Category::Constructor),
            ("f", Category::Function),
            ("c", Category::Constructor),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn refuses_what_is_no_definition() {
        let refused = |text| parse_definition(text, Category::Constructor).is_err();
        for text in [
            "a#1",
            "a = A",
            "a#xyz = A",
            "a#1 b = A",
            "a#1 b:flags.32?int = A",
            "a#1 b:List<int> = A",
        ] {
            assert!(refused(text), "{text}");
        }
        assert!(constructor("a#1 = A").parameters.is_empty());
    }
}

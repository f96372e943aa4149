//! Generates the match from method to handler: one arm for each served method that has a file
//! `src/rpc/<namespace>/<method>.rs`. What has no file is answered with `INPUT_METHOD_INVALID`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let served = Path::new("../tl/schema/served.txt");
    println!("cargo::rerun-if-changed={}", served.display());
    println!("cargo::rerun-if-changed=src/rpc");
    let list = fs::read_to_string(served).expect("crates/tl/schema/served.txt is readable");
    let (mut arms, mut handlers, mut namespaces) = (String::new(), String::new(), String::new());
    for name in list
        .lines()
        .map(str::trim)
        .filter(|l| !l.starts_with('#') && !l.contains(' '))
    {
        let Some((namespace, method)) = name.split_once('.') else {
            continue;
        };
        let file = snake(method);
        if Path::new(&format!("src/rpc/{namespace}/{file}.rs")).exists() {
            arm(&mut arms, namespace, method, &file);
            handler(&mut handlers, namespace, method, &file);
            namespace_arm(&mut namespaces, namespace, method);
        }
    }
    let out = format!(
        "{handlers}/// Runs the handler of a method.\n\
         // One arm for each method: as long as the list of them.\n\
         #[allow(clippy::too_many_lines)]\n\
         async fn route(cx: &mut Cx, method: u32, body: &[u8]) -> Result<Vec<u8>, Error> {{\n\
         match method {{\n{arms}_ => Err(RpcError::INPUT_METHOD_INVALID.into()),\n}}\n}}\n\
         /// The part of the API that a method belongs to.\n\
         #[allow(clippy::too_many_lines, clippy::match_same_arms)]\n\
         fn part(method: u32) -> Namespace {{\n\
         match method {{\n{namespaces}_ => Namespace::Other,\n}}\n}}\n"
    );
    let path = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("route.rs");
    fs::write(path, out).expect("OUT_DIR is writable");
}

/// `getDialogs` → `GetDialogs`.
fn pascal(camel: &str) -> String {
    let (first, rest) = camel.split_at(1);
    first.to_uppercase() + rest
}

fn namespace_arm(arms: &mut String, namespace: &str, method: &str) {
    let (call, part) = (pascal(method), pascal(namespace));
    writeln!(
        arms,
        "<functions::{namespace}::{call} as Identifiable>::CONSTRUCTOR_ID => Namespace::{part},"
    )
    .expect("writing to a string cannot fail");
}

fn arm(arms: &mut String, namespace: &str, method: &str, file: &str) {
    let call = format!("functions::{namespace}::{}", pascal(method));
    writeln!(
        arms,
        "<{call} as Identifiable>::CONSTRUCTOR_ID => {namespace}_{file}(cx, body).await,"
    )
    .expect("writing to a string cannot fail");
}

/// A handler between bytes, boxed where it is made: a match that held the requests and states of all methods would
/// need the stack of all of them together.
fn handler(handlers: &mut String, namespace: &str, method: &str, file: &str) {
    let call = format!("functions::{namespace}::{}", pascal(method));
    writeln!(
        handlers,
        "fn {namespace}_{file}<'a>(cx: &'a mut Cx, body: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, Error>> {{\
         Box::pin(async move {{\
         permit(cx, {namespace}::{file}::ACCESS)?;\
         let request = parse::<{call}>(body)?;\
         let result = {namespace}::{file}::call(cx, request).await?;\
         Ok(answer::<{call}>(&result)) }}) }}"
    )
    .expect("writing to a string cannot fail");
}

/// `getDialogs` → `get_dialogs`.
fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

//! Every method is built in one way: a file with a docstring and `ACCESS`, named in its namespace, with a test
//! at the same path; and what is said to be served is served.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect()
}

/// The methods that have a file, as `messages/send_message`: what their namespaces make public. Other files
/// there are what methods share.
fn built() -> BTreeSet<String> {
    let mut built = BTreeSet::new();
    let namespaces = entries(&folder("src/rpc"));
    for namespace in namespaces.iter().filter(|path| path.is_dir()) {
        let name = namespace.file_name().expect("a name").to_string_lossy();
        for line in read(&namespace.join("mod.rs")).lines() {
            if let Some(method) = line.strip_prefix("pub mod ").and_then(|m| m.strip_suffix(';')) {
                built.insert(format!("{name}/{method}"));
            }
        }
    }
    assert!(!built.is_empty());
    built
}

/// The methods of `served.txt` with a namespace; those without one are wrappers.
fn served() -> BTreeSet<String> {
    let list = read(&folder("../tl/schema/served.txt"));
    let names = list.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    names
        .filter_map(|name| name.split_once('.'))
        .map(|(namespace, method)| format!("{namespace}/{}", snake(method)))
        .collect()
}

/// `getDialogs` is `get_dialogs`.
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

fn without(methods: &BTreeSet<String>, fine: impl Fn(&str) -> bool) -> Vec<&str> {
    methods
        .iter()
        .map(String::as_str)
        .filter(|method| !fine(method))
        .collect()
}

#[test]
fn what_is_served_is_built_and_nothing_else() {
    let (served, built) = (served(), built());
    let missing: Vec<_> = served.difference(&built).collect();
    let unknown: Vec<_> = built.difference(&served).collect();
    assert!(
        missing.is_empty(),
        "served.txt names what is not built: {missing:#?}"
    );
    assert!(unknown.is_empty(), "served.txt does not name: {unknown:#?}");
}

#[test]
fn every_method_says_what_it_is_and_who_may_call_it() {
    let built = built();
    let plain = without(&built, |method| {
        let source = read(&folder("src/rpc").join(format!("{method}.rs")));
        let namespace = method.split('/').next().unwrap_or_default();
        source.starts_with(&format!("//! `{namespace}.")) && source.contains("\npub const ACCESS: Access = ")
    });
    assert!(plain.is_empty(), "no docstring or no ACCESS: {plain:#?}");
}

/// A method has tests when a test calls it. Those that none calls yet stand in `untested.txt`, which may only
/// get shorter.
#[test]
fn every_method_has_tests() {
    let tests = sources(&folder("tests")) + &sources(&folder("../sim"));
    let built = built();
    let untested: BTreeSet<&str> = without(&built, |method| {
        let Some((namespace, name)) = method.split_once('/') else {
            return false;
        };
        let call = format!("{namespace}::{}", camel(name));
        tests
            .match_indices(&call)
            .any(|(at, _)| !tests[at + call.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
    .into_iter()
    .collect();
    let list = read(&folder("tests").join("untested.txt"));
    let listed: BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let new: Vec<_> = untested.difference(&listed).collect();
    let tested: Vec<_> = listed.difference(&untested).collect();
    assert!(new.is_empty(), "no test calls: {new:#?}");
    assert!(
        tested.is_empty(),
        "tested by now, take them out of untested.txt: {tested:#?}"
    );
}

/// Every source file below a folder, put together.
fn sources(of: &Path) -> String {
    let texts = entries(of).into_iter().map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(end) if end == "rs" => read(&path),
        _ => String::new(),
    });
    texts.collect()
}

/// `get_dialogs` → `GetDialogs`.
fn camel(snake: &str) -> String {
    let words = snake.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

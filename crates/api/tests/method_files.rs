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

#[test]
fn every_method_has_tests() {
    let built = built();
    let untested = without(&built, |method| {
        let file = folder("tests/rpc").join(format!("{method}.rs"));
        file.exists() && read(&file).contains("#[test]") && is_run(method)
    });
    assert!(untested.is_empty(), "no tests: {untested:#?}");
}

/// Whether a method's tests belong to a test binary: a file that no module names is never compiled.
fn is_run(method: &str) -> bool {
    let Some((namespace, method)) = method.split_once('/') else {
        return false;
    };
    let lists = [format!("{namespace}.rs"), format!("rpc/{namespace}/mod.rs")];
    lists.iter().any(|list| {
        let source = fs::read_to_string(folder("tests").join(list)).unwrap_or_default();
        source.lines().any(|line| line.trim() == format!("mod {method};"))
    })
}

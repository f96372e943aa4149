//! The real binary: what it says, and that a fault is one clear sentence, exit code 1 and no damage.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panic")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::{HAVRE, Server, havre};

mod common;

fn output(arguments: &[&str], data: &Path) -> Output {
    havre(arguments, data).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a failed command says; asserts that it is one sentence and exit code 1.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("havre: ") && text.lines().count() == 1, "{text}");
    text
}

#[test]
fn a_server_says_how_a_client_is_pointed_at_it() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let server = Server::start(&data);
    let pem = printed(&output(&["keys", "--pem"], &data));
    assert!(pem.starts_with("-----BEGIN RSA PUBLIC KEY-----\n"), "{pem}");
    assert!(server.greeting.contains(&pem));
    assert!(server.greeting.contains("data centre  2"));
    let shown = printed(&output(&["keys"], &data));
    let fingerprint = shown
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint: "))
        .unwrap();
    assert!(server.greeting.contains(fingerprint));
    server.stop();
    let checked = printed(&output(&["check"], &data));
    assert!(
        checked.contains(fingerprint) && checked.contains("store: sound"),
        "{checked}"
    );
}

#[test]
fn a_code_is_asked_of_the_running_server() {
    let data = tempfile::tempdir().unwrap();
    assert!(complaint(&output(&["code", "15550000001"], data.path())).contains("no server is running"));
    let _server = Server::start(data.path());
    let text = complaint(&output(&["code", "15550000001"], data.path()));
    assert!(text.contains("no login code is waiting"), "{text}");
}

#[test]
fn an_invitation_is_made_by_the_running_server() {
    let data = tempfile::tempdir().unwrap();
    assert!(complaint(&output(&["invite"], data.path())).contains("no server is running"));
    let _server = Server::start(data.path());
    let first = printed(&output(&["invite"], data.path()));
    assert!(
        first.starts_with("number +424") && first.contains(", code "),
        "{first}"
    );
    let second = printed(&output(&["invite", "--days", "365"], data.path()));
    assert_ne!(first, second);
    assert!(!output(&["invite", "--days", "366"], data.path()).status.success());
}

#[test]
fn status_is_one_screen_and_without_a_server_one_sentence() {
    let data = tempfile::tempdir().unwrap();
    assert!(complaint(&output(&["status"], data.path())).contains("no server is running"));
    let server = Server::start(data.path());
    let _held: Vec<TcpStream> = (0..3)
        .map(|_| TcpStream::connect(server.address()).unwrap())
        .collect();
    let begun = Instant::now();
    let screen = loop {
        let asked = output(&["status"], data.path());
        assert!(asked.status.success());
        let screen = printed(&asked);
        if screen.contains("connections  3 of 100000; 0 refused") {
            break screen;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{screen}");
    };
    assert!(
        screen.starts_with(concat!("Havre ", env!("CARGO_PKG_VERSION"), ", up 00:00:")),
        "{screen}"
    );
    assert!(
        screen.contains("messages     0.0/s in the last 10 s; 0 since the start"),
        "{screen}"
    );
    assert!(
        screen.contains(" MiB; ") && screen.lines().count() <= 24,
        "{screen}"
    );
    server.stop();
    assert!(complaint(&output(&["status"], data.path())).contains("no server is running"));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(data.path());
    assert!(complaint(&output(&["serve"], data.path())).contains("another server is running"));
    assert!(complaint(&output(&["check"], data.path())).contains("another server is running"));
    first.stop();
}

#[test]
fn a_killed_server_starts_again_with_its_key() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(data.path());
    let pem = printed(&output(&["keys", "--pem"], data.path()));
    drop(first);
    assert!(data.path().join("admin.sock").exists());
    assert!(Server::start(data.path()).greeting.contains(&pem));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let text = complaint(&output(&["serve", "--listen", &address], data.path()));
    assert!(text.contains(&address) && text.contains("in use"), "{text}");
    let monitoring = format!("metrics_listen={address}");
    let text = complaint(&output(&["serve", "--set", &monitoring], data.path()));
    assert!(text.contains("(metrics_listen) cannot be listened on"), "{text}");
    Server::start(data.path()).stop();
}

#[test]
fn a_wrong_key_file_is_refused_and_kept() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("server-key.pem");
    fs::write(&path, "not a key\n").unwrap();
    let text = complaint(&output(&["serve"], data.path()));
    assert!(
        text.contains("server-key.pem") && text.contains("not PEM"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a key\n");
}

#[test]
fn a_missing_folder_is_made_only_by_serve() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("none");
    for arguments in [&["keys"][..], &["check"], &["code", "1"], &["status"]] {
        assert!(complaint(&output(arguments, &data)).contains(data.to_str().unwrap()));
        assert!(!data.exists());
    }
    let file = parent.path().join("file");
    fs::write(&file, "kept").unwrap();
    assert!(complaint(&output(&["serve"], &file.join("data"))).contains("cannot be made"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn a_wrong_setting_names_what_is_allowed() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let text = complaint(&output(&["serve", "--listen", "nowhere"], &data));
    assert!(
        text.contains("listen = \"nowhere\" (on the command line) is not allowed"),
        "{text}"
    );
    let text = complaint(&output(&["serve", "--set", "colour=red"], &data));
    assert!(text.contains("no setting \"colour\""), "{text}");
    let absent = parent.path().join("absent.toml");
    let text = complaint(&output(&["serve", "--config", absent.to_str().unwrap()], &data));
    assert!(text.contains("absent.toml cannot be read"), "{text}");
    assert!(!data.exists());
}

/// A file system of 4 KiB, in a mount namespace of its own, stands for a full disk.
#[test]
fn a_full_disk_is_one_sentence_and_leaves_no_half_key() {
    let data = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero >\"$1/filler\" && \
                  { \"$2\" serve --data \"$1\"; code=$?; ls \"$1\"; exit $code; }";
    let result = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .args([data.path().to_str().unwrap(), HAVRE])
        .output();
    let Ok(output) = result else {
        return eprintln!("skipped: no unshare here");
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.starts_with("unshare:") || text.starts_with("mount:") {
        return eprintln!("skipped: {text}");
    }
    assert!(complaint(&output).contains("No space left on device"), "{text}");
    assert_eq!(printed(&output), "filler\nlock\n");
}

#[test]
fn help_explains_itself() {
    let output = Command::new(HAVRE).args(["serve", "--help"]).output().unwrap();
    let text = printed(&output);
    for option in ["--data", "--listen", "--config", "--set"] {
        assert!(text.contains(option), "{text}");
    }
}

/// The bytes by which the command knows Telegram Desktop.
fn small_app(folder: &Path) -> PathBuf {
    let pem = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}{}\n-----END RSA PUBLIC KEY-----\0",
        format!("{}\n", "p".repeat(64)).repeat(5),
        "p".repeat(40)
    );
    let record = [2u64, 0, 443].map(u64::to_le_bytes).concat();
    let bytes = [pem.as_bytes(), b"149.154.167.51\0", &record, &record].concat();
    let path = folder.join("app");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    path
}

#[test]
fn a_copy_of_an_app_is_made_beside_the_original_and_never_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let app = small_app(folder.path());
    let before = fs::read(&app).unwrap();
    let copy = folder.path().join("copy");
    let (app, copy) = (app.to_str().unwrap(), copy.to_str().unwrap());
    let rekey = |to: &str, more: &[&str]| {
        let given = [&["rekey", app, "-o", to, "--host", "127.0.0.1"], more].concat();
        output(&given, &data)
    };
    assert!(complaint(&rekey(copy, &["--port", "4431"])).contains("holds no key yet"));
    assert!(complaint(&rekey(copy, &[])).contains("say which with --port"));
    Server::start(&data).stop();
    let told = printed(&rekey(copy, &["--port", "4431"]));
    assert!(
        told.contains("1 public keys, 1 IPv4 and 0 IPv6 addresses and 2 ports lead to 127.0.0.1:4431"),
        "{told}"
    );
    let pem = printed(&output(&["keys", "--pem"], &data));
    let made = fs::read(copy).unwrap();
    assert!(made.starts_with(pem.trim_end().as_bytes()));
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o751);
    assert!(complaint(&rekey(copy, &["--port", "4431"])).contains("is there already; --force replaces it"));
    assert!(rekey(copy, &["--port", "4431", "--force"]).status.success());
    assert!(
        complaint(&rekey(app, &["--port", "4431", "--force"]))
            .contains("is the original, which stays as it is")
    );
    assert!(
        complaint(&output(
            &[
                "rekey",
                copy,
                "-o",
                app,
                "--host",
                "127.0.0.1",
                "--port",
                "4431",
                "--force"
            ],
            &data
        ))
        .contains("cannot be copied: it holds no")
    );
    assert_eq!(fs::read(app).unwrap(), before);
}

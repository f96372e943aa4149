#!/usr/bin/env python3
"""Copies the published grammers-mtproto and adds one arm to its table of server keys.

The table is a constant in that crate, so a client of a server of one's own has to change it. The added arm
takes the key from the environment when the driver runs, so that one build serves every key.
"""

import json
import pathlib
import shutil
import subprocess
import sys

CRATE, VERSION = "grammers-mtproto", "0.11.0"
ANCHOR = "        _ => return None\n"
ARM = (
    '        other if std::env::var("HAVRE_FINGERPRINT").is_ok_and(|ours| ours == other.to_string()) => '
    'rsa::Key::new(&std::env::var("HAVRE_MODULUS").unwrap(), "65537").unwrap(),\n'
)


def published():
    """The crate's source as cargo keeps it; a crate that nothing else needs brings it there."""
    fetcher = INTEROP / "vendor" / "fetch"
    (fetcher / "src").mkdir(parents=True, exist_ok=True)
    (fetcher / "src" / "lib.rs").write_text("")
    manifest = fetcher / "Cargo.toml"
    manifest.write_text(
        f'[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
        f'[dependencies]\n{CRATE} = "={VERSION}"\n'
    )
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--manifest-path", str(manifest)],
        check=True, stdout=subprocess.PIPE,
    )
    packages = json.loads(metadata.stdout)["packages"]
    package = next(package for package in packages if package["name"] == CRATE)
    return pathlib.Path(package["manifest_path"]).parent


def main():
    target = INTEROP / "vendor" / CRATE
    source = target / "src" / "authentication.rs"
    if source.exists() and ARM in source.read_text():
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(published(), target)
    text = source.read_text()
    if text.count(ANCHOR) != 1:
        sys.exit(f"{source}: the table of keys is not where it was; read vendor.py")
    source.write_text(text.replace(ANCHOR, ARM + ANCHOR))


INTEROP = pathlib.Path(__file__).resolve().parent.parent
main()

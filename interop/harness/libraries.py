"""The client libraries: how each driver is started, and whether it is installed."""

import dataclasses
import pathlib

INTEROP = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Library:
    name: str
    command: list
    folder: pathlib.Path
    needs: pathlib.Path
    # Telethon applies a difference's deletions to its state and reports none of them.
    tells_missed_deletions: bool = True
    # TDLib asks again what somebody says of themselves only after a minute.
    asks_about_people_again: bool = True
    # A program with keys and addresses compiled in; the driver is given a copy that talks to our server.
    app: pathlib.Path | None = None

    @property
    def installed(self):
        return self.needs.exists()


PYTHON = INTEROP / ".venv" / "bin" / "python"
GRAMMERS = INTEROP / "target" / "debug" / "havre-interop-grammers"

TDLIB = next((INTEROP / ".venv").glob("lib/python*/site-packages/tdjson.libs/libtdjson-*"), PYTHON.with_name("no-tdjson"))

LIBRARIES = {
    library.name: library
    for library in [
        Library("telethon", [PYTHON, "driver.py"], INTEROP / "telethon", PYTHON, tells_missed_deletions=False),
        Library("mtcute", ["node", "driver.js"], INTEROP / "mtcute", INTEROP / "mtcute" / "node_modules"),
        Library("grammers", [GRAMMERS], INTEROP / "grammers", GRAMMERS),
        Library("tdlib", [PYTHON, "driver.py"], INTEROP / "tdlib", TDLIB, asks_about_people_again=False, app=TDLIB),
    ]
}

# Each library with itself, and each with each once; who is first does most of the talking.
PAIRS = [
    ("telethon", "telethon"),
    ("mtcute", "mtcute"),
    ("grammers", "grammers"),
    ("telethon", "mtcute"),
    ("mtcute", "grammers"),
    ("grammers", "telethon"),
    ("tdlib", "tdlib"),
    ("tdlib", "mtcute"),
    ("telethon", "tdlib"),
]

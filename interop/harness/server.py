"""A Havre server of one's own: started on a free port, killed by its process id."""

import base64
import hashlib
import os
import pathlib
import socket
import subprocess
import threading
import time

START_TIMEOUT_S = 20


class Server:
    """The server of one pair; survives being killed and started again on the same port and data."""

    def __init__(self, binary, folder):
        self.binary = str(binary)
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.port = free_port()
        self.process = None
        self.log = open(self.folder / "server.log", "ab")

    def start(self):
        # Codes are read with `havre code`; the printed ones would fill the log of a failed run.
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        environment = os.environ | {"HAVRE_LOG": os.environ.get("HAVRE_LOG", "info")}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not accepts(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended at once: {self.last_words()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server does not listen after {START_TIMEOUT_S} s")
            time.sleep(0.05)

    def kill(self):
        """As a power cut would: no signal handler runs."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def kill_in(self, seconds):
        """Kills the server while something else goes on, and starts it again."""
        thread = threading.Timer(seconds, self.restart)
        thread.start()
        return thread

    def last_words(self):
        lines = (self.folder / "server.log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:])

    def ask(self, *arguments):
        command = [self.binary, *arguments, "--data", self.data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def code(self, phone):
        return self.ask("code", phone).strip()

    def rekey(self, app):
        """A copy of a program that talks to this server."""
        copy = self.folder / app.name
        if not copy.exists():
            self.ask("rekey", app, "--output", copy, "--host", "127.0.0.1", "--port", str(self.port))
        return copy

    def environment(self):
        """What a driver is told; see README.md."""
        pem = self.folder / "key.pem"
        pem.write_text(self.ask("keys", "--pem"))
        modulus, exponent = public_numbers(pem.read_text())
        return {
            "HAVRE_HOST": "127.0.0.1",
            "HAVRE_PORT": str(self.port),
            "HAVRE_DC": "2",
            "HAVRE_KEY": str(pem),
            "HAVRE_FINGERPRINT": str(fingerprint(modulus, exponent)),
            "HAVRE_MODULUS": str(int.from_bytes(modulus, "big")),
        }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def public_numbers(pem):
    """Modulus and exponent of a PKCS#1 PEM, as big-endian bytes without leading zeros."""
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    content, _ = der_value(der)
    modulus, rest = der_value(content)
    exponent, _ = der_value(rest)
    return modulus.lstrip(b"\0"), exponent.lstrip(b"\0")


def der_value(der):
    length, start = der[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start], "big")
    return der[start : start + length], der[start + length :]


def fingerprint(modulus, exponent):
    digest = hashlib.sha1(tl_string(modulus) + tl_string(exponent)).digest()
    return int.from_bytes(digest[-8:], "little", signed=True)


def tl_string(value):
    head = bytes([len(value)]) if len(value) < 254 else b"\xfe" + len(value).to_bytes(3, "little")
    return head + value + bytes(-(len(head) + len(value)) % 4)

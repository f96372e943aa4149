"""One session of one person: a driver process, calls into it, and what it reports."""

import collections
import json
import os
import subprocess
import threading
import time

CALL_TIMEOUT_S = 20
EVENT_TIMEOUT_S = 10


class CallFailed(Exception):
    """The library raised, or the server answered with an error."""


class Hung(CallFailed):
    """Nothing came in time."""


class Unsupported(Exception):
    """The library has no way to do this."""


class Person:
    def __init__(self, library, name, environment, log_path):
        self.library, self.name = library, name
        self.id = None
        self.phone = None
        self.events = collections.deque()
        self.answers = {}
        self.number = 0
        self.news = threading.Condition()
        self.log = open(log_path, "ab")
        self.process = subprocess.Popen(
            library.command, cwd=library.folder, env=os.environ | environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1,
        )
        threading.Thread(target=self.listen, daemon=True).start()

    def __getattr__(self, deed):
        """`person.send_text(peer=..., text=...)` is the request of that name."""
        if deed.startswith("_"):
            raise AttributeError(deed)
        return lambda timeout=CALL_TIMEOUT_S, **arguments: self.call(deed, timeout, arguments)

    @property
    def peer(self):
        return f"user:{self.id}"

    def listen(self):
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            with self.news:
                if "event" in said:
                    self.events.append(said)
                else:
                    self.answers[said["call"]] = said
                self.news.notify_all()
        with self.news:
            self.answers = None
            self.news.notify_all()

    def begin(self, deed, arguments):
        """Sends a request without waiting; `finish` waits for its answer."""
        with self.news:
            self.number += 1
            number = self.number
        try:
            self.process.stdin.write(json.dumps({"call": number, "do": deed, **arguments}) + "\n")
        except OSError as error:
            raise CallFailed(f"{self.name}.{deed}: the driver has ended") from error
        return number

    def finish(self, number, deed, timeout):
        with self.news:
            arrived = self.news.wait_for(lambda: self.answers is None or number in self.answers, timeout)
            if not arrived:
                raise Hung(f"{self.name}.{deed} hangs: no answer in {timeout} s")
            if self.answers is None:
                raise CallFailed(f"{self.name}.{deed}: the driver has ended")
            answer = self.answers.pop(number)
        if answer.get("unsupported"):
            raise Unsupported(f"{self.library.name} has no {deed}")
        if "error" in answer:
            raise CallFailed(f"{self.name}.{deed}: {answer['error']}")
        return answer["ok"]

    def call(self, deed, timeout, arguments):
        return self.finish(self.begin(deed, arguments), deed, timeout)

    def forget_events(self):
        with self.news:
            self.events.clear()

    def seen(self, event, matches=lambda said: True):
        """The events of a kind that have come since they were last forgotten."""
        with self.news:
            return [said for said in self.events if said["event"] == event and matches(said)]

    def expect(self, event, what, matches=lambda said: True, timeout=EVENT_TIMEOUT_S):
        """Waits for an event, which may have come already."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                for said in self.events:
                    if said["event"] == event and matches(said):
                        return said
                if not self.news.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise Hung(f"{self.name} was not told of {what} in {timeout} s")

    def expect_text(self, text, **arguments):
        said = self.expect("message", f"the message {text!r}", lambda e: e["message"]["text"] == text, **arguments)
        return said["message"]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

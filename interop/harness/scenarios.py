"""The scenarios, in the order in which they are played. Each is one function of the world.

Ann and Bob write to each other; Cid is a third. What one scenario leaves behind (contacts, a group) the later
ones use, as people do.
"""

import hashlib
import os
import struct
import time
import zlib

from .person import CallFailed

SCENARIOS = []

# Long enough for a push that must not come.
SILENCE_S = 2


def scenario(function):
    SCENARIOS.append(function)
    return function


class Refused(AssertionError):
    """A scenario found what it must not."""


def check(condition, what):
    if not condition:
        raise Refused(what)


def equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


class World:
    """Who is there and what has happened."""

    def __init__(self, server, folder, enter):
        self.server, self.folder, self.enter = server, folder, enter
        self.ann = self.bob = self.cid = self.second = None
        self.group = None
        self.first_file = None

    def people(self):
        return [person for person in (self.ann, self.bob, self.cid, self.second) if person]

    def tells(self, sender, receiver, text, peer=None, **arguments):
        """Sends a text and waits until the other is told; both views of the message."""
        sent = sender.send_text(peer=peer or receiver.peer, text=text, **arguments)
        return sent, receiver.expect_text(text)

    def logs_in(self, person, phone, **names):
        person.connect()
        person.send_code(phone=phone)
        return person.enter_code(code=self.server.code(phone), **names)


def refuses(call, what):
    try:
        call()
    except CallFailed:
        return
    raise Refused(f"{what} was not refused")


def texts(messages):
    return [message["text"] for message in messages]


# Arriving and finding each other


@scenario
def sign_up(world):
    for name, number in (("ann", "1"), ("bob", "2"), ("cid", "3")):
        person = world.enter(name)
        person.phone = f"1555000000{number}"
        result = world.logs_in(person, "+" + person.phone, first_name=name.title(), last_name="Test")
        check(result.get("new"), f"{name} was known already")
        person.id = result["id"]
        setattr(world, name, person)
    me = world.ann.me()
    equal((me["id"], me["first_name"], me["phone"]), (world.ann.id, "Ann", world.ann.phone), "who Ann is")


@scenario
def wrong_code(world):
    guest = world.enter("guest")
    guest.connect()
    guest.send_code(phone="+15550000009")
    code = world.server.code("15550000009")
    wrong = "".join(str((int(digit) + 1) % 10) for digit in code)
    refuses(lambda: guest.enter_code(code=wrong, first_name="G", last_name=""), "a wrong code")
    check(guest.enter_code(code=code, first_name="G", last_name="")["new"], "the right code afterwards")
    guest.end()


@scenario
def import_contact(world):
    for one, other in ((world.ann, world.bob), (world.bob, world.ann), (world.ann, world.cid)):
        found = one.import_contact(phone="+" + other.phone, first_name=f"My {other.name}")
        equal(found["id"], other.id, "the imported contact")
    check(world.bob.id in world.ann.contacts(), "Bob is not in Ann's contacts")
    unknown = world.ann.import_contact(phone="+15550009999", first_name="Nobody")
    equal(unknown["id"], None, "a contact who is not here")


@scenario
def username(world):
    world.bob.set_username(username="bob_of_havre")
    equal(world.cid.resolve(username="bob_of_havre")["id"], world.bob.id, "the name's owner")
    refuses(lambda: world.cid.set_username(username="Bob_Of_Havre"), "a taken name")
    refuses(lambda: world.cid.resolve(username="nobody_of_havre"), "an unknown name")


# Writing


@scenario
def text(world):
    ann, bob = world.ann, world.bob
    sent, got = world.tells(ann, bob, "Hello, Bob! Привет 👋")
    check(sent["id"] > 0 and not got["out"], "the direction of the message")
    equal((got["peer"], got["from"]), (ann.peer, ann.peer), "where Bob sees it")
    _, got = world.tells(bob, ann, "Hello, Ann!")
    equal(got["peer"], bob.peer, "where Ann sees the answer")
    time.sleep(0.5)
    for person, words in ((bob, "Hello, Bob! Привет 👋"), (ann, "Hello, Ann!")):
        told = person.seen("message", lambda event: event["message"]["text"] == words)
        equal(len(told), 1, f"how often {person.name} was told")


@scenario
def saved_messages(world):
    ann = world.ann
    sent = ann.send_text(peer=ann.peer, text="a note to myself")
    check("a note to myself" in texts(ann.history(peer=ann.peer, limit=5)), "the note is gone")
    check(sent["id"] > 0, "the note has no id")


@scenario
def reply(world):
    sent, got = world.tells(world.ann, world.bob, "a question")
    answer, told = world.tells(world.bob, world.ann, "an answer", reply_to=got["id"])
    equal(answer["reply_to"], got["id"], "what Bob sees himself reply to")
    equal(told["reply_to"], sent["id"], "what Ann sees Bob reply to")


@scenario
def edit(world):
    sent, got = world.tells(world.ann, world.bob, "a tpyo")
    world.ann.edit(peer=world.bob.peer, id=sent["id"], text="a typo")
    event = world.bob.expect("edited", "the edit", lambda event: event["message"]["id"] == got["id"])
    equal(event["message"]["text"], "a typo", "the new text")
    check(event["message"]["edited"], "the message is not marked as edited")
    check("a typo" in texts(world.bob.history(peer=world.ann.peer, limit=5)), "history has the old text")
    refuses(lambda: world.bob.edit(peer=world.ann.peer, id=got["id"], text="mine"), "editing another's message")


@scenario
def delete_for_both(world):
    sent, got = world.tells(world.ann, world.bob, "never said")
    world.ann.delete(peer=world.bob.peer, ids=[sent["id"]], revoke=True)
    world.bob.expect("deleted", "the deletion", lambda event: got["id"] in event["ids"])
    for person, other in ((world.ann, world.bob), (world.bob, world.ann)):
        check("never said" not in texts(person.history(peer=other.peer, limit=10)), "history has it still")


@scenario
def delete_for_oneself(world):
    sent, got = world.tells(world.ann, world.bob, "forgotten by Ann")
    world.ann.delete(peer=world.bob.peer, ids=[sent["id"]], revoke=False)
    time.sleep(SILENCE_S)
    check(not world.bob.seen("deleted", lambda event: got["id"] in event["ids"]), "Bob was told")
    check("forgotten by Ann" not in texts(world.ann.history(peer=world.bob.peer, limit=10)), "Ann has it still")
    check("forgotten by Ann" in texts(world.bob.history(peer=world.ann.peer, limit=10)), "Bob lost it")


@scenario
def forward(world):
    sent, _ = world.tells(world.ann, world.bob, "worth passing on")
    world.ann.forward(source=world.bob.peer, ids=[sent["id"]], peer=world.cid.peer)
    world.cid.expect_text("worth passing on")


@scenario
def read_marks(world):
    sent, got = world.tells(world.ann, world.bob, "have you read this?")

    def unread():
        return next(dialog["unread"] for dialog in world.bob.dialogs() if dialog["peer"] == world.ann.peer)

    check(unread() > 0, "nothing is unread before it is read")
    world.bob.read(peer=world.ann.peer, max_id=got["id"])
    event = world.ann.expect("read", "Bob's reading", lambda event: event["peer"] == world.bob.peer)
    equal(event["max_id"], sent["id"], "how far Bob has read")
    equal(unread(), 0, "what is unread afterwards")


@scenario
def typing(world):
    world.ann.typing(peer=world.bob.peer)
    world.bob.expect("typing", "Ann's typing", lambda event: event["user"] == world.ann.peer)


@scenario
def history_pages(world):
    for number in range(25):
        world.cid.send_text(peer=world.cid.peer, text=f"line {number}")
    found, offset = [], 0
    for _ in range(3):
        page = world.cid.history(peer=world.cid.peer, limit=10, offset_id=offset)
        found += page
        offset = page[-1]["id"]
    lines = [text for text in texts(found) if text.startswith("line")]
    equal(lines, [f"line {number}" for number in reversed(range(25))], "the pages of history")


@scenario
def search(world):
    world.tells(world.ann, world.bob, "the quick brown fox")
    found = world.bob.search(peer=world.ann.peer, query="brown")
    equal(texts(found), ["the quick brown fox"], "what is found")
    equal(world.bob.search(peer=world.ann.peer, query="purple"), [], "what is not there")


@scenario
def drafts(world):
    world.ann.save_draft(peer=world.bob.peer, text="I meant to")
    equal(world.ann.drafts(), [{"peer": world.bob.peer, "text": "I meant to"}], "the drafts")
    world.ann.save_draft(peer=world.bob.peer, text="")
    equal(world.ann.drafts(), [], "the drafts after clearing")


@scenario
def dialogs(world):
    sent, _ = world.tells(world.ann, world.cid, "the newest")
    rows = world.ann.dialogs()
    equal((rows[0]["peer"], rows[0]["top"]), (world.cid.peer, sent["id"]), "the first dialog")
    check(world.bob.peer in [row["peer"] for row in rows], "Bob is not in the list")


# Files


def made_file(world, name, size):
    path = world.folder / name
    path.write_bytes(os.urandom(size))
    return path


def made_picture(world, name, shade):
    """A PNG of 320 by 200 points."""
    row = b"\0" + bytes([shade, 128, 255 - shade]) * 320

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)
    path = world.folder / name
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 200)) + chunk(b"IEND", b"")
    )
    return path


def passes_file(world, name, size, timeout):
    path = made_file(world, name, size)
    world.ann.send_file(peer=world.bob.peer, path=str(path), timeout=timeout)
    event = world.bob.expect("message", "the file", lambda event: event["message"]["media"] == "document")
    got = world.bob.download(peer=world.ann.peer, id=event["message"]["id"], timeout=timeout)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    equal((got["size"], got["sha256"]), (size, digest), "the fetched file")
    return event["message"]["id"], digest


@scenario
def file_small(world):
    world.first_file = passes_file(world, "small.bin", 50_001, 20)


@scenario
def file_big(world):
    passes_file(world, "big.bin", 11 * 1024 * 1024 + 7, 90)


@scenario
def photo(world):
    path = made_picture(world, "picture.png", 40)
    world.ann.send_photo(peer=world.bob.peer, path=str(path), caption="a picture")
    got = world.bob.expect_text("a picture")
    equal(got["media"], "photo", "what came")
    check(world.bob.download(peer=world.ann.peer, id=got["id"])["size"] > 0, "the photo is empty")


@scenario
def album(world):
    paths = [str(made_picture(world, f"album{shade}.png", shade)) for shade in (10, 200)]
    world.ann.send_album(peer=world.bob.peer, paths=paths)

    def pictures():
        return [event["message"] for event in world.bob.seen("message") if event["message"]["album"]]

    world.bob.expect("message", "the album", lambda _: len(pictures()) == 2)
    equal(len({picture["album"] for picture in pictures()}), 1, "the number of albums")


# Oneself


@scenario
def profile(world):
    world.ann.update_profile(first_name="Anna", about="writes a lot")
    seen = world.bob.user(id=world.ann.id)
    if world.bob.library.asks_about_people_again:
        equal(seen["about"], "writes a lot", "what Bob reads about Ann")
    equal(seen["id"], world.ann.id, "whom Bob asked about")
    equal(world.ann.me()["first_name"], "Anna", "Ann's name")


@scenario
def profile_photo(world):
    world.ann.set_photo(path=str(made_picture(world, "me.png", 90)))
    check(world.bob.user(id=world.ann.id)["photo"], "Ann has no photo")
    check(world.bob.download_photo(id=world.ann.id)["size"] > 0, "the photo is empty")


@scenario
def block(world):
    world.bob.block(id=world.ann.id, blocked=True)
    try:
        world.ann.send_text(peer=world.bob.peer, text="can you hear me?")
    except CallFailed:
        pass  # Either is right: refused, or accepted and not delivered.
    time.sleep(SILENCE_S)
    heard = world.bob.seen("message", lambda event: event["message"]["text"] == "can you hear me?")
    check(not heard, "Bob heard somebody whom he blocked")
    world.bob.block(id=world.ann.id, blocked=False)
    world.tells(world.ann, world.bob, "and now?")


# Groups


@scenario
def group_create(world):
    world.group = world.ann.create_group(title="Us", users=[world.bob.id])["peer"]
    world.bob.expect("message", "the new group", lambda event: event["message"]["service"] == "chat_create")
    world.tells(world.ann, world.bob, "welcome", peer=world.group)
    _, got = world.tells(world.bob, world.ann, "thanks", peer=world.group)
    equal((got["peer"], got["from"]), (world.group, world.bob.peer), "where Ann sees it")
    equal(sorted(world.ann.members(peer=world.group)), sorted([world.ann.id, world.bob.id]), "the members")


@scenario
def group_add(world):
    world.ann.add_member(peer=world.group, user=world.cid.id)
    world.cid.expect("message", "being added", lambda event: event["message"]["service"] == "chat_add")
    world.cid.send_text(peer=world.group, text="hello all")
    for person in (world.ann, world.bob):
        person.expect_text("hello all")


@scenario
def group_title(world):
    world.ann.set_title(peer=world.group, title="All of us")
    world.bob.expect("message", "the title", lambda event: event["message"]["service"] == "chat_title")


@scenario
def group_remove(world):
    world.ann.remove_member(peer=world.group, user=world.cid.id)
    world.bob.expect("message", "the removal", lambda event: event["message"]["service"] == "chat_delete")
    refuses(lambda: world.cid.send_text(peer=world.group, text="still here"), "writing after removal")
    check(world.cid.id not in world.ann.members(peer=world.group), "Cid is a member still")


@scenario
def group_invite(world):
    link = world.ann.export_invite(peer=world.group)["link"]
    equal(world.cid.join(link=link)["peer"], world.group, "the joined group")
    world.ann.expect("message", "the joining", lambda event: event["message"]["service"] == "chat_joined")
    world.tells(world.cid, world.bob, "back again", peer=world.group)


@scenario
def group_leave(world):
    world.cid.leave(peer=world.group)
    world.ann.expect("message", "the leaving", lambda event: event["message"]["service"] == "chat_delete")
    check(world.cid.id not in world.ann.members(peer=world.group), "Cid is a member still")
    refuses(lambda: world.cid.send_text(peer=world.group, text="still here"), "writing after leaving")


# Being away


@scenario
def reconnect(world):
    world.bob.disconnect()
    world.bob.connect()
    equal(world.bob.me()["id"], world.bob.id, "who Bob is")
    world.tells(world.ann, world.bob, "there you are")


@scenario
def catch_up(world):
    words = [f"while you were out {number}" for number in range(3)]
    sent, got = world.tells(world.ann, world.bob, "before you go")
    world.bob.disconnect()
    world.bob.forget_events()
    for line in words:
        world.ann.send_text(peer=world.bob.peer, text=line)
    world.ann.delete(peer=world.bob.peer, ids=[sent["id"]], revoke=True)
    world.bob.connect()
    for line in words:
        world.bob.expect_text(line)
    if world.bob.library.tells_missed_deletions:
        world.bob.expect("deleted", "the deletion", lambda event: got["id"] in event["ids"])
    time.sleep(1)
    check("before you go" not in texts(world.bob.history(peer=world.ann.peer, limit=10)), "Bob has it still")
    for line in words:
        told = world.bob.seen("message", lambda event: event["message"]["text"] == line)
        equal(len(told), 1, f"how often Bob was told {line!r}")


# Several sessions


@scenario
def second_session(world):
    world.second = world.enter("ann-2", like=world.ann)
    result = world.logs_in(world.second, "+" + world.ann.phone)
    equal((result["id"], result["new"]), (world.ann.id, False), "who logged in")
    world.second.id = world.ann.id
    # A new session knows nobody until it has looked.
    world.second.dialogs()
    check(len(world.second.history(peer=world.bob.peer, limit=5)) == 5, "the second session has no history")
    world.tells(world.ann, world.second, "from my other device", peer=world.bob.peer)
    world.bob.expect_text("from my other device")
    _, got = world.tells(world.second, world.ann, "and from this one", peer=world.bob.peer)
    check(got["out"], "one's own message came as another's")
    _, got = world.tells(world.bob, world.second, "to both of you")
    world.ann.expect_text("to both of you")
    world.second.read(peer=world.bob.peer, max_id=got["id"])
    world.ann.expect("read_here", "reading elsewhere", lambda event: event["peer"] == world.bob.peer)


@scenario
def terminate_session(world):
    rows = world.ann.sessions()
    check(len(rows) >= 2 and sum(row["current"] for row in rows) == 1, f"the sessions: {rows}")
    for row in rows:
        if not row["current"]:
            world.ann.terminate(hash=row["hash"])
    refuses(lambda: world.second.sessions(), "the terminated session")
    equal(len(world.ann.sessions()), 1, "the sessions left")
    world.second.end()
    world.second = None


@scenario
def qr_login(world):
    guest = world.enter("ann-qr", like=world.ann)
    guest.connect()
    world.ann.qr_accept(url=guest.qr_start()["url"])
    equal(guest.qr_finish()["id"], world.ann.id, "who is logged in")
    guest.log_out()
    guest.end()


@scenario
def password(world):
    world.ann.set_password(current=None, new="correct horse")
    guest = world.enter("ann-2fa", like=world.ann)
    result = world.logs_in(guest, "+" + world.ann.phone)
    check(result.get("password_needed"), "no password was asked for")
    refuses(lambda: guest.enter_password(password="wrong horse"), "a wrong password")
    equal(guest.enter_password(password="correct horse", timeout=60)["id"], world.ann.id, "who is logged in")
    world.ann.set_password(current="correct horse", new=None, timeout=60)
    guest.log_out()
    guest.end()


@scenario
def log_out(world):
    guest = world.enter("cid-2", like=world.cid)
    world.logs_in(guest, "+" + world.cid.phone)
    before = len(world.cid.sessions())
    guest.log_out()
    equal(len(world.cid.sessions()), before - 1, "the sessions left")
    guest.end()


# A server that dies


def kept(world):
    """All that must be the same before and after a crash."""
    ann, bob = world.ann, world.bob
    return {
        "history": ann.history(peer=bob.peer, limit=50),
        "bob's history": bob.history(peer=ann.peer, limit=50),
        "dialogs": ann.dialogs(),
        "contacts": sorted(ann.contacts()),
        "me": ann.me(),
        "group": world.group and sorted(ann.members(peer=world.group)),
    }


def wakes(person):
    """A call that reaches the restarted server, however long the library waits before it dials again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return person.me(timeout=40)
        except CallFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


@scenario
def server_killed(world):
    before = kept(world)
    world.server.restart()
    for person in (world.ann, world.bob, world.cid):
        wakes(person)
    after = kept(world)
    for what, was in before.items():
        equal(after[what], was, f"{what} after the crash")


@scenario
def after_the_kill(world):
    """What matters once more, against a server that has found everything on disk."""
    text(world)
    world.ann.forget_events(), world.bob.forget_events()
    edit(world)
    read_marks(world)
    username_owner = world.cid.resolve(username="bob_of_havre")
    equal(username_owner["id"], world.bob.id, "the name's owner")
    number, digest = world.first_file
    equal(world.bob.download(peer=world.ann.peer, id=number)["sha256"], digest, "the old file")
    world.bob.forget_events()
    file_small(world)
    world.tells(world.ann, world.bob, "group after the crash", peer=world.group)


@scenario
def killed_while_sending(world):
    """Every acknowledged message is there exactly once, in both boxes; none is there twice."""
    ann, bob = world.ann, world.bob
    thread = world.server.kill_in(0.4)
    acknowledged = []
    for number in range(60):
        line = f"storm {number}"
        try:
            ann.send_text(peer=bob.peer, text=line, timeout=60)
            acknowledged.append(line)
        except CallFailed:
            pass  # Not acknowledged: it may be there or not, but not twice.
    thread.join()
    wakes(bob)
    check(len(acknowledged) > 10, f"only {len(acknowledged)} of 60 messages were acknowledged")
    deadline = time.monotonic() + 20
    while True:
        boxes = [texts(ann.history(peer=bob.peer, limit=80)), texts(bob.history(peer=ann.peer, limit=80))]
        missing = [line for line in acknowledged for box in boxes if line not in box]
        if not missing or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    equal(missing, [], "acknowledged and lost")
    for box in boxes:
        twice = sorted({line for line in box if line.startswith("storm") and box.count(line) > 1})
        equal(twice, [], "there twice")

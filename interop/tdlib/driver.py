"""A person who uses TDLib; see ../README.md for the lines that go in and out."""

import asyncio
import collections
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import traceback

from td import Client, Library, TdError

# TDLib's ids of messages are the server's, so many bits higher.
MESSAGE_ID_SHIFT = 20

# What `loadChats` fails with once all of them are there.
NOTHING_LEFT = 404

BLOCKED = {"@type": "blockListMain"}

# How often one looks whether something has happened of which nothing tells.
POLL_S = 0.05

SERVICE_NAMES = {
    "messageBasicGroupChatCreate": "chat_create",
    "messageChatAddMembers": "chat_add",
    "messageChatDeleteMember": "chat_delete",
    "messageChatChangeTitle": "chat_title",
    "messageChatJoinByLink": "chat_joined",
}
CONTENT_NAMES = {"messagePhoto": "photo", "messageDocument": "document"}


def emit(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def peer_name(chat_id):
    return f"user:{chat_id}" if chat_id > 0 else f"chat:{-chat_id}"


def wire_id(message_id):
    return message_id >> MESSAGE_ID_SHIFT


def long_id(message_id):
    return message_id << MESSAGE_ID_SHIFT


def sender_name(sender):
    return peer_name(sender.get("user_id") or sender.get("chat_id"))


def describe(message):
    content = message["content"]
    kind = content["@type"]
    plain = kind == "messageText" or kind in CONTENT_NAMES
    text = content.get("text") or content.get("caption") or {"text": ""}
    reply = message.get("reply_to") or {}
    return {
        "id": wire_id(message["id"]),
        "peer": peer_name(message["chat_id"]),
        "from": None if message["is_outgoing"] else sender_name(message["sender_id"]),
        "out": message["is_outgoing"],
        "text": text["text"] if plain else "",
        "reply_to": wire_id(reply["message_id"]) if reply.get("message_id") else None,
        "edited": message["edit_date"] > 0,
        "media": CONTENT_NAMES.get(kind),
        "album": message["media_album_id"] if message["media_album_id"] != "0" else None,
        "service": None if plain else SERVICE_NAMES.get(kind, kind),
    }


def describe_user(user):
    names = (user.get("usernames") or {}).get("active_usernames") or [None]
    return {
        "id": user["id"],
        "first_name": user["first_name"],
        "last_name": user["last_name"] or None,
        "username": names[0],
        "phone": user["phone_number"] or None,
        "photo": user.get("profile_photo") is not None,
    }


def formatted(text):
    return {"@type": "formattedText", "text": text, "entities": []}


def text_content(text):
    return {"@type": "inputMessageText", "text": formatted(text)}


def local_file(path):
    return {"@type": "inputFileLocal", "path": path}


def photo_content(path, caption=""):
    photo = {"@type": "inputPhoto", "photo": local_file(path), "width": 320, "height": 200}
    return {"@type": "inputMessagePhoto", "photo": photo, "caption": formatted(caption)}


def file_of(content):
    """The file of a message, in its best size."""
    if content["@type"] == "messagePhoto":
        return content["photo"]["sizes"][-1]["photo"]
    return content["document"]["document"]


class Driver:
    def __init__(self):
        self.library = Library(os.environ["HAVRE_APP"], int(os.environ.get("HAVRE_DRIVER_LOG", 1)))
        self.folder = tempfile.TemporaryDirectory(prefix="havre-interop-tdlib-")
        self.client = None
        # Chats that are looked at.
        self.opened = set()
        # What became of messages that were sent, by the ids that they had before.
        self.sent = collections.defaultdict(asyncio.get_running_loop().create_future)

    async def call(self, kind, **arguments):
        return await self.client.call(kind, **arguments)

    # What TDLib reports

    def on_update(self, update):
        handler = getattr(self, "on_" + update["@type"].removeprefix("update"), None)
        if handler:
            handler(update)

    def on_NewMessage(self, update):
        if not update["message"].get("sending_state"):
            emit({"event": "message", "message": describe(update["message"])})

    def on_MessageEdited(self, update):
        asyncio.ensure_future(self.tell_edited(update["chat_id"], update["message_id"]))

    async def tell_edited(self, chat_id, message_id):
        message = await self.call("getMessage", chat_id=chat_id, message_id=message_id)
        emit({"event": "edited", "message": describe(message)})

    def on_MessageSendSucceeded(self, update):
        self.sent[update["old_message_id"]].set_result(update["message"])

    def on_MessageSendFailed(self, update):
        self.sent[update["old_message_id"]].set_exception(TdError(update["error"]))

    def on_DeleteMessages(self, update):
        if update["is_permanent"] and not update["from_cache"]:
            emit({"event": "deleted", "ids": [wire_id(number) for number in update["message_ids"]]})

    def on_ChatReadOutbox(self, update):
        max_id = wire_id(update["last_read_outbox_message_id"])
        emit({"event": "read", "peer": peer_name(update["chat_id"]), "max_id": max_id})

    def on_ChatReadInbox(self, update):
        max_id = wire_id(update["last_read_inbox_message_id"])
        emit({"event": "read_here", "peer": peer_name(update["chat_id"]), "max_id": max_id})

    def on_ChatAction(self, update):
        if update["action"]["@type"] == "chatActionTyping":
            user = sender_name(update["sender_id"])
            emit({"event": "typing", "peer": peer_name(update["chat_id"]), "user": user})

    # Connection and login

    async def do_connect(self):
        self.client = Client(self.library, self.on_update)
        self.opened = set()
        await self.client.reaches("WaitTdlibParameters")
        await self.call(
            "setTdlibParameters",
            database_directory=self.folder.name,
            use_file_database=True,
            use_chat_info_database=True,
            use_message_database=True,
            api_id=1,
            api_hash="any",
            system_language_code="en",
            device_model="test",
            application_version="1",
        )
        await self.client.reaches("WaitPhoneNumber", "Ready")

    async def do_disconnect(self):
        await self.call("close")
        await self.client.reaches("Closed")

    async def do_send_code(self, phone):
        await self.call("setAuthenticationPhoneNumber", phone_number=phone)
        await self.client.reaches("WaitCode")

    async def do_enter_code(self, code, first_name="", last_name=""):
        await self.call("checkAuthenticationCode", code=code)
        state = await self.client.reaches("WaitRegistration", "WaitPassword", "Ready")
        if state["@type"] == "authorizationStateWaitPassword":
            return {"password_needed": True}
        is_new = state["@type"] == "authorizationStateWaitRegistration"
        if is_new:
            await self.call("registerUser", first_name=first_name, last_name=last_name)
        return {"id": await self.logged_in(), "new": is_new}

    async def logged_in(self):
        await self.client.reaches("Ready")
        return (await self.call("getMe"))["id"]

    async def do_enter_password(self, password):
        await self.call("checkAuthenticationPassword", password=password)
        return {"id": await self.logged_in(), "new": False}

    async def do_log_out(self):
        await self.call("logOut")
        await self.client.reaches("Closed")

    async def do_qr_start(self):
        await self.call("requestQrCodeAuthentication")
        return {"url": (await self.client.reaches("WaitOtherDeviceConfirmation"))["link"]}

    async def do_qr_finish(self):
        return {"id": await self.logged_in()}

    async def do_qr_accept(self, url):
        await self.call("confirmQrCodeAuthentication", link=url)

    async def do_set_password(self, current, new):
        hint = "a hint" if new else ""
        await self.call("setPassword", old_password=current or "", new_password=new or "", new_hint=hint)

    async def do_sessions(self):
        found = (await self.call("getActiveSessions"))["sessions"]
        return [{"hash": session["id"], "current": session["is_current"]} for session in found]

    async def do_terminate(self, hash):
        await self.call("terminateSession", session_id=hash)

    # People

    async def do_me(self):
        return describe_user(await self.call("getMe"))

    async def do_user(self, id):
        full = await self.call("getUserFullInfo", user_id=id)
        about = (full.get("bio") or {}).get("text")
        return {**describe_user(await self.call("getUser", user_id=id)), "about": about}

    async def do_import_contact(self, phone, first_name):
        contact = {"@type": "importedContact", "phone_number": phone, "first_name": first_name}
        found = (await self.call("importContacts", contacts=[contact]))["user_ids"]
        return {"id": found[0] or None}

    async def do_contacts(self):
        return (await self.call("getContacts"))["user_ids"]

    async def do_resolve(self, username):
        return {"id": (await self.call("searchPublicChat", username=username))["id"]}

    async def do_update_profile(self, first_name, about):
        await self.call("setName", first_name=first_name)
        await self.call("setBio", bio=about)

    async def do_set_username(self, username):
        await self.call("setUsername", username=username)

    async def do_set_photo(self, path):
        await self.call("setProfilePhoto", photo={"@type": "inputChatPhotoStatic", "photo": local_file(path)})

    async def do_download_photo(self, id):
        user = await self.call("getUser", user_id=id)
        return {"size": len(await self.fetched(user["profile_photo"]["big"]))}

    async def do_block(self, id, blocked):
        sender = {"@type": "messageSenderUser", "user_id": id}
        block_list = BLOCKED if blocked else None
        await self.call("setMessageSenderBlockList", sender_id=sender, block_list=block_list)
        # TDLib answers before it has told the server.
        while (id in await self.blocked()) != blocked:
            await asyncio.sleep(POLL_S)

    async def blocked(self):
        found = await self.call("getBlockedMessageSenders", block_list=BLOCKED, limit=100)
        return [sender["user_id"] for sender in found["senders"]]

    # Messages

    async def chat(self, peer):
        """The id of a chat that is looked at from here on: of others TDLib does not tell who types."""
        chat = await self.known_chat(peer)
        if chat not in self.opened:
            self.opened.add(chat)
            await self.call("openChat", chat_id=chat)
        return chat

    async def known_chat(self, peer):
        kind, number = peer.split(":")
        if kind == "user":
            return (await self.call("createPrivateChat", user_id=int(number)))["id"]
        return (await self.call("createBasicGroupChat", basic_group_id=int(number)))["id"]

    async def settled(self, message):
        """A message as it is once it is sent."""
        if message.get("sending_state"):
            message = await self.sent[message["id"]]
        return describe(message)

    async def send(self, peer, content, reply_to=None):
        chat = await self.chat(peer)
        reply = {"@type": "inputMessageReplyToMessage", "message_id": long_id(reply_to)} if reply_to else None
        sent = await self.call("sendMessage", chat_id=chat, reply_to=reply, input_message_content=content)
        return await self.settled(sent)

    async def do_send_text(self, peer, text, reply_to=None):
        return await self.send(peer, text_content(text), reply_to)

    async def do_edit(self, peer, id, text):
        chat = await self.chat(peer)
        content = text_content(text)
        return describe(
            await self.call("editMessageText", chat_id=chat, message_id=long_id(id), input_message_content=content)
        )

    async def do_delete(self, peer, ids, revoke):
        long_ids = [long_id(number) for number in ids]
        await self.call("deleteMessages", chat_id=await self.chat(peer), message_ids=long_ids, revoke=revoke)

    async def do_forward(self, source, ids, peer):
        sent = await self.call(
            "forwardMessages",
            chat_id=await self.chat(peer),
            from_chat_id=await self.chat(source),
            message_ids=[long_id(number) for number in ids],
        )
        return [await self.settled(message) for message in sent["messages"]]

    async def do_read(self, peer, max_id):
        chat = await self.chat(peer)
        await self.call("viewMessages", chat_id=chat, message_ids=[long_id(max_id)], force_read=True)

    async def do_typing(self, peer):
        await self.call("sendChatAction", chat_id=await self.chat(peer), action={"@type": "chatActionTyping"})

    async def do_history(self, peer, limit, offset_id=0):
        chat, found, offset = await self.chat(peer), [], long_id(offset_id)
        # An answer may hold fewer than there are, above all the first one, which comes from what is known here.
        while len(found) < limit:
            wanted = limit - len(found)
            page = await self.call("getChatHistory", chat_id=chat, from_message_id=offset, offset=0, limit=wanted)
            if not page["messages"]:
                break
            found += page["messages"]
            offset = found[-1]["id"]
        return [describe(message) for message in found]

    async def do_search(self, peer, query):
        chat = await self.chat(peer)
        found = await self.call("searchChatMessages", chat_id=chat, query=query, limit=100)
        return [describe(message) for message in found["messages"]]

    async def chats(self):
        try:
            while True:
                await self.call("loadChats", limit=100)
        except TdError as error:
            if error.code != NOTHING_LEFT:
                raise
        numbers = (await self.call("getChats", limit=1000))["chat_ids"]
        return [await self.call("getChat", chat_id=number) for number in numbers]

    async def do_dialogs(self):
        rows = [(chat, chat.get("last_message")) for chat in await self.chats()]
        return [
            {"peer": peer_name(chat["id"]), "unread": chat["unread_count"], "top": top and wire_id(top["id"])}
            for chat, top in rows
        ]

    async def do_save_draft(self, peer, text):
        content = {"@type": "draftMessageContentText", "text": formatted(text)}
        draft = {"@type": "draftMessage", "content": content} if text else None
        # A list that is on the way would bring the old draft back.
        await self.chats()
        chat = await self.known_chat(peer)
        # While one looks at a chat, its draft is what one is writing.
        if chat in self.opened:
            self.opened.remove(chat)
            await self.call("closeChat", chat_id=chat)
        await self.call("setChatDraftMessage", chat_id=chat, draft_message=draft)

    async def do_drafts(self):
        drafts = [(chat, chat.get("draft_message")) for chat in await self.chats()]
        return [
            {"peer": peer_name(chat["id"]), "text": draft["content"]["text"]["text"]} for chat, draft in drafts if draft
        ]

    # Files

    async def do_send_file(self, peer, path):
        document = {"@type": "inputDocument", "document": local_file(path), "disable_content_type_detection": True}
        return await self.send(peer, {"@type": "inputMessageDocument", "document": document})

    async def do_send_photo(self, peer, path, caption):
        return await self.send(peer, photo_content(path, caption))

    async def do_send_album(self, peer, paths):
        contents = [photo_content(path) for path in paths]
        sent = await self.call("sendMessageAlbum", chat_id=await self.chat(peer), input_message_contents=contents)
        return [await self.settled(message) for message in sent["messages"]]

    async def do_download(self, peer, id):
        message = await self.call("getMessage", chat_id=await self.chat(peer), message_id=long_id(id))
        data = await self.fetched(file_of(message["content"]))
        return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    async def fetched(self, file):
        done = await self.call("downloadFile", file_id=file["id"], priority=32, synchronous=True)
        path = pathlib.Path(done["local"]["path"])
        data = path.read_bytes()
        # The next one is fetched from the server again.
        await self.call("deleteFile", file_id=file["id"])
        return data

    # Groups

    async def do_create_group(self, title, users):
        made = await self.call("createNewBasicGroupChat", user_ids=users, title=title)
        return {"peer": peer_name(made["chat_id"])}

    async def do_add_member(self, peer, user):
        await self.call("addChatMember", chat_id=await self.chat(peer), user_id=user, forward_limit=100)

    async def do_remove_member(self, peer, user):
        member = {"@type": "messageSenderUser", "user_id": user}
        left = {"@type": "chatMemberStatusLeft"}
        await self.call("setChatMemberStatus", chat_id=await self.chat(peer), member_id=member, status=left)

    async def do_leave(self, peer):
        await self.call("leaveChat", chat_id=await self.chat(peer))

    async def do_set_title(self, peer, title):
        await self.call("setChatTitle", chat_id=await self.chat(peer), title=title)

    async def do_members(self, peer):
        full = await self.call("getBasicGroupFullInfo", basic_group_id=int(peer.split(":")[1]))
        return [member["member_id"]["user_id"] for member in full["members"]]

    async def do_export_invite(self, peer):
        return {"link": (await self.call("createChatInviteLink", chat_id=await self.chat(peer)))["invite_link"]}

    async def do_join(self, link):
        joined = await self.call("joinChatByInviteLink", invite_link=link)
        return {"peer": peer_name(joined.get("chat_id") or joined["id"])}


async def perform(driver, line):
    request = json.loads(line)
    call, deed = request.pop("call"), request.pop("do")
    method = getattr(driver, "do_" + deed, None)
    if method is None:
        return emit({"call": call, "unsupported": True})
    try:
        emit({"call": call, "ok": await method(**request)})
    except Exception as error:
        traceback.print_exc()
        emit({"call": call, "error": f"{type(error).__name__}: {error}"})


async def main():
    driver = Driver()
    loop = asyncio.get_running_loop()
    tasks = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = loop.create_task(perform(driver, line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    driver.folder.cleanup()


asyncio.run(main())

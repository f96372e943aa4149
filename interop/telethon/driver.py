"""A person who uses Telethon; see ../README.md for the lines that go in and out."""

import asyncio
import base64
import hashlib
import json
import logging
import os
import sys
import traceback

from telethon import TelegramClient, errors, events, functions, types, utils
from telethon.crypto import rsa
from telethon.sessions import StringSession

API_ID, API_HASH = 1, "0" * 32

SERVICE_NAMES = {
    types.MessageActionChatCreate: "chat_create",
    types.MessageActionChatAddUser: "chat_add",
    types.MessageActionChatDeleteUser: "chat_delete",
    types.MessageActionChatEditTitle: "chat_title",
    types.MessageActionChatJoinedByLink: "chat_joined",
}


def emit(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def peer_name(peer):
    if isinstance(peer, types.PeerUser):
        return f"user:{peer.user_id}"
    if isinstance(peer, types.PeerChat):
        return f"chat:{peer.chat_id}"
    return None if peer is None else f"channel:{peer.channel_id}"


def peer_of(name):
    kind, number = name.split(":")
    return types.PeerUser(int(number)) if kind == "user" else types.PeerChat(int(number))


def service_name(message):
    if message.action is None:
        return None
    return SERVICE_NAMES.get(type(message.action), type(message.action).__name__)


def describe(message):
    return {
        "id": message.id,
        "peer": peer_name(message.peer_id),
        "from": peer_name(message.from_id or message.peer_id) if not message.out else None,
        "out": bool(message.out),
        "text": message.message or "",
        "reply_to": message.reply_to_msg_id,
        "edited": message.edit_date is not None,
        "media": "photo" if message.photo else "document" if message.document else None,
        "album": str(message.grouped_id) if message.grouped_id else None,
        "service": service_name(message),
    }


class Driver:
    def __init__(self):
        with open(os.environ["HAVRE_KEY"]) as file:
            rsa.add_key(file.read(), old=False)
        self.client = None
        self.phone = None
        self.qr = None

    def new_client(self):
        session = StringSession()
        session.set_dc(int(os.environ["HAVRE_DC"]), os.environ["HAVRE_HOST"], int(os.environ["HAVRE_PORT"]))
        client = TelegramClient(
            session, API_ID, API_HASH, connection_retries=120, catch_up=True, sequential_updates=True
        )
        client.add_event_handler(self.on_message, events.NewMessage())
        client.add_event_handler(self.on_edited, events.MessageEdited())
        client.add_event_handler(self.on_raw, events.Raw())
        return client

    async def on_message(self, event):
        emit({"event": "message", "message": describe(event.message)})

    async def on_edited(self, event):
        emit({"event": "edited", "message": describe(event.message)})

    async def on_raw(self, update):
        if isinstance(update, types.UpdateNewMessage) and isinstance(update.message, types.MessageService):
            update.message._finish_init(self.client, {}, None)
            emit({"event": "message", "message": describe(update.message)})
        elif isinstance(update, types.UpdateDeleteMessages):
            emit({"event": "deleted", "ids": update.messages})
        elif isinstance(update, types.UpdateReadHistoryOutbox):
            emit({"event": "read", "peer": peer_name(update.peer), "max_id": update.max_id})
        elif isinstance(update, types.UpdateReadHistoryInbox):
            emit({"event": "read_here", "peer": peer_name(update.peer), "max_id": update.max_id})
        elif isinstance(update, types.UpdateUserTyping):
            user = f"user:{update.user_id}"
            emit({"event": "typing", "peer": user, "user": user})
        elif isinstance(update, types.UpdateChatUserTyping):
            emit({"event": "typing", "peer": f"chat:{update.chat_id}", "user": peer_name(update.from_id)})

    async def input(self, peer):
        return await self.client.get_input_entity(peer_of(peer))

    # Connection and login

    async def do_connect(self):
        if self.client is None:
            self.client = self.new_client()
        await self.client.connect()

    async def do_disconnect(self):
        await self.client.disconnect()

    async def do_send_code(self, phone):
        self.phone = phone
        await self.client.send_code_request(phone)

    async def do_enter_code(self, code, first_name="", last_name=""):
        phone, code_hash = self.client._parse_phone_and_hash(self.phone, None)
        try:
            user = await self.client.sign_in(self.phone, code)
        except errors.SessionPasswordNeededError:
            return {"password_needed": True}
        except errors.PhoneNumberUnoccupiedError:
            request = functions.auth.SignUpRequest(phone, code_hash, first_name, last_name)
            user = await self.client._on_login((await self.client(request)).user)
            return {"id": user.id, "new": True}
        return {"id": user.id, "new": False}

    async def do_enter_password(self, password):
        user = await self.client.sign_in(password=password)
        return {"id": user.id, "new": False}

    async def do_log_out(self):
        await self.client.log_out()

    async def do_qr_start(self):
        self.qr = await self.client.qr_login()
        self.qr_wait = asyncio.ensure_future(self.qr.wait(timeout=30))
        await asyncio.sleep(0)
        return {"url": self.qr.url}

    async def do_qr_finish(self):
        return {"id": (await self.qr_wait).id}

    async def do_qr_accept(self, url):
        token = url.split("token=")[1]
        await self.client(functions.auth.AcceptLoginTokenRequest(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))

    async def do_set_password(self, current, new):
        await self.client.edit_2fa(current_password=current, new_password=new, hint="a hint")

    async def do_sessions(self):
        answer = await self.client(functions.account.GetAuthorizationsRequest())
        return [{"hash": str(a.hash), "current": bool(a.current)} for a in answer.authorizations]

    async def do_terminate(self, hash):
        await self.client(functions.account.ResetAuthorizationRequest(int(hash)))

    # People

    async def do_me(self):
        return self.describe_user(await self.client.get_me())

    def describe_user(self, user):
        return {
            "id": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "username": user.username,
            "phone": user.phone,
            "photo": user.photo is not None and not isinstance(user.photo, types.UserProfilePhotoEmpty),
        }

    async def do_user(self, id):
        full = await self.client(functions.users.GetFullUserRequest(await self.input(f"user:{id}")))
        user = next(user for user in full.users if user.id == id)
        return self.describe_user(user) | {"about": full.full_user.about}

    async def do_import_contact(self, phone, first_name):
        contact = types.InputPhoneContact(client_id=0, phone=phone, first_name=first_name, last_name="")
        answer = await self.client(functions.contacts.ImportContactsRequest([contact]))
        return {"id": answer.imported[0].user_id if answer.imported else None}

    async def do_contacts(self):
        answer = await self.client(functions.contacts.GetContactsRequest(0))
        return [user.id for user in answer.users]

    async def do_resolve(self, username):
        return {"id": (await self.client.get_entity(username)).id}

    async def do_update_profile(self, first_name, about):
        await self.client(functions.account.UpdateProfileRequest(first_name=first_name, about=about))

    async def do_set_username(self, username):
        await self.client(functions.account.UpdateUsernameRequest(username))

    async def do_set_photo(self, path):
        file = await self.client.upload_file(path)
        await self.client(functions.photos.UploadProfilePhotoRequest(file=file))

    async def do_download_photo(self, id):
        user = await self.client.get_entity(peer_of(f"user:{id}"))
        data = await self.client.download_profile_photo(user, file=bytes)
        return {"size": len(data or b"")}

    async def do_block(self, id, blocked):
        request = functions.contacts.BlockRequest if blocked else functions.contacts.UnblockRequest
        await self.client(request(await self.input(f"user:{id}")))

    # Messages

    async def do_send_text(self, peer, text, reply_to=None):
        return describe(await self.client.send_message(await self.input(peer), text, reply_to=reply_to))

    async def do_edit(self, peer, id, text):
        return describe(await self.client.edit_message(await self.input(peer), id, text))

    async def do_delete(self, peer, ids, revoke):
        await self.client.delete_messages(await self.input(peer), ids, revoke=revoke)

    async def do_forward(self, source, ids, peer):
        sent = await self.client.forward_messages(await self.input(peer), ids, await self.input(source))
        return [describe(message) for message in sent]

    async def do_read(self, peer, max_id):
        await self.client.send_read_acknowledge(await self.input(peer), max_id=max_id)

    async def do_typing(self, peer):
        await self.client(functions.messages.SetTypingRequest(await self.input(peer), types.SendMessageTypingAction()))

    async def do_history(self, peer, limit, offset_id=0):
        found = await self.client.get_messages(await self.input(peer), limit=limit, offset_id=offset_id)
        return [describe(message) for message in found]

    async def do_search(self, peer, query):
        found = await self.client.get_messages(await self.input(peer), limit=100, search=query)
        return [describe(message) for message in found]

    async def do_dialogs(self):
        dialogs = await self.client.get_dialogs()
        return [
            {"peer": peer_name(dialog.dialog.peer), "unread": dialog.unread_count, "top": dialog.dialog.top_message}
            for dialog in dialogs
        ]

    async def do_save_draft(self, peer, text):
        await self.client(functions.messages.SaveDraftRequest(await self.input(peer), text))

    async def do_drafts(self):
        drafts = await self.client.get_drafts()
        return [{"peer": peer_name(utils.get_peer(d.input_entity)), "text": d.text} for d in drafts if d.text]

    # Files

    async def do_send_file(self, peer, path):
        sent = await self.client.send_file(await self.input(peer), path, force_document=True)
        return describe(sent)

    async def do_send_photo(self, peer, path, caption):
        return describe(await self.client.send_file(await self.input(peer), path, caption=caption))

    async def do_send_album(self, peer, paths):
        sent = await self.client.send_file(await self.input(peer), paths)
        return [describe(message) for message in sent]

    async def do_download(self, peer, id):
        message = await self.client.get_messages(await self.input(peer), ids=id)
        data = await self.client.download_media(message, file=bytes)
        return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    # Groups

    async def do_create_group(self, title, users):
        inputs = [await self.input(f"user:{user}") for user in users]
        answer = await self.client(functions.messages.CreateChatRequest(users=inputs, title=title))
        return {"peer": f"chat:{answer.updates.chats[0].id}"}

    async def do_add_member(self, peer, user):
        request = functions.messages.AddChatUserRequest(peer_of(peer).chat_id, await self.input(f"user:{user}"), 100)
        await self.client(request)

    async def do_remove_member(self, peer, user):
        await self.client(functions.messages.DeleteChatUserRequest(peer_of(peer).chat_id, await self.input(f"user:{user}")))

    async def do_leave(self, peer):
        await self.client(functions.messages.DeleteChatUserRequest(peer_of(peer).chat_id, types.InputUserSelf()))

    async def do_set_title(self, peer, title):
        await self.client(functions.messages.EditChatTitleRequest(peer_of(peer).chat_id, title))

    async def do_members(self, peer):
        return [user.id for user in await self.client.get_participants(await self.input(peer))]

    async def do_export_invite(self, peer):
        invite = await self.client(functions.messages.ExportChatInviteRequest(await self.input(peer)))
        return {"link": invite.link}

    async def do_join(self, link):
        code, _ = utils.parse_username(link)
        answer = await self.client(functions.messages.ImportChatInviteRequest(code))
        updates = getattr(answer, "updates", answer)
        return {"peer": f"chat:{updates.chats[0].id}"}


async def perform(driver, request):
    number, name = request.pop("call"), request.pop("do")
    deed = getattr(driver, f"do_{name}", None)
    if deed is None:
        emit({"call": number, "unsupported": True})
        return
    try:
        emit({"call": number, "ok": await deed(**request)})
    except Exception as error:
        traceback.print_exc()
        emit({"call": number, "error": f"{type(error).__name__}: {error}"})


async def main():
    driver = Driver()
    loop = asyncio.get_running_loop()
    # A task that nobody holds may be collected before it ends.
    deeds = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        deed = asyncio.ensure_future(perform(driver, json.loads(line)))
        deeds.add(deed)
        deed.add_done_callback(deeds.discard)


# As for mtcute: from 1 (errors) to 5 (everything).
logging.basicConfig(level=60 - 10 * int(os.environ.get("HAVRE_DRIVER_LOG", 2)))
asyncio.run(main())

"""TDLib by its JSON interface: requests and updates of one account."""

import asyncio
import ctypes
import json
import threading

RECEIVE_TIMEOUT_S = 1.0


class TdError(Exception):
    """What TDLib answers instead of a result."""

    def __init__(self, error):
        self.code = error["code"]
        super().__init__(f"{error['code']} {error['message']}")


class Library:
    """The shared library; one for the process, as it gives all clients' news in one place."""

    def __init__(self, path, verbosity):
        self.native = ctypes.CDLL(path)
        self.native.td_create_client_id.restype = ctypes.c_int
        self.native.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
        self.native.td_receive.argtypes = [ctypes.c_double]
        self.native.td_receive.restype = ctypes.c_char_p
        self.native.td_execute.argtypes = [ctypes.c_char_p]
        self.native.td_execute.restype = ctypes.c_char_p
        self.execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": verbosity})
        self.clients = {}
        self.loop = asyncio.get_running_loop()
        threading.Thread(target=self.listen, daemon=True).start()

    def execute(self, request):
        self.native.td_execute(json.dumps(request).encode())

    def listen(self):
        while True:
            line = self.native.td_receive(RECEIVE_TIMEOUT_S)
            if line:
                self.loop.call_soon_threadsafe(self.give, json.loads(line))

    def give(self, said):
        client = self.clients.get(said.pop("@client_id"))
        if client:
            client.heard(said)


class Client:
    """One TDLib instance: `await client.call("getMe")`, and every update to `on_update`."""

    def __init__(self, library, on_update):
        self.library = library
        self.on_update = on_update
        self.number = 0
        self.waiting = {}
        self.state = None
        self.state_changed = asyncio.Event()
        self.id = library.native.td_create_client_id()
        library.clients[self.id] = self
        # An instance begins with its first request.
        self.send({"@type": "getOption", "name": "version"})

    def send(self, request):
        self.library.native.td_send(self.id, json.dumps(request).encode())

    async def call(self, kind, **arguments):
        self.number += 1
        answer = self.waiting[self.number] = self.library.loop.create_future()
        self.send({"@type": kind, "@extra": self.number, **arguments})
        return await answer

    def heard(self, said):
        number = said.pop("@extra", None)
        if number is not None:
            answer = self.waiting.pop(number)
            if said["@type"] == "error":
                answer.set_exception(TdError(said))
            else:
                answer.set_result(said)
            return
        if said["@type"] == "updateAuthorizationState":
            self.state = said["authorization_state"]
            self.state_changed.set()
        self.on_update(said)

    async def reaches(self, *kinds):
        """Waits until the authorization state is one of these; gives it."""
        while self.state is None or self.state["@type"].removeprefix("authorizationState") not in kinds:
            self.state_changed.clear()
            await self.state_changed.wait()
        return self.state

"""A server of ours that speaks Telegram's Bot API by its documentation, core.telegram.org/bots/api.

What it does not do is what the documentation does not say: it was never compared with Telegram
itself. A test writes and presses as a person would, and reads what the chat then shows.
"""

import email
import email.policy
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

TOKEN = "4711:decoy-AAHfiqksKZ8WmR2zSjiQ7"
NAME = "tickhouse_test_bot"
BOT_ID = 4711
Fields = dict[str, Any]


class RefusedError(Exception):
    """An answer with `ok` false."""

    def __init__(self, code: int, text: str, wait_s: int = 0) -> None:
        self.code, self.text, self.wait_s = code, text, wait_s


class Shown(NamedTuple):
    """A message as the chat shows it."""

    chat: int
    number: int
    text: str
    buttons: dict[str, str]  # label: what it carries
    picture: bytes


class TelegramServer:
    """One bot's server. A context manager; `url` is what `bot.server` names.

    chats: that exist; `blocked`: those that blocked the bot. `away`: connections end unanswered.
    """

    def __init__(self, chats: tuple[int, ...] = (100,), token: str = TOKEN) -> None:
        self.chats, self.blocked, self.away = set(chats), set[int](), False
        self.shown: dict[int, Shown] = {}
        self.written: dict[int, str] = {}  # by people, by number of the message
        self.answered: list[str] = []
        self.calls: list[str] = []
        self.refusals: list[RefusedError] = []  # the next calls but getUpdates get these
        self._updates: list[Fields] = []
        self._pressed: set[str] = set()
        self._next = {"update": 900_000, "message": 1, "press": 1, "poll": 0}
        self._changed = threading.Condition()
        self._token = token
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if server.is_away():
                    self.cut()
                    return
                fields = _fields(self.headers.get("Content-Type", ""), body)
                status, answer = server._handled(self.path, fields)
                if server.is_away():
                    self.cut()
                    return
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def cut(self) -> None:
                """The network was lost: no answer."""
                self.close_connection = True
                self.connection.close()

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "TelegramServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._next["poll"] += 1
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- what people do ------------------------------------------------------------------

    def write(self, text: str, person: int = 1, chat: int = 100, ago_s: float = 0.0) -> Fields:
        """A person writes; the update, which `repeat` can send again."""
        message = {
            "message_id": self._number("message"), "date": int(time.time() - ago_s), "text": text,
            "chat": {"id": chat, "type": "private", "first_name": "p"},
            "from": {"id": person, "is_bot": False, "first_name": "p"},
        }  # fmt: skip
        self.written[message["message_id"]] = text
        return self._came({"update_id": self._number("update"), "message": message})

    def press(self, label: str, person: int = 1, chat: int = 100) -> Fields:
        """A person presses the newest button of that label."""
        shown = [m for m in self.shown.values() if m.chat == chat and label in m.buttons][-1]
        return self.press_data(shown.buttons[label], person, chat, shown.number)

    def press_data(self, data: str, person: int, chat: int, message: int) -> Fields:
        """Somebody sends what a button carries."""
        name = str(self._number("press"))
        self._pressed.add(name)
        pressed = {
            "id": name, "chat_instance": "1", "data": data,
            "from": {"id": person, "is_bot": False, "first_name": "p"},
            "message": self._message(chat, message, "..."),
        }  # fmt: skip
        return self._came({"update_id": self._number("update"), "callback_query": pressed})

    def repeat(self, update: Fields) -> None:
        """Send an update again, whatever was confirmed."""
        self._came({**update, "again": True})

    def is_away(self) -> bool:
        """Whether nobody gets an answer."""
        return self.away

    def lose(self) -> None:
        """From now on, also for who waits for updates."""
        with self._changed:
            self.away = True
            self._changed.notify_all()

    def texts(self, chat: int = 100) -> list[str]:
        """What a chat shows."""
        return [shown.text for shown in list(self.shown.values()) if shown.chat == chat]

    def until(self, wanted: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until something of the above holds."""
        with self._changed:
            assert self._changed.wait_for(wanted, timeout_s), (self.texts(), self.calls[-5:])

    # -- what the bot asks ---------------------------------------------------------------

    def _handled(self, path: str, fields: Fields) -> tuple[int, Fields]:
        try:
            return 200, {"ok": True, "result": self._result(path, fields)}
        except RefusedError as error:
            more = {"parameters": {"retry_after": error.wait_s}} if error.wait_s else {}
            refused = {"ok": False, "error_code": error.code, "description": error.text}
            return error.code, refused | more

    def _result(self, path: str, fields: Fields) -> Any:
        token, _, method = path.removeprefix("/bot").partition("/")
        if token != self._token:
            raise RefusedError(401, "Unauthorized")
        with self._changed:
            self.calls.append(method)
        answers = {
            "getMe": self._get_me, "getUpdates": self._get_updates,
            "sendMessage": self._send_message, "sendPhoto": self._send_photo,
            "editMessageText": self._edit, "answerCallbackQuery": self._answer,
        }  # fmt: skip
        if method not in answers:
            raise RefusedError(404, "Not Found")
        if self.refusals and method != "getUpdates":
            raise self.refusals.pop(0)
        return answers[method](fields)

    def _get_me(self, _: Fields) -> Fields:
        return {"id": BOT_ID, "is_bot": True, "first_name": "Tickhouse", "username": NAME}

    def _get_updates(self, fields: Fields) -> list[Fields]:
        """Long polling; an offset confirms all before it; a second caller ends the first."""
        deadline = time.monotonic() + float(fields.get("timeout", 0))
        with self._changed:
            self._next["poll"] += 1
            mine = self._next["poll"]
            self._changed.notify_all()
            offset = int(fields.get("offset", 0))
            self._updates = [u for u in self._updates if not offset or u["update_id"] >= offset
                             or u.get("again")]  # fmt: skip
            while not self._updates and not self.away:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return []
                if self._next["poll"] != mine:
                    text = "Conflict: terminated by other getUpdates request"
                    raise RefusedError(409, text)
            sent = self._updates[:100]
            self._updates = [u for u in self._updates if not u.pop("again", False)]
            return sent

    def _send_message(self, fields: Fields) -> Fields:
        text = fields.get("text", "")
        if not text.strip():
            raise RefusedError(400, "Bad Request: message text is empty")
        if len(text) > 4096:
            raise RefusedError(400, "Bad Request: message is too long")
        return self._show(fields, text, b"")

    def _send_photo(self, fields: Fields) -> Fields:
        photo = fields.get("photo")
        if isinstance(photo, str) and photo.startswith("attach://"):
            photo = fields.get(photo.removeprefix("attach://"))
        if not isinstance(photo, bytes) or not photo:
            raise RefusedError(400, "Bad Request: there is no photo in the request")
        return self._show(fields, fields.get("caption", ""), photo)

    def _show(self, fields: Fields, text: str, picture: bytes) -> Fields:
        chat = self._chat(fields)
        number = self._number("message")
        with self._changed:
            self.shown[number] = Shown(chat, number, text, _buttons(fields), picture)
            self._changed.notify_all()
        shown = self._message(chat, number, text)
        if picture:
            size = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}
            shown = {**shown, "photo": [size]}
        return shown

    def _edit(self, fields: Fields) -> Fields:
        chat, number = self._chat(fields), int(fields["message_id"])
        before = self.shown.get(number)
        if before is None or before.chat != chat:
            raise RefusedError(400, "Bad Request: message to edit not found")
        buttons = _buttons(fields)
        if (before.text, before.buttons) == (fields["text"], buttons):
            raise RefusedError(400, "Bad Request: message is not modified")
        with self._changed:
            self.shown[number] = before._replace(text=fields["text"], buttons=buttons)
            self._changed.notify_all()
        return self._message(chat, number, fields["text"])

    def _answer(self, fields: Fields) -> bool:
        name = fields["callback_query_id"]
        if name not in self._pressed:
            text = (
                "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
            raise RefusedError(400, text)
        self._pressed.discard(name)
        with self._changed:
            self.answered.append(name)
            self._changed.notify_all()
        return True

    def _chat(self, fields: Fields) -> int:
        chat = int(fields["chat_id"])
        if chat not in self.chats:
            raise RefusedError(400, "Bad Request: chat not found")
        if chat in self.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _message(self, chat: int, number: int, text: str) -> Fields:
        return {
            "message_id": number, "date": int(time.time()), "text": text,
            "chat": {"id": chat, "type": "private", "first_name": "p"},
            "from": self._get_me({}),
        }  # fmt: skip

    def _came(self, update: Fields) -> Fields:
        with self._changed:
            self._updates.append(update)
            self._changed.notify_all()
        return update

    def _number(self, kind: str) -> int:
        with self._changed:
            self._next[kind] += 1
            return self._next[kind]


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a test ended."""


def _buttons(fields: Fields) -> dict[str, str]:
    rows = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
    buttons = {button["text"]: button["callback_data"] for row in rows for button in row}
    if any(not 0 < len(data.encode()) <= 64 for data in buttons.values()):
        raise RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")
    return buttons


def _fields(kind: str, body: bytes) -> Fields:
    """Parameters of a call: a form, JSON, or multipart with files."""
    if kind.startswith("application/json"):
        return dict(json.loads(body))
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    fields: Fields = {}
    for part in parts.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields[str(name)] = content if part.get_filename() else content.decode()
    return fields

"""A conversation with the bot, held at a server of ours and shown as phones show it.

What stands in the bubbles is what the bot of a running stack sent; only the frame is drawn here.
"""

import base64
from collections.abc import Callable
from html import escape

from tests.support.telegram_server import Shown, TelegramServer

SIZE = (1240, 1010, False)  # three phones side by side
#: What is typed, and what the answer to it holds; a button is pressed where its label stands.
_TALK = (
    ("/status", "processes beat"), ("/positions", "Nothing is held| at "), ("/profit", "equity"),
    ("/chart EURUSD", " UTC"), ("/orders", "Filled:"), ("/daily", "together"),
    ("/halt the spread is odd", "Halt trading?"), ("Yes", "HALTED by ann"),
    ("/resume it was the news", "Resume trading?"), ("Yes", "ACTIVE again"),
)  # fmt: skip
_STYLE = """body{margin:0;font:15px/1.35 system-ui,sans-serif;background:#cfd8d3}
main{columns:3;column-gap:20px;column-fill:auto;height:970px;padding:20px}
p{break-inside:avoid;margin:0 0 10px;padding:8px 12px;border-radius:12px;max-width:330px;
white-space:pre-wrap;overflow-wrap:anywhere;background:#fff;color:#1d2321;width:fit-content}
p.own{background:#dff3d8;margin-left:auto}img{width:100%;border-radius:8px;display:block}
span{display:inline-block;margin:6px 6px 0 0;padding:3px 14px;border-radius:8px;
background:#e4ebe8}"""


def hold(server: TelegramServer) -> None:
    """Write, press and wait for each answer."""
    for typed, wanted in _TALK:
        before = dict(server.shown)
        if typed.startswith("/"):
            server.write(typed)
        else:
            server.press(typed)
        server.until(_answered(server, before, wanted.split("|")), 60.0)


def page(server: TelegramServer) -> str:
    """All of it as HTML."""
    own = {number: f'<p class="own">{escape(text)}</p>' for number, text in server.written.items()}
    bot = {number: _bubble(shown) for number, shown in server.shown.items()}
    bubbles = "".join(text for _, text in sorted((own | bot).items()))
    return f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style><main>{bubbles}</main>'


def _answered(
    server: TelegramServer, before: dict[int, Shown], wanted: list[str]
) -> Callable[[], bool]:
    def holds() -> bool:
        new = (shown for key, shown in server.shown.items() if before.get(key) != shown)
        return any(word in shown.text for shown in new for word in wanted)

    return holds


def _bubble(shown: Shown) -> str:
    data = base64.b64encode(shown.picture).decode()
    picture = f'<img src="data:image/png;base64,{data}">' if shown.picture else ""
    buttons = "".join(f"<span>{escape(label)}</span>" for label in shown.buttons)
    return f"<p>{picture}{escape(shown.text)}{'<br>' if buttons else ''}{buttons}</p>"

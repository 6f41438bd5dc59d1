"""One message to a chat, as the bot makes it and before it is anything of Telegram's."""

from typing import Literal, NamedTuple

Kind = Literal["answers", "alerts", "trading", "fills"]


class Button(NamedTuple):
    """A button under a message. `carries`: at most 64 bytes, which come back when it is pressed."""

    label: str
    carries: str


class Outgoing(NamedTuple):
    """What is to be said. With `edits` it replaces that message of ours; with `press` it also tells
    Telegram that the pressed button was heard.
    """

    chat: int
    text: str
    kind: Kind = "answers"
    buttons: tuple[Button, ...] = ()
    picture: bytes = b""  # PNG
    edits: int = 0
    press: str = ""

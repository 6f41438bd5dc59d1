"""What people send to the bot, as records of ours: a message, or a button that was pressed."""

import msgspec

_LONGEST_REASON = 200


class Incoming(msgspec.Struct, frozen=True):
    """One update of Telegram's. `time_s`: when the message was sent, seconds since 1970, UTC.

    Of a pressed button `time_s` is that of the message it stands under, which says nothing of when
    it was pressed; `press` is what Telegram wants answered.
    """

    update: int
    chat: int
    person: int  # Telegram's id of who sent it; 0: a channel, nobody
    time_s: int
    text: str = ""
    button: str = ""  # what our button carries
    press: str = ""
    message: int = 0  # the message that the button stands under


class Command(msgspec.Struct, frozen=True):
    """A command as it was typed: `/why@desk_bot 4711 please` is why, ("4711", "please")."""

    name: str
    words: tuple[str, ...]

    def reason(self, after: int = 0) -> str:
        """What was typed behind the first words, for the record; "" when nothing was."""
        return " ".join(self.words[after:])[:_LONGEST_REASON]


def command_of(text: str, own_name: str) -> Command | None:
    """The command in a text; None when it is none, or another bot's."""
    words = text.split()
    if not words or not words[0].startswith("/"):
        return None
    name, _, whose = words[0][1:].partition("@")
    if whose and whose.lower() != own_name.lower():
        return None
    return Command(name.lower(), tuple(words[1:]))

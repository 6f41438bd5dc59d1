"""Who may write to the bot and what each may do; whoever is not listed gets nothing at all.

A chat must be allowed and the person in it known. In a home with users the role is the one the user
has there, read anew each time, so whoever is removed or degraded is so here too. Halting is
everybody's, as everywhere in the product: stopping must not wait.
"""

import logging
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from core import identity, pseudonyms
from core.errors import SettingsError
from core.identity import MAY_ALLOW_RISK, Role
from core.settings import Settings

Right = Literal["look", "act", "halt"]
_PERSON = re.compile(r"(\d{1,19})=([A-Za-z_][A-Za-z0-9_.@-]{0,63})(?::(\w+))?")
_log = logging.getLogger(__name__)


class Person(NamedTuple):
    """Somebody of the list. `role` None: it cannot be read now, and he may only halt."""

    telegram: int
    name: str
    role: Role | None


def may(person: Person, right: Right) -> bool:
    """Whether somebody has a right: to look, to act (flatten, resume, answer alerts), to halt."""
    if right == "halt":
        return True
    return person.role in MAY_ALLOW_RISK if right == "act" else person.role is not None


class People:
    """The allow-list of a home.

    Raises:
        SettingsError: an entry that cannot be read; nobody is let in by guessing.
    """

    def __init__(self, settings: Settings) -> None:
        self._home, self._privacy = settings.home_path, settings.privacy
        self.chats = frozenset(map(_chat, settings.bot.chats))
        self._listed: Mapping[int, tuple[str, Role]] = dict(map(_listed, settings.bot.people))
        if len(self._listed) != len(settings.bot.people):
            raise SettingsError("bot.people: one Telegram id stands in it twice")

    def person(self, chat: int, telegram: int) -> Person | None:
        """Who writes there; None: nobody who gets an answer."""
        if chat not in self.chats or telegram not in self._listed:
            return None
        try:
            return self._person(telegram, *self._listed[telegram])
        except SettingsError as error:
            _log.error("who may do what cannot be read, so all may only halt: %s", error)
            return Person(telegram, f"telegram.{telegram}", None)

    def _person(self, telegram: int, name: str, role: Role) -> Person | None:
        """With the name that stands in records: in a home with a vault a pseudonym."""
        name = pseudonyms.resolved(self._privacy, self._home, name)
        path = identity.path_in(self._home)
        if not identity.exists(path):
            return Person(telegram, name, role)
        user = identity.load(path).get(name)
        return Person(telegram, name, user.role) if user else None


def _chat(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise SettingsError(f"bot.chats: {text!r} is no id of a chat, which is a number")
    return int(text)


def _listed(text: str) -> tuple[int, tuple[str, Role]]:
    match = _PERSON.fullmatch(text)
    if match is None:
        raise SettingsError(
            f"bot.people: {text!r}: write TELEGRAM_ID=NAME or TELEGRAM_ID=NAME:ROLE"
        )
    roles: dict[str, Role] = {role: role for role in get_args(Role)}
    role = roles.get(match[3] or "analyst")
    if role is None:
        raise SettingsError(f"bot.people: {text!r}: roles are {', '.join(roles)}")
    return int(match[1]), (match[2], role)

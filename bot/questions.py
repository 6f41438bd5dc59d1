"""Questions with two buttons: what is asked about is done once, by who asked for it, or not at all.

They live in memory only. After a restart no button does anything, and says so.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from bot.people import Person, Right
from core.clock import Clock

LIFE_S = 60
_MOST = 100
YES, NO = "yes", "no"


class Question(NamedTuple):
    """What waits for a yes. `act` does it, in a thread, and returns what to say."""

    text: str
    chat: int
    person: Person
    right: Right  # to be had when it is answered, too
    act: Callable[[], str]
    until_us: int


class Questions:
    """Those that wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, Question] = {}

    def ask(
        self, text: str, chat: int, person: Person, right: Right, act: Callable[[], str]
    ) -> str:
        """A new one; the token that its buttons carry."""
        now_us = self._clock.now_us()
        self._waiting = {k: q for k, q in self._waiting.items() if q.until_us >= now_us}
        while len(self._waiting) >= _MOST:
            del self._waiting[next(iter(self._waiting))]
        token = secrets.token_urlsafe(9)
        until_us = now_us + LIFE_S * 1_000_000
        self._waiting[token] = Question(text, chat, person, right, act, until_us)
        return token

    def answered(self, token: str, chat: int, telegram: int) -> Question | None:
        """The question, which waits no more; None when it is over, answered, or another's."""
        question = self._waiting.get(token)
        if question is None or (question.chat, question.person.telegram) != (chat, telegram):
            return None
        del self._waiting[token]
        return question if self._clock.now_us() <= question.until_us else None

"""What of a question must not leave the machine, in place of it a word that says what it was.

Accounts, people, e-mail addresses, ids and keys are put back where the answer names them, as text
within quotes. So a provider learns that there is an account, and not which.
"""

import re
from collections.abc import Iterable
from functools import partial

#: Kinds by shape; what a home knows by name comes before these.
_SHAPES = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    ("key", re.compile(r"\b(?:th_|ts_|sk-|ey)[\w.-]{12,}")),
    ("id", re.compile(r"\b[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b")),
    ("number", re.compile(r"\b\d{5,}\b")),
)


class Redaction:
    """Hides words in a text, and puts them back into a statement.

    Args:
        names: words of the home to hide, by kind: ("account", "4711-real"), whole and in any case.
    """

    def __init__(self, names: Iterable[tuple[str, str]] = ()) -> None:
        known = sorted({n for n in names if n[1].strip()}, key=lambda one: -len(one[1]))
        self._shapes = [
            *((kind, re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE))
              for kind, name in known),
            *_SHAPES,
        ]  # fmt: skip
        self._hidden: dict[str, str] = {}

    def hidden(self, text: str) -> str:
        """The text, with placeholders."""
        for kind, shape in self._shapes:
            text = shape.sub(partial(self._placeholder, kind), text)
        return text

    def shown(self, statement: str) -> str:
        """A statement, with what was hidden within its quotes: a quote in it stays text."""
        for placeholder, word in reversed(self._hidden.items()):  # ..._ax before ..._a
            quoted = word.replace("\\", "\\\\").replace("'", "''")
            statement = statement.replace(placeholder, quoted)
        return statement

    def _placeholder(self, kind: str, match: re.Match[str]) -> str:
        word = match[0]
        for placeholder, known in self._hidden.items():
            if known == word:
                return placeholder
        placeholder = f"hidden_{kind}_{'abcdefghijklmnopqrstuvwxyz'[len(self._hidden) % 26]}"
        placeholder += "x" * (len(self._hidden) // 26)
        self._hidden[placeholder] = word
        return placeholder

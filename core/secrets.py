"""Values that no log may hold: what settings call secret, and passwords within addresses.

Libraries put whole addresses into their errors, and errors are logged. So a process's log asks
here last of all, whoever wrote the line.
"""

import re
from collections.abc import Iterable

#: Names of settings whose values are secret, whatever the section.
NAMES = frozenset(
    {
        "password", "token", "smtp_password", "telegram_token", "webhook", "otlp_headers",
        "s3_access_key", "s3_secret_key", "client_secret",
    }
)  # fmt: skip
HIDDEN = "..."
_SHORTEST = 4  # hiding what is shorter would garble every line
_IN_ADDRESS = re.compile(r"(\w+://[^/\s:@]*):[^/\s@]+@")
_values: set[str] = set()


def keep(values: Iterable[str]) -> None:
    """From now on these are hidden in this process."""
    _values.update(value for value in values if len(value) >= _SHORTEST)


def masked(text: str) -> str:
    """The text without them."""
    for value in _values:
        if value in text:
            text = text.replace(value, HIDDEN)
    return _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text) if "://" in text else text

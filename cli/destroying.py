"""What destroys needs two people where controls are signed: the first signs what would go, another
approves it, and within a month it is carried out by either.
"""

from collections.abc import Sequence

from cli import signing
from core.clock import SystemClock
from core.controls.signing import Draft
from core.settings import Settings

_DAYS = 30


def approved(settings: Settings, subject: str) -> tuple[int, bytes]:
    """The approval that holds: number of its entry, and what was signed; 0 when none does."""
    now = signing.current(settings)
    at_us = max(now.newest_us, SystemClock().now_us())
    for version in now.subjects("destroy", at_us):
        if version.entry.subject == subject:
            return version.entry.number, now.content(version) or b""
    return 0, b""


def propose(
    settings: Settings, subject: str, content: bytes, by: str, reason: str, changes: Sequence[str]
) -> None:
    """Sign what is to go, or say what the one that was signed before waits for."""
    now = signing.current(settings)
    for number, waiting in now.waiting.items():
        if (waiting.entry.kind, waiting.entry.subject) == ("destroy", subject):
            print(signing.outcome(number, now))
            return
    at_us = max(now.newest_us, SystemClock().now_us())
    draft = Draft(
        "destroy", subject, content, by, reason, at_us + _DAYS * 86_400_000_000,
        changes=tuple(changes),
    )  # fmt: skip
    signing.sign(settings, draft)
    print(f"Once it holds, the same command destroys it, within {_DAYS} days.")

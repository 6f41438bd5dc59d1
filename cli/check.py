"""What one check of `tickhouse doctor` found."""

from typing import Literal

import msgspec


class Check(msgspec.Struct, frozen=True):
    """A result; `remedy` says what to do unless all is well."""

    name: str
    result: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""


def verdict(
    name: str, good: bool, found: str, remedy: str, otherwise: Literal["warning", "failed"]
) -> Check:
    """`ok` without a remedy, or `otherwise` with it."""
    return Check(name, "ok", found) if good else Check(name, otherwise, found, remedy)

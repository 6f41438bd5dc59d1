"""Where a list goes on: the ordering columns of the last row, as a text nobody needs to read.

A cursor is no secret and gives no right: it is checked like every parameter, and bound.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from api.problems import ProblemError
from api.resources import Resource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = 2**63


def cursor_of(resource: Resource, row: Any) -> str:
    """The cursor after a row: a mapping with the ordering columns."""
    values = [_kept(row[name]) if name.startswith("ts_") else row[name] for name in resource.order]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def bound(resource: Resource, cursor: str) -> dict[str, int | str]:
    """The parameters `after0`, `after1`, ... of a cursor.

    Raises:
        ProblemError: it is none of this list's.
    """
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(content, type=list[int | str])
        return {f"after{at}": _checked(name, value) for at, (name, value) in
                enumerate(zip(resource.order, values, strict=True))}  # fmt: skip
    except (ValueError, binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        detail = "cursor: this is no `next` of this list; leave it out to begin anew"
        raise ProblemError(422, "cursor", detail) from error


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def _checked(name: str, value: int | str) -> int | str:
    is_number = name.startswith("ts_") or name == "seq"
    if isinstance(value, int) is not is_number:
        raise ValueError(name)
    if isinstance(value, int) and not 0 <= value < _INT64:
        raise ValueError(name)
    if isinstance(value, str) and (len(value) > 128 or "\0" in value):
        raise ValueError(name)
    return value


def _kept(value: Any) -> int:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return microseconds(moment)

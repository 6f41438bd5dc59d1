"""Takes user and password out of a request, in each way ClickHouse's clients send them."""

import base64
import binascii
import re
from collections.abc import Mapping

_SECRET = re.compile(r"(?i)((?:^|[?&;\s])(?:password|x-clickhouse-key)=)[^&\s\"']*")
_USERINFO = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")


def credentials(parameters: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """User and password of a request; `default` and none when it names nobody.

    ClickHouse's order: X-ClickHouse-User and -Key, Basic, the URL's `user` and `password`.

    Args:
        parameters: of the URL.
        headers: by lower-case name.
    """
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(encoded)
    return parameters.get("user") or "default", parameters.get("password", "")


def redacted(text: str) -> str:
    """A URL or a line that may hold one, for a log: passwords are replaced by dots."""
    return _USERINFO.sub(r"\1…@", _SECRET.sub(r"\1…", text))


def _basic(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape")
    except binascii.Error:
        return "", ""  # nobody's name, so it is refused as a wrong password is
    user, _, password = text.partition(":")
    return user or "default", password

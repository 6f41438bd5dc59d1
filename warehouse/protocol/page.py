"""The SQL page for people with a browser: one file, nothing loaded from anywhere else.

A browser asks for text/html and no ClickHouse client does, so `/` can answer both.
"""

from collections.abc import Mapping
from importlib import resources

_HTML = resources.files("warehouse.protocol").joinpath("page.html").read_bytes()
_HEADERS = [
    ("Content-Type", "text/html; charset=UTF-8"),
    ("Cache-Control", "no-cache"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
]

#: Status, headers and body. It holds no data: what it shows it asks for as the person signed in.
ANSWER = (200, _HEADERS, _HTML)


def wanted(
    method: str, path: str, parameters: Mapping[str, str], headers: Mapping[str, str]
) -> bool:
    """Whether a request is a browser's for the page. Header names are in lower case."""
    if method not in ("GET", "HEAD"):
        return False
    if path == "/sql":
        return True
    html = "text/html" in headers.get("accept", "")
    return path == "/" and html and "query" not in parameters

"""Tells people: a webhook, an e-mail, a Telegram message, whichever settings name.

Apprise speaks to all of them, behind one function. What it logs and what an error says would hold
tokens and passwords, so nothing of theirs leaves this module: a target is named by its kind.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import apprise

from core.errors import SettingsError
from core.settings import AlertSettings

_log = logging.getLogger(__name__)
_SMTP_SECURITY = {"starttls": "starttls", "ssl": "ssl", "insecure": "insecure"}
_WITHIN_S = 10.0


def tell(
    settings: AlertSettings, title: str, text: str, facts: Mapping[str, str] | None = None
) -> list[str]:
    """Log it and send it to every target; `facts` go into the webhook's JSON.

    Returns the kinds of targets that did not take it; they are logged, and nothing is raised:
    whoever has bad news must not fail by telling it.
    """
    _log.error("%s: %s", title, text)
    failed = []
    for kind, target in targets(settings, facts or {}):
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages name the URL
        body = f"{title}: {text}" if kind == "webhook" else text
        if not apprise.Apprise([target]).notify(body=body, title=title):
            failed.append(kind)
            _log.error("%s did not take the alert %r; check alerts.%s*", kind, title, kind)
    return failed


def targets(settings: AlertSettings, facts: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Kind and Apprise target of everybody who is to be told.

    Raises:
        SettingsError: what is set does not make a target; the value is not repeated.
    """
    for kind, given in (
        ("webhook", _webhook(settings, facts) if settings.webhook else None),
        ("email", _email(settings) if settings.email_to else None),
        ("telegram", _telegram(settings) if settings.telegram_token else None),
    ):
        if given is None:
            continue
        made = apprise.Apprise.instantiate(given, suppress_exceptions=True)
        if made is None:
            raise SettingsError(f"alerts.{kind}*: no address can be made of it; see settings.md")
        yield kind, made


def _webhook(settings: AlertSettings, facts: Mapping[str, str]) -> dict[str, Any]:
    url = urlsplit(settings.webhook)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError("alerts.webhook: give http://host/path or https://host/path")
    return {
        "schema": "jsons" if url.scheme == "https" else "json",
        "host": url.hostname,
        "port": url.port,
        "fullpath": url.path or "/",
        "user": url.username,
        "password": url.password,
        "params": dict(parse_qsl(url.query)),
        # `message` becomes `text`, which chat systems show; the rest are facts.
        "payload": {"message": "text", "version": "", "type": "", **facts},
        "rto": _WITHIN_S, "cto": _WITHIN_S,
    }  # fmt: skip


def _email(settings: AlertSettings) -> dict[str, Any]:
    host, _, port = settings.smtp.partition(":")
    if not host or not port.isdigit():
        raise SettingsError("alerts.smtp: give host:port of the mail server for alerts.email_to")
    security = settings.smtp_security
    return {
        "schema": "mailtos" if security != "insecure" else "mailto",
        "host": host,
        "port": int(port),
        "smtp_host": host,
        "user": settings.smtp_user or None,
        "password": settings.smtp_password or None,
        "from_addr": settings.email_from,
        "targets": [settings.email_to],
        "secure_mode": _SMTP_SECURITY[security],
        "secure": security != "insecure",
        "format": "text",
        "rto": _WITHIN_S, "cto": _WITHIN_S,
    }  # fmt: skip


def _telegram(settings: AlertSettings) -> dict[str, Any]:
    if not settings.telegram_chat:
        raise SettingsError("alerts.telegram_chat: name the chat that the bot writes to")
    return {
        "schema": "tgram",
        "bot_token": settings.telegram_token,
        "targets": [settings.telegram_chat],
        "detect_owner": False,
        "rto": _WITHIN_S, "cto": _WITHIN_S,
    }  # fmt: skip

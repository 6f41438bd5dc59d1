"""Tells people: a webhook, an e-mail, a Telegram message, whichever settings name.

Apprise speaks to all of them, behind one function. What it logs and what an error says would hold
tokens and passwords, so nothing of theirs leaves this module: a target is named by its kind. It is
imported with the first target: half a second, which who tells nobody need not wait for.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from core.errors import SettingsError
from core.sections import AlertSettings

if TYPE_CHECKING:
    from apprise.plugins.base import NotifyBase

_log = logging.getLogger(__name__)
_WITHIN_S = 10.0


def notify(
    settings: AlertSettings, title: str, text: str, facts: Mapping[str, str] | None = None
) -> list[str]:
    """Log it and send it to every target; `facts` go into the webhook's JSON.

    Returns the kinds of targets that did not take it; they are logged, and nothing is raised:
    whoever has bad news must not fail by telling it.
    """
    _log.error("%s: %s", title, text)
    kinds = [kind for kind, _ in targets(settings, {})]
    return [kind for kind in kinds if not send(settings, kind, title, text, facts or {})]


def send(
    settings: AlertSettings, kind: str, title: str, text: str, facts: Mapping[str, str]
) -> bool:
    """Send it to one kind of target, once; whether it was taken. See adapters.alert_box."""
    from apprise import Apprise

    target = dict(targets(settings, facts))[kind]
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages name the URL
    body = f"{title}: {text}" if kind == "webhook" else text
    taken = bool(Apprise([target]).notify(body=body, title=title))
    if not taken:
        _log.error("%s did not take the alert %r; check alerts.%s*", kind, title, kind)
    return taken


def mail(
    settings: AlertSettings, to: str, title: str, text: str, files: Sequence[Path] = ()
) -> bool:
    """Send one e-mail with files, by the alerts' mail server; whether it was taken.

    Raises:
        SettingsError: no mail server is set, or the address is none.
    """
    from apprise import Apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages name the URL
    target = _email(settings, to)
    return bool(Apprise([target]).notify(body=text, title=title, attach=[str(p) for p in files]))


def targets(
    settings: AlertSettings, facts: Mapping[str, str]
) -> "Iterator[tuple[str, NotifyBase]]":
    """Kind and Apprise target of everybody who is to be told.

    Raises:
        SettingsError: what is set does not make a target; the value is not repeated.
    """
    if settings.webhook:
        yield "webhook", _webhook(settings, facts)
    if settings.email_to:
        yield "email", _email(settings, settings.email_to)
    if settings.telegram_token:
        yield "telegram", _telegram(settings)


def _webhook(settings: AlertSettings, facts: Mapping[str, str]) -> "NotifyBase":
    # Each plugin by its module: asking Apprise for one by name loads them all.
    from apprise.plugins.custom_json import NotifyJSON

    url = urlsplit(settings.webhook)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError("alerts.webhook: give http://host/path or https://host/path")
    return _target(
        NotifyJSON,
        "webhook",
        secure=url.scheme == "https",
        host=url.hostname,
        port=url.port,
        fullpath=url.path or "/",
        user=url.username,
        password=url.password,
        params=dict(parse_qsl(url.query)),
        # `message` becomes `text`, which chat systems show; an empty name leaves a field out.
        payload={"message": "text", "version": "", "type": "", "attachments": "", **facts},
    )


def _email(settings: AlertSettings, to: str) -> "NotifyBase":
    from apprise.plugins.email import NotifyEmail

    host, _, port = settings.smtp.partition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"alerts.smtp: give host:port of the mail server for {to}")
    return _target(
        NotifyEmail,
        "email",
        host=host,
        smtp_host=host,
        port=int(port),
        user=settings.smtp_user or None,
        password=settings.smtp_password or None,
        from_addr=settings.email_from,
        targets=[to],
        secure=settings.smtp_security != "insecure",
        secure_mode=settings.smtp_security,
        format="text",
    )


def _telegram(settings: AlertSettings) -> "NotifyBase":
    from apprise.plugins.telegram import NotifyTelegram

    if not settings.telegram_chat:
        raise SettingsError("alerts.telegram_chat: name the chat that the bot writes to")
    return _target(
        NotifyTelegram,
        "telegram",
        bot_token=settings.telegram_token,
        targets=[settings.telegram_chat],
        detect_owner=False,
        secure=True,
    )


def _target(plugin: "type[NotifyBase]", kind: str, **options: object) -> "NotifyBase":
    try:
        return plugin(rto=_WITHIN_S, cto=_WITHIN_S, **options)
    except TypeError:  # how Apprise says that a value will not do, and it repeats it
        raise SettingsError(
            f"alerts.{kind}*: no address can be made of it; docs/reference/settings.md has the form"
        ) from None

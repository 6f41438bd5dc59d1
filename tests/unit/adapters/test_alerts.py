"""Alerts against real servers on loopback: HTTP for webhook and Telegram, SMTP for e-mail."""

import logging
import subprocess
import sys

import pytest

from adapters.alerts import notify
from core.errors import SettingsError
from core.sections import AlertSettings
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port
from tests.support.smtp_receiver import SmtpReceiver

TOKEN = "123456789:abcdefghijklmnopqrstuvwxyz_1234567"


def test_a_webhook_gets_text_and_facts(caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as receiver:
        settings = AlertSettings(webhook=f"{receiver.url}?key=s3cret-key")
        assert notify(settings, "marts_job failed", "no disk", {"job": "marts_job"}) == []
    (body,) = receiver.received
    assert body["text"] == "marts_job failed: no disk"
    assert body["job"] == "marts_job"
    assert receiver.paths == ["/hook?key=s3cret-key"]
    assert "marts_job failed: no disk" in caplog.text
    assert "s3cret-key" not in caplog.text


def test_an_email_goes_to_the_mail_server() -> None:
    with SmtpReceiver() as server:
        settings = AlertSettings(
            email_to="desk@example.com", email_from="tickhouse@example.com",
            smtp=f"127.0.0.1:{server.port}", smtp_security="insecure",
        )  # fmt: skip
        assert notify(settings, "streams are late", "oanda EURUSD: no tick for 6 min") == []
    (mail,) = server.mails
    assert mail.sender == "tickhouse@example.com"
    assert mail.recipients == ["desk@example.com"]
    assert mail.message["Subject"] == "streams are late"
    assert "no tick for 6 min" in str(mail.message)


def test_telegram_is_called_as_its_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's own requests, to a server of ours instead of Telegram's."""
    from apprise.plugins.telegram import NotifyTelegram

    with Receiver() as receiver:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{receiver.base}/bot")
        settings = AlertSettings(telegram_token=TOKEN, telegram_chat="42")
        assert notify(settings, "daily_job failed", "tick_gap") == []
    assert receiver.paths == [f"/bot{TOKEN}/sendMessage"]
    assert str(receiver.received[0]["chat_id"]) == "42"
    assert "tick_gap" in receiver.received[0]["text"]


def test_who_does_not_take_it_is_named_and_no_secret_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.telegram import NotifyTelegram

    caplog.set_level(logging.DEBUG)
    nowhere = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{nowhere}/bot")
    settings = AlertSettings(
        webhook=f"{nowhere}/hook/s3cret-path", telegram_token=TOKEN, telegram_chat="42",
        email_to="a@example.com", smtp=f"127.0.0.1:{free_port()}", smtp_user="desk",
        smtp_password="s3cret-password", smtp_security="insecure",
    )  # fmt: skip
    assert notify(settings, "x failed", "why") == ["webhook", "email", "telegram"]
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name != "urllib3.connectionpool")
    assert "webhook did not take the alert" in ours
    for secret in ("s3cret-path", "s3cret-password", TOKEN):
        assert secret not in ours
    assert "s3cret-password" not in repr(settings)


@pytest.mark.parametrize(
    "settings",
    [
        AlertSettings(webhook="ftp://s3cret/hook"),
        AlertSettings(email_to="a@example.com", smtp="s3cret"),
        AlertSettings(telegram_token="s3cret"),
        AlertSettings(telegram_token="s3cret", telegram_chat="42"),
    ],
)
def test_a_target_that_cannot_be_is_refused_without_its_value(settings: AlertSettings) -> None:
    with pytest.raises(SettingsError, match=r"alerts\.") as caught:
        notify(settings, "x", "y")
    assert "s3cret" not in str(caught.value)


def test_who_tells_nobody_does_not_wait_for_apprise() -> None:
    program = """
import sys
import surveillance.watcher
from adapters.alerts import targets
from core.sections import AlertSettings
assert not list(targets(AlertSettings(), {}))
assert "apprise" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

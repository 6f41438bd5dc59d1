"""The pack by e-mail: each version once, tried again when the server refused, doubt told."""

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.clock import ManualClock
from core.errors import InputError, SettingsError, UnavailableError
from core.sections import AlertSettings, ReportSettings
from core.settings import Settings
from reports import mail, package
from reports.package import Rendered, ReportManifest, SignOff, Version
from tests.support.servers import free_port
from tests.support.smtp_receiver import Mail, SmtpReceiver

DAY = date(2026, 3, 2)
CLOCK = ManualClock(1_772_500_000_000_000)


def settings_of(home: Path, port: int) -> Settings:
    return Settings(
        home=str(home), reports=ReportSettings(mail_to="officer@example.com"),
        alerts=AlertSettings(smtp=f"127.0.0.1:{port}", smtp_security="insecure"),
    )  # fmt: skip


def packaged(home: Path, name: str = "rts22", day: date = DAY, data: str = "a\n1\n") -> Version:
    """A version with a table and a page."""

    def render(folder: Path, _: int) -> Rendered:
        (folder / "rows.csv").write_text(data)
        (folder / f"{name}.pdf").write_bytes(b"%PDF-1.7 " + data.encode())
        return Rendered({"rows.csv": 1}, False, {"warning": 2}, ("rows.csv",))

    blank = ReportManifest(
        report=name, title="T", day=day, mode="live", version=0, layout="draft-1", draft=True,
        made_us=1, query_sha256={}, dbt_invocation="", inputs={}, empty=False, breaks={}, files={},
    )  # fmt: skip
    return package.add_version(package.folder_of(home / "reports", name, day, "live"), blank,
                               render)[0]  # fmt: skip


def attached(one: Mail) -> dict[str, bytes]:
    return {
        str(part.get_filename()): bytes(part.get_payload(decode=True))
        for part in one.message.walk()
        if part.get_filename()
    }


def text_of(one: Mail) -> str:
    part = next(p for p in one.message.walk() if p.get_content_type() == "text/plain")
    return bytes(part.get_payload(decode=True)).decode()


def test_each_version_goes_out_once_and_a_restated_one_again(tmp_path: Path) -> None:
    packaged(tmp_path), packaged(tmp_path, "emir@alpha")
    with SmtpReceiver() as server:
        settings = settings_of(tmp_path, server.port)
        assert len(mail.send(settings, DAY, "live", CLOCK).versions) == 2
        assert mail.send(settings, DAY, "live", CLOCK).versions == []
        packaged(tmp_path, data="a\n2\n")
        (restated,) = mail.send(settings, DAY, "live", CLOCK).versions
    assert restated.manifest.version == 2
    first, second = server.mails
    assert first.recipients == ["officer@example.com"]
    assert attached(first) == dict.fromkeys(("rts22.pdf", "emir@alpha.pdf"), b"%PDF-1.7 a\n1\n")
    assert "2026-03-02 rts22 v1: breaks: 2 warning; manifest " in text_of(first)
    assert attached(second) == {"rts22.pdf": b"%PDF-1.7 a\n2\n"}
    assert "rts22 v2, restated" in text_of(second)


def test_what_the_server_did_not_take_goes_out_with_the_next(tmp_path: Path) -> None:
    version = packaged(tmp_path)
    with pytest.raises(UnavailableError, match="did not take the reports"):
        mail.send(settings_of(tmp_path, free_port()), DAY, "live", CLOCK)
    assert not list(version.folder.glob("mail*.json"))
    with SmtpReceiver() as server:
        next_night = date(2026, 3, 3)
        assert len(mail.send(settings_of(tmp_path, server.port), next_night, "live",
                             CLOCK).versions) == 1  # fmt: skip


def test_what_may_have_gone_out_is_told_and_sent_only_by_a_persons_word(tmp_path: Path) -> None:
    version = packaged(tmp_path)
    begun = SignOff("officer@example.com", False, 1, version.sha256)
    package.record_sign_off(version, "mailing", begun)  # and then the process was killed
    with SmtpReceiver() as server:
        settings = settings_of(tmp_path, server.port)
        cut_off = mail.send(settings, DAY, "live", CLOCK)
        assert (cut_off.versions, server.mails) == ([], [])
        assert str(version.folder) in cut_off.doubt
        again = mail.send(settings, DAY, "live", CLOCK, again=True)
        assert (len(again.versions), again.doubt) == (1, "")
        assert mail.send(settings, DAY, "live", CLOCK, again=True).versions == []
    assert len(server.mails) == 1


def test_a_large_page_is_named_and_not_attached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = packaged(tmp_path)
    monkeypatch.setattr(mail, "LARGEST", 5)
    with SmtpReceiver() as server:
        mail.send(settings_of(tmp_path, server.port), DAY, "live", CLOCK)
    (one,) = server.mails
    assert attached(one) == {}
    assert f"Not attached, too large: {version.folder / 'rts22.pdf'}" in text_of(one)


def test_a_changed_page_is_not_sent(tmp_path: Path) -> None:
    version = packaged(tmp_path)
    (version.folder / "rts22.pdf").write_bytes(b"other")
    with SmtpReceiver() as server, pytest.raises(InputError, match="changed since"):
        mail.send(settings_of(tmp_path, server.port), DAY, "live", CLOCK)
    assert server.mails == []


def test_nobody_to_send_to_and_no_server_are_named(tmp_path: Path) -> None:
    packaged(tmp_path)
    settings = settings_of(tmp_path, 25)
    with pytest.raises(SettingsError, match="mail_to is empty"):
        mail.send(replace(settings, reports=ReportSettings()), DAY, "live", CLOCK)
    with pytest.raises(SettingsError, match="give host:port"):
        mail.send(replace(settings, alerts=AlertSettings()), DAY, "live", CLOCK)

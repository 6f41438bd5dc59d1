"""A support bundle: what helps is in it, and no secret, wherever one was planted."""

import base64
import datetime
import hashlib
import json
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest

from cli import certificates
from cli.diagnostics import redaction, support_bundle
from cli.main import FAILED, main
from core import credentials, settings

SECRETS = {
    "TICKHOUSE_CLICKHOUSE__PASSWORD": 'hunter "22"/x',
    "TICKHOUSE_BUS__TOKEN": "t0ken-of-bus",
    "TICKHOUSE_ALERTS__SMTP_PASSWORD": "mail-pass",
    "TICKHOUSE_ALERTS__TELEGRAM_TOKEN": "12:abcdef",
    "TICKHOUSE_ALERTS__WEBHOOK": "https://chat.example/hook/s3cret",
    "TICKHOUSE_TRACES__OTLP_HEADERS": "x-key=collector-key",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
}
#: What no setting says: as it stands in logs of all kinds of programs.
PLANTED = {
    "postgres://ann:pg-pass@db/x": "pg-pass",
    "GET https://api.example/v1?symbol=a&api_key=query-key&x=1": "query-key",
    "Authorization: Bearer abc.def-ghi_bearer": "abc.def-ghi_bearer",
    f"Authorization: Basic {base64.b64encode(b'ann:basic-pass').decode()}": base64.b64encode(
        b"ann:basic-pass"
    ).decode(),
    "password=in-the-clear;": "in-the-clear",
    '{"access_key": "json-access"}': "json-access",
    "posted to https://hooks.slack.com/services/T0/B0/slackslack": "slackslack",
    "bot 123456789:AAEabcdefghijklmnopqrstuvwxyz0123456": "AAEabcdefghijklmnopqrstuvwxyz0123456",
    "key AKIAIOSFODNN7EXAMPLE of s3": "AKIAIOSFODNN7EXAMPLE",
    "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.sigsigsig": "sigsigsig",
    "ghp_abcdefghij0123456789 pushed": "ghp_abcdefghij0123456789",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIplanted\n-----END PRIVATE KEY-----": (
        "MC4CAQAwBQYDK2VwBCIEIplanted"
    ),
    "cut off: -----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIcutoff": "MHcCAQEEIcutoff",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return home


def taken(folder: Path) -> dict[str, str]:
    """Names and texts of the one bundle in a folder."""
    (path,) = folder.glob("tickhouse-support-*.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: archive.extractfile(member).read().decode()  # type: ignore[union-attr]
            for member in archive
        }


def planted(home: Path) -> set[str]:
    """Secrets of every kind, in files and in logs; what may not be in a bundle."""
    of_process = credentials.secret(credentials.directory_of(home), "warehouse.watch")
    certificates.issue(home, [], datetime.datetime.now(datetime.UTC), 30)
    key = (home / "tls" / "server.key").read_text().splitlines()[1]
    values = {*SECRETS.values(), of_process, key} - {SECRETS["TICKHOUSE_TRACES__OTLP_HEADERS"]}
    values |= {"collector-key"}
    spelled = {s for v in values for s in (v, json.dumps(v)[1:-1], quote(v, safe=""))}
    lines = [*(f"before {value} after" for value in sorted(spelled)), *PLANTED]
    (home / "logs").mkdir()
    record = {"timestamp": "2026-11-20T10:00:00.000000Z", "level": "error", "process": "watch"}
    events = [json.dumps(record | {"event": line}) for line in lines]
    (home / "logs" / "watch.log").write_text("\n".join(events))
    (home / "logs" / "other.log.1").write_text("\n".join(lines))
    return spelled | set(PLANTED.values())


def test_no_secret_of_any_kind_is_in_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home.parent / "tickhouse.toml").write_text('[bus]\npassword = "of-the-file"\nno = 1\n')
    secret = planted(home) | {"of-the-file"}
    assert main(["support-bundle"]) == 0
    files = taken(home.parent)
    left = {(name, value) for name, text in files.items() for value in secret if value in text}
    assert left == set()
    assert not any(value in capsys.readouterr().out for value in secret)
    assert files["logs/watch.log"].count('"level": "error"') == len(
        files["logs/watch.log"].splitlines()
    )
    assert "did you mean" in files["checks.txt"] or "no setting 'no'" in files["checks.txt"]


def test_what_helps_is_in_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "watch.log").write_text("the collector is at port 4222\n")
    assert main(["support-bundle"]) == 0
    files = taken(home.parent)
    assert set(files) == {
        "versions.json", "settings.json", "environment.txt", "status.json", "checks.txt",
        "errors.txt", "home.txt", "logs/watch.log", "problems.txt", "contents.txt",
    }  # fmt: skip
    shown = json.loads(files["settings.json"])
    assert shown["bus"]["token"] == "[hidden]"
    assert shown["bus"]["password"] == ""
    assert shown["rules"]["drawdown"] == 0.05
    assert json.loads(files["versions.json"])["packages"]["msgspec"]
    assert json.loads(files["status.json"])["status"] == "not running"
    assert "TICKHOUSE_BUS__TOKEN" in files["environment.txt"]
    assert files["logs/watch.log"] == "the collector is at port 4222\n"
    assert files["problems.txt"].startswith("none")
    listed = files["contents.txt"].splitlines()[1:]
    for line in listed:
        size, digest, name = line.split()
        assert int(size.replace(",", "")) == len(files[name].encode())
        assert hashlib.sha256(files[name].encode()).hexdigest().startswith(digest)
    assert {line.split()[2] for line in listed} == set(files) - {"contents.txt"}
    assert "problems.txt" in capsys.readouterr().out


def test_what_cannot_be_collected_is_said_and_the_rest_is_there(home: Path, tmp_path: Path) -> None:
    def fail() -> str:
        raise ValueError("no answer; password=in-the-clear")

    path = tmp_path / "tickhouse-support-x.tar.gz"
    hidden = redaction.of_this_process(settings.load())
    listed = support_bundle.write(path, [("a", fail), ("b", lambda: "text")], hidden, "now")
    files = taken(tmp_path)
    assert [one.name for one in listed] == ["b", "problems.txt", "contents.txt"] == list(files)
    assert "a: Traceback" in files["problems.txt"]
    assert "in-the-clear" not in files["problems.txt"]


def test_a_path_that_is_taken_is_refused_and_nothing_half_is_left(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.tar.gz"
    there.write_text("mine")
    assert main(["support-bundle", "--to", str(there)]) == FAILED
    assert there.read_text() == "mine"
    assert main(["support-bundle", "--to", "/proc/nowhere/x.tar.gz"]) == FAILED
    assert "cannot be written" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".there")] == []

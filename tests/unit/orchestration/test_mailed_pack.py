"""The night's e-mail: tried again while the server does not answer, and only then."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.execution.plan import active

from orchestration.defs.compliance import mailed_pack
from orchestration.partitions import HOME, report_key
from orchestration.resources import Tickhouse
from reports import package
from reports.package import SignOff
from tests.support.dagster_runs import text_of
from tests.support.servers import free_port
from tests.support.smtp_receiver import SmtpReceiver
from tests.unit.reports.test_mail import DAY, packaged

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic


class Waits:
    """Dagster's clock between tries: a wait is over at once, and `during` happens in it."""

    def __init__(self) -> None:
        self.waited: list[int] = []
        self.during: Callable[[], object] = lambda: None
        self._now = 1_772_500_000.0

    def time(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.waited.append(round(seconds))
        self._now += seconds
        self.during()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    clock = Waits()
    monkeypatch.setattr(active, "time", SimpleNamespace(time=clock.time, sleep=clock.sleep))
    return clock


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Of a mail server that the home in `tmp_path` is to use; nobody listens yet."""
    port = free_port()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": str(tmp_path), "REPORTS__MAIL_TO": "officer@example.com",
        "CLICKHOUSE__URL": "http://127.0.0.1:1",  # sending asks no warehouse
        "ALERTS__SMTP": f"127.0.0.1:{port}", "ALERTS__SMTP_SECURITY": "insecure",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TICKHOUSE_{name}", value)
    return port


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [mailed_pack], instance=instance, partition_key=report_key(str(DAY), HOME),
        resources={"tickhouse": Tickhouse()}, raise_on_error=False,
    )  # fmt: skip


def retries(result: dg.ExecuteInProcessResult) -> int:
    return len([e for e in result.all_events if e.event_type_value == "STEP_RESTARTED"])


def test_a_server_that_is_back_at_the_second_try_gets_the_pack_once(
    tmp_path: Path, port: int, waits: Waits, dagster_instance: dg.DagsterInstance
) -> None:
    version = packaged(tmp_path)
    with ExitStack() as stack:
        servers = list[SmtpReceiver]()
        waits.during = lambda: servers.append(stack.enter_context(SmtpReceiver(port)))
        result = run(dagster_instance)
    assert result.success
    assert (retries(result), waits.waited) == (1, [30])
    assert [len(server.mails) for server in servers] == [1]
    assert version.sign_off("mailed") is not None


def test_a_server_that_stays_away_fails_the_run_and_leaves_the_pack_for_the_next(
    tmp_path: Path, port: int, waits: Waits, dagster_instance: dg.DagsterInstance
) -> None:
    version = packaged(tmp_path)
    result = run(dagster_instance)
    assert not result.success
    assert (retries(result), waits.waited) == (3, [30, 90, 210])
    assert "the mail server did not take the reports" in text(result)
    assert not list(version.folder.glob("mail*.json"))
    with SmtpReceiver(port) as server:
        assert run(dagster_instance).success
    assert len(server.mails) == 1


def test_what_may_have_gone_out_is_not_tried_again(
    tmp_path: Path, port: int, waits: Waits, dagster_instance: dg.DagsterInstance
) -> None:
    version = packaged(tmp_path)
    begun = SignOff("officer@example.com", False, 1, version.sha256)
    package.record_sign_off(version, "mailing", begun)  # and then the process was killed
    with SmtpReceiver(port) as server:
        result = run(dagster_instance)
    assert not result.success
    assert (retries(result), waits.waited, server.mails) == (0, [], [])
    assert "tickhouse report mail --again" in text(result)


def test_a_changed_page_is_not_tried_again(
    tmp_path: Path, port: int, waits: Waits, dagster_instance: dg.DagsterInstance
) -> None:
    version = packaged(tmp_path)
    (version.folder / "rts22.pdf").write_bytes(b"other")
    with SmtpReceiver(port) as server:
        result = run(dagster_instance)
    assert (result.success, retries(result), server.mails) == (False, 0, [])
    assert "changed since it was made" in text(result)


def text(result: dg.ExecuteInProcessResult) -> str:
    """Why the step failed at last."""
    return text_of([event for event in result.all_events if event.is_step_failure][-1])

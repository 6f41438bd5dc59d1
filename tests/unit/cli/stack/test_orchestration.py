"""Dagster's part of the stack: last, stopped with its children, absent where it is not there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import certificates
from cli.stack import orchestration as orchestration_stack
from cli.stack.embedded import Ports, embedded_stack
from core.sections import OrchestrationSettings
from core.settings import Settings
from orchestration.instance import code_socket, workspace

PORT = 1


def test_nothing_waits_for_it_and_its_children_end_with_it(tmp_path: Path) -> None:
    specs = orchestration_stack.orchestration_stack(tmp_path, PORT)
    names = [spec.name for spec in specs]
    assert names == ["orchestration.code", "orchestration.daemon", "orchestration.webserver"]
    assert not any(spec.waited_for for spec in specs)
    assert all(spec.stop_group for spec in specs)
    others = embedded_stack(Settings(), tmp_path, Ports(3, 4, 5, 6))
    assert not {need for spec in others for need in spec.needs} & set(names)
    warehouse = next(spec for spec in others if spec.name == "warehouse")
    assert all(spec.stop_stage < warehouse.stop_stage for spec in specs)
    longest = {spec.stop_stage: 0 for spec in [*specs, *others]}
    for spec in [*specs, *others]:
        longest[spec.stop_stage] = max(longest[spec.stop_stage], spec.stop_wait_s)
    assert sum(longest.values()) <= 75  # a drain is bounded with it, too
    assert (tmp_path / "dagster" / "dagster.yaml").exists()
    assert f"socket: '{code_socket(tmp_path)}'" in workspace(tmp_path).read_text()


def test_the_port_is_free_and_the_scheme_the_homes(tmp_path: Path) -> None:
    assert orchestration_stack.choose_port(0) > 0
    assert orchestration_stack.url(tmp_path, PORT) == "http://127.0.0.1:1"
    certificates.issue(tmp_path, [], datetime.now(UTC))
    assert orchestration_stack.url(tmp_path, PORT) == "https://127.0.0.1:1"


def test_without_its_packages_it_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert orchestration_stack.absent(Settings()) == ""
    monkeypatch.setattr("orchestration.instance.NEEDS", ("no_such_package",))
    assert "`make install-orchestration`" in orchestration_stack.absent(Settings())
    off = Settings(orchestration=OrchestrationSettings(enabled=False))
    assert "turned off" in orchestration_stack.absent(off)

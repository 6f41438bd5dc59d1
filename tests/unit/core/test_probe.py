"""A health check of a process that is ready, that is not, that is gone, or is another."""

import json

import pytest

from core.health import Health
from core.probe import probe


@pytest.fixture
def health(tmp_path):
    served = Health("collector", tmp_path / "run")
    yield served
    served.close()


def test_a_process_says_whether_it_is_ready(health, tmp_path):
    assert probe("collector", tmp_path) == (False, "collector starting")
    health.set("ready", "3 feeds")
    assert probe("collector", tmp_path) == (True, "collector ready 3 feeds")
    health.set("degraded", "no bus")
    assert probe("collector", tmp_path) == (False, "collector degraded no bus")


def test_a_process_that_never_started_is_not_ready(tmp_path):
    ready, word = probe("execution", tmp_path)
    assert not ready
    assert "execution does not answer" in word


def test_a_port_that_another_process_took_is_not_an_answer(health, tmp_path):
    stale = {"pid": 1, "health_port": health.port}
    (tmp_path / "run" / "execution.json").write_text(json.dumps(stale))
    health.set("ready")
    ready, word = probe("execution", tmp_path)
    assert not ready
    assert "collector has its port" in word

import shlex
from pathlib import Path

import pytest
from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.options import ServerOptions

from cli.stack.process_spec import ProcessSpec
from cli.stack.supervisor_config import render
from core.errors import SettingsError


def parsed(tmp_path: Path, *specs: ProcessSpec) -> list[object]:
    """The configuration as supervisord itself reads it, with relative order kept."""
    home = tmp_path / "100% home"
    (home / "logs").mkdir(parents=True)
    (home / "run").mkdir()
    path = tmp_path / "supervisord.conf"
    path.write_text(render(home, tmp_path / "socket", specs))
    options = ServerOptions()
    options.realize(["-c", str(path)])
    return [config for group in options.process_group_configs for config in group.process_configs]


def test_supervisord_reads_back_what_was_described(tmp_path: Path) -> None:
    command = ("/bin/echo", "two words", "100%", "it's", 'a "quote"', "$HOME")
    spec = ProcessSpec("x.y", command, {"PLAN": "/tmp/a b/50%,60%=.json"}, stop_wait_s=7)
    (config,) = parsed(tmp_path, spec)
    assert tuple(shlex.split(config.command)) == command
    assert config.environment == {"PLAN": "/tmp/a b/50%,60%=.json"}
    assert config.stdout_logfile == str(tmp_path / "100% home" / "logs" / "x.y.log")
    assert (config.stopwaitsecs, config.autostart, config.exitcodes) == (7, False, [0])


def test_who_ends_without_being_stopped_is_started_again_unless_it_ends_by_itself(
    tmp_path: Path,
) -> None:
    specs = [ProcessSpec("serves", ("true",)), ProcessSpec("ends", ("true",), ends_itself=True)]
    restarts = {config.name: config.autorestart for config in parsed(tmp_path, *specs)}
    assert restarts == {"serves": RestartUnconditionally, "ends": RestartWhenExitUnexpected}


def test_supervisord_itself_stops_in_the_order_of_stages(tmp_path: Path) -> None:
    specs = [ProcessSpec(f"stage{stage}", ("/bin/true",), stop_stage=stage) for stage in (1, 0, 2)]
    configs = sorted(parsed(tmp_path, *specs), key=lambda config: -config.priority)
    assert [config.name for config in configs] == ["stage0", "stage1", "stage2"]


@pytest.mark.parametrize("value", ["a\nb", "a ;b", "a #b", 'a"b', "'a"])
def test_what_the_format_cannot_carry_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="NOTE"):
        render(tmp_path, tmp_path / "s", [ProcessSpec("x", ("true",), {"NOTE": value})])

"""Processes as a configuration of supervisord.

Written anew at each start, readable by its owner only. What many processes share is in
supervisord's own environment, so that no password is ever written into the file.
"""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from cli.stack.process_spec import ProcessSpec
from core.errors import SettingsError

_DAEMON = """\
[supervisord]
nodaemon = true
silent = true
logfile = {log}
logfile_maxbytes = 10MB
logfile_backups = 1
pidfile = {run}/supervisord.pid

[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:tickhouse]
supervisor.rpcinterface_factory = cli.stack.supervisor_plugin:build
owner = {owner}
mends = {mends}
"""

_PROGRAM = """
[program:{name}]
command = {command}
environment = {environment}
autostart = false
autorestart = {restart}
exitcodes = 0
startsecs = 1
startretries = {retries}
stopsignal = TERM
stopwaitsecs = {stop_wait_s}
stopasgroup = {stop_group}
killasgroup = true
priority = {priority}
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def render(home: Path, socket: Path, processes: Sequence[ProcessSpec]) -> str:
    """The configuration file's text; this process is the owner supervisord dies with.

    Raises:
        SettingsError: a value that the file format cannot carry.
    """
    daemon = _DAEMON.format(
        log=_value("TICKHOUSE_HOME", str(log_of(home, "supervisord"))),
        run=_value("TICKHOUSE_HOME", str(home / "run")),
        socket=_value("TMPDIR", str(socket)),
        owner=os.getpid(),
        mends=" ".join(spec.name for spec in processes if spec.after_full_disk),
    )
    return daemon + "".join(_program(home, spec) for spec in processes)


def log_of(home: Path, name: str) -> Path:
    """Where a process's standard output and error go; older ones end in .1, .2, .3."""
    return home / "logs" / f"{name}.log"


def _program(home: Path, spec: ProcessSpec) -> str:
    return _PROGRAM.format(
        name=spec.name,
        command=_value(f"the command of {spec.name}", shlex.join(spec.command)),
        environment=",".join(
            f'{name}="{_quoted(name, value)}"' for name, value in spec.environment.items()
        ),
        retries=spec.start_retries,
        stop_wait_s=spec.stop_wait_s,
        restart="unexpected" if spec.ends_itself else "true",
        stop_group=str(spec.stop_group).lower(),
        # Where our drain cannot run, supervisord stops by descending priority: the same order.
        priority=900 - spec.stop_stage,
        # supervisord expands this value twice.
        log=_value("TICKHOUSE_HOME", str(log_of(home, spec.name))).replace("%", "%%"),
    )


def _quoted(name: str, value: str) -> str:
    if '"' in value or value.strip("'") != value:
        raise SettingsError(f"{name}={value!r}: quotes cannot be passed to a process; remove them")
    return _value(name, value)


def _value(name: str, value: str) -> str:
    if "\n" in value or " ;" in value or " #" in value:
        raise SettingsError(
            f"{name}: {value!r} has a line break, ' ;' or ' #', which cannot be passed to a"
            " process; choose another value"
        )
    return value.replace("%", "%%")

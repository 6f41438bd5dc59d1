"""`tickhouse api`: the desk for programs, until Ctrl-C, beside a stack that runs."""

import argparse
import os

from cli.stack.api_process import NAME, check_installed
from cli.stack.free_ports import free_ports
from cli.stack.running import running
from core.credentials import directory_of
from core.errors import SettingsError
from core.log import exit_code
from core.settings import Settings, environment_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens."""
    parser.add_argument("--port", type=int, default=None, help="on 127.0.0.1; default: api.port")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """The process's exit code."""
    check_installed()
    if stack := running(settings.home_path):
        if NAME in (process.name for process in stack.processes):
            raise SettingsError(f"the stack of this home runs it already: {stack.urls[NAME]}")
        own = str(directory_of(settings.home_path))
        for name, section in (("bus", "bus"), ("warehouse", "clickhouse")):
            os.environ |= environment_of(section, url=stack.urls[name], credentials=own)
    from api.__main__ import main

    given = namespace.port
    port = given if given is not None else free_ports((settings.api.port,))[0]
    return exit_code(lambda: main(["--port", str(port)]))

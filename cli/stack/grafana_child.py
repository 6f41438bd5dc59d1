"""`python -m cli.stack.grafana_child GRAFANA ...`: Grafana, signed in to the warehouse.

A process of a moment that becomes Grafana: the password comes from the home or the settings and
stands in Grafana's environment, never in the supervisor's file or on a command line.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from core import log, settings
from core.errors import SettingsError
from core.home_users import GRAFANA, sign_in

_OWN = "TICKHOUSE_GRAFANA_"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Grafana's: with user and password of its role.

    Raises:
        SettingsError: settings that cannot be, or a credential that cannot be trusted.
    """
    ours = {name: value for name, value in environ.items() if not name.startswith(_OWN)}
    where = sign_in(settings.load(ours).clickhouse, GRAFANA)
    return {
        **environ,
        f"{_OWN}USER": where.user,
        f"{_OWN}PASSWORD": where.password,
        f"{_OWN}CA": _content(environ.get(f"{_OWN}CA_FILE", "")),
    }


def _content(path: str) -> str:
    try:
        return Path(path).read_text() if path else ""
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}; a PEM file is needed") from error


def main() -> int:
    """Become Grafana."""
    command = sys.argv[1:]
    os.execve(command[0], command, environment(os.environ))  # noqa: S606 - becomes Grafana


if __name__ == "__main__":
    sys.exit(log.exit_code(main))

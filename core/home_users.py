"""A home's own users of its embedded warehouse: each of our processes by name, and what it may.

Nobody adds them and no identity file holds them: their secrets are files of the home
(`core.credentials`), made by whoever needs one first. So a plain start needs no typing, and
removing a person shuts out no process. Each has the least role that works.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from core import credentials
from core.errors import SettingsError
from core.identity import RESERVED, Role, User
from core.sections import ClickhouseSettings
from core.settings import Settings

OWNER = "owner"
SETUP = "setup"
DBT = "dbt"
COMMANDS = "commands"
READER = "reader"
DAGSTER = "dagster"
GRAFANA = "grafana"
ASSISTANT = "assistant"
API = "api"
BOARD = "board"

ROLES: Mapping[str, Role] = {
    #: The person whose home it is: `tickhouse sql`, backup, restore.
    OWNER: "admin",
    #: Tables before anything writes to them: `up`, `replay`, `import`, and retention.
    SETUP: "writer",
    #: Builds marts, in databases of their own.
    DBT: "writer",
    "streams.ticks": "recorder",
    "streams.signals": "recorder",
    "streams.executions": "recorder",
    "quix.exposure": "recorder",
    "watch": "recorder",
    #: What Dagster runs besides dbt, backup and retention: checks, reports, training, trail.
    DAGSTER: "recorder",
    #: The same from the command line.
    COMMANDS: "recorder",
    #: Commands that only look: explain, status, doctor, search.
    READER: "analyst",
    #: For a person who asks it signs in as `tickhouse.board/NAME`.
    BOARD: "analyst",
    "bot": "analyst",
    #: `tickhouse mcp`.
    ASSISTANT: "analyst",
    #: For a person with filters or limits it signs in as `tickhouse.api/NAME`.
    API: "analyst",
    GRAFANA: "grafana",
}
#: Who may read under the name of a person, with that one's filters and limits.
ASK_FOR_PEOPLE = frozenset({RESERVED + API, RESERVED + BOARD})
# A command that reads the whole past takes its time; people at the same role do not.
_PATIENT = {READER: (30 * 86_400, 2**40)}


def user(name: str) -> User:
    """The user of the warehouse that a process is."""
    seconds, mib = _PATIENT.get(name, (0, 0))
    return User(RESERVED + name, ROLES[name], "", max_seconds=seconds, max_memory_mib=mib)


def credential(name: str) -> str:
    """Name of the file with a process's password."""
    return f"warehouse.{name}"


def known(directory: Path) -> dict[str, tuple[User, str]]:
    """Every one of them by the user's name, with the password; made where missing.

    Raises:
        SettingsError: a file of a secret is not ours, or not only ours to read.
    """
    signed_up = ((user(name), credentials.secret(directory, credential(name))) for name in ROLES)
    return {one.name: (one, password) for one, password in signed_up}


def sign_in(where: ClickhouseSettings, name: str) -> ClickhouseSettings:
    """The warehouse as this process may use it; as it was, where it does not know our credentials.

    Raises:
        SettingsError: nobody is called so, or the file of the secret cannot be trusted.
    """
    if name not in ROLES:
        raise SettingsError(
            f"nobody is called {name!r} in the warehouse; known: {', '.join(ROLES)}"
        )
    if not where.credentials:
        return where
    password = credentials.secret(Path(where.credentials), credential(name))
    return replace(where, user=RESERVED + name, password=password)


def as_process(settings: Settings, name: str) -> Settings:
    """The settings of a process that signs in to the warehouse under its name.

    Raises:
        SettingsError: as `sign_in`.
    """
    return replace(settings, clickhouse=sign_in(settings.clickhouse, name))

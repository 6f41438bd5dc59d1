"""The API as part of `tickhouse up`: it only looks and halts, nothing waits for it."""

import sys
from importlib.util import find_spec

from cli.stack.process_spec import ProcessSpec
from core.errors import SettingsError

NAME = "api"


def api_process(port: int) -> ProcessSpec:
    """Its process.

    Raises:
        SettingsError: the extra is not installed.
    """
    check_installed()
    line = (sys.executable, "-m", "api", "--port", str(port))
    return ProcessSpec(NAME, line, waited_for=False)


def check_installed() -> None:
    """Whether there is what it is made with.

    Raises:
        SettingsError: there is not.
    """
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "pyarrow")):
        raise SettingsError("the API is an extra: pip install 'tickhouse[api]'")

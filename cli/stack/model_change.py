"""What follows a change of champion or challenger: streams, SQL and MLflow are told.

The registry's files are the truth and are written first; whoever cannot be told now learns from
them at its next start, and the person is told who could not.
"""

import os

import msgspec
from rich.console import Console

from cli.stack.running import running
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Control
from core.errors import UnavailableError
from core.home_users import COMMANDS
from core.settings import Settings
from core.topics import CONTROL
from models.serving.registry import Registry


def announce(registry: Registry, settings: Settings, by: str, why: str, console: Console) -> None:
    """Streams first: they trade."""
    tell_streams(settings, by, why, console)
    tell_warehouse(registry, settings, console)
    mirror(registry, settings, console)


def tell_streams(settings: Settings, by: str, why: str, console: Console) -> None:
    """Running streams change over before their next batch."""
    stack = running(settings.home_path)
    url = settings.bus.url or (stack.urls.get("bus", "") if stack else "")
    if not url:
        console.print("Nothing runs on this home: it holds from the next start on.")
        return
    from adapters.bus import select

    bus = select.connect(msgspec.structs.replace(settings.bus, url=url), "models")
    now_us = SystemClock().now_us()
    control = Control("models", settings.run.run_id, now_us, by, why)
    try:
        bus.publish(CONTROL, "models", codec.encode(control), f"models.{now_us}", timeout_s=5.0)
        console.print("Running streams were told; they change over with their next batch.")
    except UnavailableError as error:
        console.print(f"Running streams could not be told ({error}): restart them.")
    finally:
        bus.close()


def tell_warehouse(registry: Registry, settings: Settings, console: Console) -> None:
    """The table `model` follows now, or with the next training."""
    from cli.stack.warehouse_client import warehouse_client
    from models.monitoring.table import write_models

    try:
        write_models(warehouse_client(settings, COMMANDS), registry)
    except UnavailableError:
        console.print("No warehouse runs: its table `model` follows at the next training.")


def mirror(registry: Registry, settings: Settings, console: Console) -> None:
    """MLflow shows what the files say."""
    if settings.registry.url == "none":
        return
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from models.monitoring.tracking import Tracking

    try:
        with console.status("mirroring to MLflow"):
            tracking = Tracking(settings.home_path, settings.registry.url)
            tracking.mirror(registry)
    except UnavailableError as error:
        console.print(f"{error}. Later: tickhouse models mirror", markup=False)

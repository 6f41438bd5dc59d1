"""`python -m dashboards.grafana`: writes boards/*.json from the code here."""

import sys
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.grafana import (
    compliance,
    data_quality,
    execution,
    models,
    platform,
    risk,
    trading,
)
from dashboards.grafana.board import place

FOLDER = Path(__file__).parents[1] / "boards"
BOARDS: dict[str, Callable[[], Dashboard]] = {
    "compliance": compliance.build,
    "data_quality": data_quality.build,
    "execution": execution.build,
    "models": models.build,
    "platform": platform.build,
    "risk": risk.build,
    "trading": trading.build,
}


def text_of(name: str) -> str:
    """A board as Grafana's JSON, keys sorted so that a change is a small diff."""
    built = BOARDS[name]().build()
    place([panel for panel in built.panels or () if isinstance(panel, Panel)])
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(built) + "\n"


def files() -> dict[Path, str]:
    """Everything generated, by path."""
    return {FOLDER / f"{name}.json": text_of(name) for name in BOARDS}


def main() -> int:
    """Write all; say which changed."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"{path.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Search over decisions, where one came from, and how the last verifications of the trail ended."""

from datetime import timedelta
from typing import Any

from audit import trail
from core.errors import SettingsError
from core.settings import Settings
from dashboards.compliance.questions import Warehouse
from dashboards.compliance.report_shelf import wanted

_MOST = 200


class Decisions:
    """Asks the warehouse. Blocking."""

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self._settings, self._warehouse = settings, warehouse

    def search(self, parameters: Any) -> dict[str, Any]:
        """Orders and denials, the newest first.

        Raises:
            SettingsError: nothing to search by is given, or a day is none.
            UnavailableError, WarehouseError: the warehouse is away, or refused.
        """
        given = {
            name: str(parameters.get(name, "")).strip() for name in ("id", "symbol", "strategy")
        }
        day = str(parameters.get("day", "")).strip()
        if not any(given.values()) and not day:
            raise SettingsError("search by an id, a symbol, a day or a strategy")
        begin = wanted({"day": day}).day if day else None
        rows = self._warehouse.rows("decisions", {
            **given, "mode": str(parameters.get("mode", "live")),
            "denied": parameters.get("denied", "") == "yes",
            "begin": str(begin or ""), "end": str(begin + timedelta(days=1)) if begin else "",
            "most": _MOST + 1,
        })  # fmt: skip
        return {"rows": rows[:_MOST], "more": len(rows) > _MOST}

    def lineage(self, order: str, run: str) -> dict[str, Any]:
        """Every event of an order with what it came from, as `lineage_of` says."""
        if not order:
            raise SettingsError("name an order")
        rows = self._warehouse.rows("decision_lineage", {"order": order, "run": run})
        if not rows:
            raise SettingsError("no such order, or not stored yet")
        return {"order": order, "rows": rows}

    def verifications(self) -> dict[str, Any]:
        """The last of the audit trail, the newest first, and the newest sealed day."""
        kept = trail.archive(self._settings)
        days = sorted(path.parent.name for path in kept.glob("????-??-??/root.json"))
        return {
            "rows": self._warehouse.rows("verifications", {}), "sealed": days[-1] if days else "",
            "seals": len(days),
        }  # fmt: skip

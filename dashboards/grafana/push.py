"""Boards and folder into a Grafana that is there already, by its HTTP API.

Idempotent: a board that is as it should be is left alone. A board with one of our names that is
not ours (another folder, or without our tag) belongs to a person and is refused, not overwritten.
It sends the committed JSON, so it needs Grafana's client and not the kit that made the boards.
"""

import json
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

from grafana_client import GrafanaApi, TokenAuth
from grafana_client.client import GrafanaClientError, GrafanaException

from core.errors import SettingsError, TickhouseError, UnavailableError

_BOARDS = Path(__file__).parents[1] / "boards"
#: What Grafana numbers itself, and what it may raise.
_OF_GRAFANA = ("id", "version", "iteration", "refresh")
_REFRESH = re.compile(r"(\d+)(ms|[smhd])")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
FOLDER, FOLDER_UID, TAG = "Tickhouse", "tickhouse", "tickhouse"


class Pushed(NamedTuple):
    """What became of a board, and where it is."""

    title: str
    outcome: Literal["created", "updated", "unchanged"]
    url: str


def push(url: str, token: str) -> list[Pushed]:
    """Bring all boards to a Grafana.

    Raises:
        SettingsError: the token is refused, or a name is taken by somebody's own board.
        UnavailableError: nothing answers at the URL, or what does is no Grafana.
    """
    grafana: Any = GrafanaApi.from_url(url, credential=TokenAuth(token))
    try:
        _folder(grafana)
        ours = boards()
        before = [_present(grafana, board["uid"]) for board in ours]
        for board, present in zip(ours, before, strict=True):
            _ours(board, present)
        return [
            _push(grafana, url, board, present) for board, present in zip(ours, before, strict=True)
        ]
    except GrafanaException as error:
        raise _translated(error, url) from error
    except (OSError, ValueError) as error:
        raise UnavailableError(f"no Grafana answers at {url}: {error}") from error


def boards() -> list[dict[str, Any]]:
    """The committed boards, by the names of their files."""
    return [json.loads(path.read_text()) for path in sorted(_BOARDS.glob("*.json"))]


def _folder(grafana: Any) -> None:
    try:
        grafana.folder.get_folder(FOLDER_UID)
    except GrafanaClientError as error:
        if error.status_code != 404:
            raise
        grafana.folder.create_folder(FOLDER, uid=FOLDER_UID)


def _present(grafana: Any, uid: str) -> dict[str, Any] | None:
    try:
        board: dict[str, Any] = grafana.dashboard.get_dashboard(uid)
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise
    return board


def _ours(board: dict[str, Any], present: dict[str, Any] | None) -> None:
    if present is None:
        return
    folder = present["meta"].get("folderUid")
    if folder != FOLDER_UID or TAG not in present["dashboard"].get("tags", []):
        raise SettingsError(
            f"the board {present['dashboard'].get('title')!r} with uid {board['uid']} is not ours "
            f"(folder {folder!r}): rename its uid in Grafana; nothing was changed"
        )


def _push(grafana: Any, url: str, board: dict[str, Any], present: dict[str, Any] | None) -> Pushed:
    where = f"{url.rstrip('/')}/d/{board['uid']}"
    if present is not None and _is_as_it_should_be(present["dashboard"], board):
        return Pushed(board["title"], "unchanged", where)
    grafana.dashboard.update_dashboard(
        {
            "dashboard": board,
            "folderUid": FOLDER_UID,
            "overwrite": True,
            "message": "tickhouse boards push",
        }
    )
    return Pushed(board["title"], "updated" if present else "created", where)


def _is_as_it_should_be(present: dict[str, Any], board: dict[str, Any]) -> bool:
    """A Grafana whose shortest refresh is longer than ours raises it, and would at every push."""
    slower = _seconds(present.get("refresh")) >= _seconds(board.get("refresh"))
    return slower and _content(present) == _content(board)


def _content(board: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in board.items() if key not in _OF_GRAFANA}


def _seconds(refresh: object) -> float:
    """Of Grafana's way of writing them, as 1m; 0 when it does not refresh."""
    match = _REFRESH.fullmatch(str(refresh))
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


def _translated(error: GrafanaException, url: str) -> TickhouseError:
    if error.status_code in (401, 403):
        return SettingsError(f"{url} refuses the token: give one of a role that may edit boards")
    return UnavailableError(f"{url}: {error}")

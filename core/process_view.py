"""Where a supervised process is asked, and what it answers, without supervisor, bus and warehouse.

`tickhouse status` joins the answer with what supervisord knows; `watch` asks by itself, so that it
notices who hangs while everything else is down.
"""

import functools
import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from core import tls

_ANSWER_WITHIN_S = 1.0


class ProcessView(msgspec.Struct, frozen=True):
    """Where to look at one process."""

    name: str
    health_file: str
    ready_url: str
    log: str
    patience_s: float = 0.0  # after the stack's start, until one that never answered is missed


def health_of(view: ProcessView, pid: int) -> tuple[str, str]:
    """What the process of this pid says, and a line for a person: ready, starting, degraded,
    stopping; silent: no answer.
    """
    url, home = _url(view, pid)
    if not url:
        return "starting", "has not opened its health port yet"
    code, body = _get(url, home)
    if code == 0:
        # A server that we did not write has no health port that opens before it is ready.
        return ("starting" if view.ready_url else "silent"), str(body.get("error", ""))
    if view.ready_url:
        return ("ready" if code == 200 else "starting"), ""
    return str(body.get("status", "silent")), str(body.get("detail", ""))


def answers(view: ProcessView) -> bool:
    """Whether anything of it answers: one of ours at all, another's server that it is ready."""
    url, home = _url(view)
    code = _get(url, home)[0] if url else 0
    return code == 200 if view.ready_url else code != 0


def _url(view: ProcessView, pid: int = 0) -> tuple[str, Path]:
    """Where to ask, "" when nobody says; and the home, whose authority is trusted."""
    home = Path(view.health_file).parent.parent
    if view.ready_url:
        return view.ready_url, home
    port = _port(Path(view.health_file), pid)
    return f"{tls.scheme(home)}://127.0.0.1:{port}/health" if port else "", home


def _port(file: Path, pid: int) -> int:
    """The port that the process of this pid left; of any, for 0."""
    try:
        content = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return 0
    # Another pid's is of a former run.
    return int(content["health_port"]) if pid in (0, content.get("pid")) else 0


def _get(url: str, home: Path) -> tuple[int, dict[str, Any]]:
    """Status and body; status 0 when nobody answers, or dies while answering."""
    try:
        try:
            with _direct(tls.authority_of(home)).open(url, timeout=_ANSWER_WITHIN_S) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, _json(refusal.read())
    except (OSError, http.client.HTTPException) as error:
        return 0, {"error": f"no answer at {url}: {tls.why(error) or error}"}


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@functools.cache
def _direct(authority: str) -> urllib.request.OpenerDirector:
    """Loopback needs no proxy."""
    secured = urllib.request.HTTPSHandler(context=tls.trusting(authority))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), secured)

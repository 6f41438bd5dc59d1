"""People of the quarter: a client whose file is not in order, and one who is forgotten."""

import contextlib
import io
import re

import pytest

from audit.export import export
from cli.main import main
from core.settings import Settings, environment_of
from tests.support.byte_search import places
from tests.support.warehouse_server import Warehouse

NAME = "Ebenezer Featherstonehaugh"
_WHY = ("--by", "ann", "--reason", "a request")


def forgotten(server: Warehouse, settings: Settings, patch: pytest.MonkeyPatch) -> list[str]:
    """Add somebody to the vault, erase them as they ask; where their name still stands after it."""
    home = settings.home_path
    vault = home.with_name("vault")
    for name, value in environment_of("privacy", vault=str(vault)).items():
        patch.setenv(name, value)
    who = _added(patch, NAME)
    asked_for = _said(patch, "privacy", "request", who, "--kind", "erasure", *_WHY)
    case = re.findall("request-[0-9a-f]{8}", asked_for)[0]
    erased = _said(patch, "privacy", "erase", case, *_WHY)
    assert "is destroyed" in erased, erased
    export(server.client, server.settings, home)
    server.client.command("SYSTEM FLUSH LOGS")
    return [file for folder in (home, vault) for file in places(folder, NAME.encode())]


def lacking(patch: pytest.MonkeyPatch) -> bool:
    """Whether a client without a document is told to be not in order, with what it lacks."""
    who = _added(patch, "Another Person")
    _said(patch, "clients", "add", who, *_WHY)
    listed = _said(patch, "clients", "status", code=1)
    return all(word in listed for word in (who, "NO", "agreement", "identity"))


def _added(patch: pytest.MonkeyPatch, name: str) -> str:
    said = _said(patch, "privacy", "add", "--field", "name", "--field", "birth_date", "--by", "ann",
                 "--reason", "new", typed=f"{name}\n1961-04-12\nformer client\n")  # fmt: skip
    return re.findall("p-[0-9a-f]{12}", said)[0]


def _said(patch: pytest.MonkeyPatch, *words: str, typed: str = "", code: int = 0) -> str:
    patch.setattr("sys.stdin", io.StringIO(typed))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        left = main(list(words))
    assert left == code, (words, out.getvalue())
    return out.getvalue()

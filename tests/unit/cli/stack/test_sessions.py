"""What a session says of the limits under which it began."""

from pathlib import Path

import pytest

from cli.stack.sessions import contents, described
from core.settings import Settings


@pytest.mark.parametrize(("signed", "ends"), [(0, ""), (7, "#7")])
def test_it_names_limits_as_decisions_do(tmp_path: Path, signed: int, ends: str) -> None:
    settings = Settings(home=str(tmp_path))
    kept = contents(settings, b'version = "a"\n')
    session = described(settings, kept, signed)
    assert session.limits_version == f"a+{session.limits_hash[:12]}{ends}"

"""A clickhouse binary as the warehouse: how it is started, and why it is not.

No real binary is at hand in tests: what is started is a stand-in that reads the configuration as
the binary would and serves it with the embedded warehouse.
"""

import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import urllib3

from cli.stack.clickhouse_server import clickhouse_server
from cli.stack.embedded import embedded_stack
from core.errors import SettingsError
from core.sections import ClickhouseSettings, WarehouseSettings
from core.settings import Settings
from tests.support.servers import free_port
from tests.unit.cli.stack.test_embedded import PORTS

WISHED = Settings(warehouse=WarehouseSettings(server="clickhouse"))
STAND_IN = """#!{python}
import sys
import xml.etree.ElementTree as ElementTree
from warehouse.__main__ import main
assert sys.argv[1] == "server"
config = ElementTree.parse(sys.argv[2].removeprefix("--config-file=")).getroot()
address, port = config.findtext("listen_host"), config.findtext("http_port")
home = config.findtext("path")
sys.exit(main(["--home", home, "--port", port, "--listen", address]))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An executable `clickhouse`, alone on PATH."""
    file = tmp_path / "bin" / "clickhouse"
    file.parent.mkdir()
    file.write_text(STAND_IN.format(python=sys.executable))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(file.parent))
    return file


def test_without_the_binary_the_error_names_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="no `clickhouse` on PATH: install it, or unset"):
        embedded_stack(WISHED, tmp_path, PORTS)


def test_a_server_elsewhere_needs_no_binary(tmp_path: Path) -> None:
    settings = Settings(
        warehouse=WISHED.warehouse, clickhouse=ClickhouseSettings(url="http://db:8123")
    )
    names = [spec.name for spec in embedded_stack(settings, tmp_path, PORTS)]
    assert "warehouse" not in names


@pytest.mark.usefixtures("stand_in")
def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    settings = Settings(warehouse=WarehouseSettings(server="clickhouse", listen="0.0.0.0"))
    with pytest.raises(SettingsError, match="on loopback only"):
        clickhouse_server(settings, tmp_path, 8123)


@pytest.mark.usefixtures("stand_in")
def test_the_password_is_hashed_in_a_file_for_its_owner(tmp_path: Path) -> None:
    settings = Settings(clickhouse=ClickhouseSettings(user="ticks", password="s3cret&"))
    clickhouse_server(settings, tmp_path, 8123)
    file = tmp_path / "clickhouse" / "config.xml"
    assert "s3cret" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    users = ElementTree.parse(file).getroot().find("users/ticks")
    assert users is not None
    assert len(users.findtext("password_sha256_hex", "")) == 64


@pytest.mark.process
def test_the_stack_s_warehouse_is_the_binary_and_answers(stand_in: Path, tmp_path: Path) -> None:
    spec = clickhouse_server(WISHED, tmp_path, free_port())
    assert spec.command[0] == str(stand_in)
    assert embedded_stack(WISHED, tmp_path, PORTS)[0].command[:2] == spec.command[:2]
    spec = clickhouse_server(WISHED, tmp_path, int(spec.ready_url.split(":")[2].split("/")[0]))
    process = subprocess.Popen(spec.command, cwd=Path(__file__).parents[3], env={"PYTHONPATH": "."})
    try:
        with urllib3.PoolManager() as http:
            deadline = time.monotonic() + 60
            while True:
                assert process.poll() is None
                assert time.monotonic() < deadline
                try:
                    answer = http.request("GET", spec.ready_url, retries=False)
                    break
                except urllib3.exceptions.HTTPError:
                    time.sleep(0.05)
            assert answer.data == b"Ok.\n"
    finally:
        process.terminate()
        assert process.wait(60) == 0

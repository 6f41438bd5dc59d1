"""compose.yaml holds the processes that `tickhouse up` starts, with settings that exist.

No container engine runs here: what can be checked without one is.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cli.stack.board import live_page
from cli.stack.embedded import Ports, live_stack
from cli.stack.orchestration import orchestration_stack
from core import settings
from core.settings import Settings
from orchestration import instance

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: said for name, said in SERVICES.items() if said["image"] == "tickhouse:local"}
MAKERS = {name: said for name, said in SERVICES.items() if name not in OURS}
HOME = Path("/var/lib/tickhouse")


def module_of(command: list[str]) -> list[str]:
    """`-m module` and its words, without ports and paths."""
    words = " ".join(command[command.index("-m") :])
    return re.sub(r" --(port|home) \S+", "", words).split()


def test_the_file_keeps_to_the_schema_of_compose_files():
    checker = Path(sys.executable).with_name("check-jsonschema")
    words = [str(checker), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_process_of_up_has_a_service_with_the_same_command(tmp_path):
    specs = [
        *live_stack(Settings(), tmp_path, Ports(1, 2, 3, 4)),
        live_page(5),
        *orchestration_stack(tmp_path, 3000),
    ]
    started = {spec.name: module_of(list(spec.command)) for spec in specs}
    del started["warehouse"], started["bus"]  # ClickHouse and Kafka stand in their places
    started["quix.exposure"] = ["-m", "streams.quix", "exposure"]  # lives on Kafka only
    composed = {n: module_of(said["command"]) for n, said in OURS.items() if n != "prepare"}
    for words in (started["orchestration.daemon"], composed["orchestration.daemon"]):
        words[2:] = [word for word in words[2:] if word != "--port"]
    assert composed == started


@pytest.mark.parametrize("name", OURS)
def test_settings_of_a_service_exist_and_its_secrets_are_files(name, tmp_path):
    environment = dict(OURS[name]["environment"])
    for variable, value in environment.items():
        if "PASSWORD" in variable:
            assert variable.endswith("_FILE")
            secret = Path(value).name
            assert secret in OURS[name]["secrets"]
            environment[variable] = str(tmp_path / secret)
            (tmp_path / secret).write_text("hush\n")
    loaded = settings.load(environment, tmp_path)
    assert loaded.clickhouse.password == "hush"
    assert loaded.bus.kind == "kafka"


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("orchestration.")])
def test_dagster_finds_what_prepare_wrote(name):
    environment = OURS[name]["environment"]
    assert instance.environment(HOME).items() <= environment.items()


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"prepare"}))
def test_health_is_asked_of_the_process_itself(name):
    assert OURS[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "core.probe", name]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_and_a_pinned_image_and_is_waited_for(name):
    service = SERVICES[name]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    pinned = r"tickhouse:local|[\w./-]+:(?!latest)[\w.-]+@sha256:[0-9a-f]{64}"
    assert re.fullmatch(pinned, service["image"])
    assert "healthcheck" in service or name == "prepare"
    assert service.get("depends_on", {}).keys() <= SERVICES.keys()


@pytest.mark.parametrize("name", MAKERS)
def test_servers_listen_on_loopback_only(name):
    service = MAKERS[name]
    assert service["network_mode"] == "host"
    said = {
        "clickhouse": (ROOT / "containers" / "clickhouse.xml").read_text(),
        "kafka": service["environment"].get("KAFKA_LISTENERS", ""),
        "grafana": service["environment"].get("GF_SERVER_HTTP_ADDR", ""),
    }[name]
    addresses = re.findall(r"\d+\.\d+\.\d+\.\d+|\*|::", said)
    assert set(addresses) == {"127.0.0.1"}


def test_files_that_are_mounted_or_copied_are_there():
    sources = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    copied = re.findall(r"requirements/\S+\.txt", (ROOT / "Dockerfile").read_text())
    assert sources
    assert copied
    assert [name for name in [*sources, *copied] if not (ROOT / name).exists()] == []


def test_what_the_host_may_set_has_a_default():
    """A variable that is forgotten must not silently become empty."""
    text = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"(?<!\$)\$\{\w+\}", text) == []


def test_the_image_is_built_on_one_that_is_pinned_by_digest():
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}"] * 2
    (base,) = re.findall(r"^ARG BASE=(\S+)", text, re.MULTILINE)
    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}", base)


def test_what_is_trusted_lies_outside_the_state_in_the_image():
    """Else every command refuses: keys and trust must lie outside the home."""
    text = (ROOT / "Dockerfile").read_text()
    (own,) = re.findall(r"--home-dir (\S+)", text)
    (state,) = re.findall(r"TICKHOUSE_HOME=(\S+)", text)
    assert not Path(own).is_relative_to(state)


def test_the_image_has_what_the_package_is_built_of():
    """Files that pyproject.toml puts into a wheel must not be kept from the build."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept_out = [line.removesuffix("/*") for line in lines if not line.startswith("!")]
    for name in wheel["targets"]["wheel"]["force-include"]:
        assert f"!{name}" in lines or name.split("/")[0] not in kept_out, name

import argparse
from pathlib import Path

import pytest

from cli.commands import models as command
from cli.times import time_us
from core.errors import ModelError, SettingsError
from core.sections import ModelSettings, RegistrySettings
from core.settings import Settings
from models.serving.registry import Registry
from models.training.train import fit
from tests.support.datasets import planted_dataset


def run(home: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(
        parser.parse_args(words), Settings(home=str(home), registry=RegistrySettings(url="none"))
    )


def test_an_empty_home_says_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    assert "tickhouse train" in capsys.readouterr().out
    with pytest.raises(ModelError, match="tickhouse models list"):
        run(tmp_path, "promote", "abc", "--by", "ann")
    with pytest.raises(ModelError, match="no champion"):
        run(tmp_path, "rollback")


def test_promotion_works_without_a_warehouse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fit(
        planted_dataset(),
        "r",
        ModelSettings(5.0, 3, 2, threads=1, members=("xgboost",)),
        simulated=True,
    )
    Registry(tmp_path / "models").save(model)
    short = model.card.sha256[:12]
    assert run(tmp_path, "promote", short, "--by", "ann") == 0
    assert run(tmp_path, "list") == 0
    plot = tmp_path / "reliability.png"
    assert run(tmp_path, "show", short, "--plot", str(plot)) == 0
    assert plot.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SettingsError, match="nonsense"):
        run(tmp_path, "show", short, "--plot", str(tmp_path / "plot.nonsense"))
    shown = capsys.readouterr().out
    assert f"{short} is champion, approved by ann." in shown
    assert "follows at the next training" in shown
    assert "simulated" in shown
    assert "AUC of direction" in shown


def test_times_without_a_zone_are_utc() -> None:
    assert time_us("2014-05-02T12:30:00", 0) == time_us("2014-05-02T14:30:00+02:00", 0)
    assert time_us("2014-05-02", 0) == 1_398_988_800_000_000
    assert time_us(None, 7) == 7
    with pytest.raises(SettingsError, match="yesterday"):
        time_us("yesterday", 0)

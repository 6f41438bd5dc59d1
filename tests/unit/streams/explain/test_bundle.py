import zipfile

import numpy as np
import pytest

from core.contracts.signal import Signal
from core.contracts.tick import TICK
from core.errors import InputError
from streams.explain import bundle
from streams.explain.facts import Facts, HeldBefore, Start
from streams.explain.recompute import Material


@pytest.fixture
def sealed(tmp_path):
    """A small bundle and its seal."""
    ticks = np.zeros(50, TICK)
    ticks["time_msc"] = np.arange(50)
    signal = Signal(
        signal_id="s", run_id="r", mode="replay", account="a", strategy="mine", source="oanda",
        symbol="EURUSD", ts_event_us=49_000, ts_init_us=49_000, time_msc=49, seq=0, target=1.0,
        reference_price=1.1, stop_price=1.0, horizon_us=50, expires_us=50, confidence=0.6,
        model="mine", prediction_id="",
    )  # fmt: skip
    facts = Facts(
        asked="s", signal=signal, orders=[], feature_set_hash="hash", mid=1.1, spread=0.1,
        features=b"\0" * 8, probabilities=b"", model="", settings="{}", held=HeldBefore(0, 0),
        feeds=[Start("oanda", "EURUSD", 0, 0)],
    )  # fmt: skip
    strategies = tmp_path / "strategies"
    strategies.mkdir()
    (strategies / "mine.py").write_text("# mine")
    file = tmp_path / "decision.zip"
    return file, bundle.write(file, facts, Material({"EURUSD": ticks}, None, strategies))


def test_what_was_sealed_comes_back(sealed, tmp_path):
    file, seal = sealed
    opened = bundle.read(file, tmp_path / "out", seal)
    assert opened.seal == seal
    assert opened.facts.signal.signal_id == "s"
    assert opened.material.ticks["EURUSD"]["time_msc"].tolist() == list(range(50))
    assert (opened.material.strategies / "mine.py").read_text() == "# mine"


def test_any_changed_missing_or_added_byte_is_detected(sealed, tmp_path):
    file, _ = sealed
    content = file.read_bytes()
    changed = [
        content[:n] + bytes([content[n] ^ 1]) + content[n + 1 :] for n in range(0, len(content), 3)
    ]
    changed += [content[:-1], content[1:], content + b"\n", content[:100] + content[101:], b""]
    for number, data in enumerate(changed):
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"CHANGED|no bundle"):
            bundle.read(file, tmp_path / str(number))
        assert not (tmp_path / str(number)).exists()


def test_another_bundle_than_the_one_asked_for_is_refused(sealed, tmp_path):
    with pytest.raises(InputError, match="another or a forged bundle"):
        bundle.read(sealed[0], tmp_path, "0" * 64)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda p: p.update({"facts.json": p["facts.json"] + b" "}), "does not fit facts"),
        (lambda p: p.update({"../evil.py": b""}), r"does not fit \.\./evil"),
        (lambda p: p.pop("ticks/EURUSD.npy"), "does not fit ticks"),
        (lambda p: p.pop("manifest.json"), "damaged"),
    ],
)
def test_a_part_changed_and_sealed_anew_does_not_fit_its_manifest(sealed, tmp_path, forge, said):
    file, seal = sealed
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    forge(parts)
    file.write_bytes(resealed(parts))
    with pytest.raises(InputError, match=said):
        bundle.read(file, tmp_path / "out")
    with pytest.raises(InputError, match="another or a forged bundle"):
        bundle.read(file, tmp_path / "out", seal)


def resealed(parts):
    """What someone does who knows the format."""
    import hashlib
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.comment = bundle._MARK + b"0" * 64
    body = out.getvalue()[:-64]
    return body + hashlib.sha256(body).hexdigest().encode()


def test_code_is_not_run_without_a_known_seal(sealed, tmp_path):
    with pytest.raises(InputError, match="give the --seal"):
        bundle.read(sealed[0], tmp_path / "out")


def test_no_bundle_at_all_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        bundle.read(tmp_path / "gone.zip", tmp_path)

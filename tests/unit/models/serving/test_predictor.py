import msgspec
import numpy as np
import onnx
import pytest

from core.errors import ModelError
from core.sections import ModelSettings
from features.catalog import NAMES
from models.members.select import KINDS
from models.serving.artifact import Artifact, Graphs
from models.serving.predictor import Predictor
from models.serving.session import Session
from models.training.examples import Examples
from models.training.ranges import range_of
from models.training.train import fit
from tests.support.datasets import recorded_dataset


@pytest.fixture(scope="module")
def model() -> Artifact:
    """Every kind of member, the sequence network too."""
    settings = ModelSettings(rounds=10, threads=1, members=tuple(KINDS), sequence_rows=1_000)
    return fit(recorded_dataset(), "r", settings, simulated=False)


def test_every_member_passes_its_gate_and_has_a_part(model: Artifact) -> None:
    assert [m.name for m in model.card.members] == list(KINDS)
    assert model.card.left_out == {}
    assert sum(m.weight for m in model.card.members) == pytest.approx(1.0)
    assert max(m.parity for m in model.card.members) == model.card.parity <= 1e-5


def test_bits_of_every_member_do_not_depend_on_where_rows_are_cut(model: Artifact) -> None:
    rows, predictor = recorded_dataset().rows[:1_500], Predictor(model)
    whole = predictor.predict(rows)
    for size in (1, 7, 64, 1000):
        parts = [
            predictor.predict(rows[n : n + size], rows[max(0, n - predictor.past) : n])
            for n in range(0, len(rows), size)
        ]
        for field in ("probabilities", "agreement", "veto", "absent", "outside"):
            joined = np.concatenate([getattr(part, field) for part in parts])
            assert joined.tobytes() == getattr(whole, field).tobytes(), field
        members = np.concatenate([part.members for part in parts], axis=1)
        assert members.tobytes() == whole.members.tobytes()


def test_chosen_rows_have_the_bits_of_consecutive_ones(model: Artifact) -> None:
    rows, predictor = recorded_dataset().rows[:500], Predictor(model)
    at = np.array([3, 63, 64, 499])
    chosen = predictor.predict_at(rows, at, np.zeros(4, np.int64))
    assert chosen.members.tobytes() == predictor.predict(rows).members[:, at].tobytes()


def test_bits_of_trees_equal_an_unbatched_run_of_the_engine(model: Artifact) -> None:
    rows = recorded_dataset().rows[:3_000]
    for name in ("xgboost", "lightgbm", "linear"):
        session, found = Session(model.members[name]), np.empty((len(rows), 3), np.float32)
        session.predict(rows, found)
        unbatched = session._session.run(["probabilities"], {"rows": rows})[0]
        assert found.tobytes() == unbatched.tobytes(), name


def test_probabilities_sum_to_one_and_agreement_is_a_share(model: Artifact) -> None:
    found = Predictor(model).predict(recorded_dataset().rows[:200])
    assert found.probabilities.dtype == np.float32
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert ((found.agreement > 0) & (found.agreement <= 1)).all()
    assert Predictor(model).probabilities(recorded_dataset().rows[:0]).shape == (0, 3)


def test_a_member_without_enough_rows_before_leaves_its_weight_to_the_others(
    model: Artifact,
) -> None:
    found, place = Predictor(model).predict(recorded_dataset().rows[:100]), 3
    assert np.flatnonzero(found.absent == 0).tolist() == list(range(63, 100))
    assert (found.absent[:63] == 1 << place).all()
    weights = np.array([m.weight for m in model.card.members[:place]])
    mean = np.tensordot(weights / weights.sum(), found.members[:place, 5], axes=1)
    np.testing.assert_allclose(found.probabilities[5], mean, atol=1e-6)
    assert np.isnan(found.members[place, :63]).all()


def test_a_member_whose_output_is_no_number_is_left_out(model: Artifact) -> None:
    rows = recorded_dataset().rows[500:600]
    broken = onnx.load_from_string(model.members["linear"])
    for value in broken.graph.initializer:
        if value.name == "bias":
            value.CopyFrom(onnx.numpy_helper.from_array(np.full(3, np.nan, np.float32), "bias"))
    members = {**model.members, "linear": broken.SerializeToString()}
    found = Predictor(Graphs(model.graphs.manifest, members)).predict(rows, rows)
    assert (found.absent & 4 > 0).all()
    assert np.isfinite(found.probabilities).all()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=1e-6)


def test_a_member_that_cannot_be_loaded_is_said_and_the_others_go_on(model: Artifact) -> None:
    for foreign in (b"", b"not a model", model.members["xgboost"][:1000], sequence_of(model)):
        members = {**model.members, "lightgbm": foreign}
        predictor = Predictor(Graphs(model.graphs.manifest, members))
        assert list(predictor.problems) == ["lightgbm"]
        found = predictor.predict(recorded_dataset().rows[:10])
        assert (found.absent & 2 > 0).all()
        assert not found.veto.any()
    with pytest.raises(ModelError, match="member xgboost: not a model ONNX Runtime can load"):
        Predictor(Graphs(model.graphs.manifest, dict.fromkeys(KINDS, b"")))


def sequence_of(model: Artifact) -> bytes:
    """A whole graph, but one that takes windows."""
    return model.members["sequence"]


def test_when_nobody_speaks_the_shares_are_said_and_nothing_may_be_opened(model: Artifact) -> None:
    members = {"sequence": model.members["sequence"]}
    found = Predictor(Graphs(model.graphs.manifest, members)).predict(recorded_dataset().rows[:5])
    assert found.veto.all()
    assert (found.agreement == 0).all()
    np.testing.assert_allclose(found.probabilities[0], model.graphs.manifest.shares, atol=1e-6)


def test_a_row_outside_the_training_range_is_vetoed(model: Artifact) -> None:
    rows = recorded_dataset().rows[5_000:5_003].copy()
    rows[1, 16] = 500.0  # a spread of five per cent
    rows[2, :] = np.nan  # missing is not outside
    assert Predictor(model).predict(rows).veto.tolist() == [False, True, False]


def test_every_member_has_a_range_and_trees_the_same(model: Artifact) -> None:
    trees, *others = model.graphs.manifest.members
    assert {(m.low, m.high) for m in others[:-1]} == {(trees.low, trees.high)}
    assert all(len(m.low) == len(m.high) == len(NAMES) for m in others)


def test_a_range_is_that_of_the_rows_in_the_windows_trained_on() -> None:
    data = recorded_dataset()
    at = np.array([70, 90, 400, 1_000])
    given = Examples(data.rows, at, np.zeros(4, np.int64), np.ones(4, np.int8), np.ones(4))
    places = sorted({int(a) - back for a in at for back in range(64)})
    assert given.rows_in_windows(64).tobytes() == data.rows[places].tobytes()
    assert given.rows_in_windows(1).tobytes() == data.rows[at].tobytes()
    (few_low, few_high), (low, high) = range_of(given.rows_in_windows(64)), range_of(data.rows)
    column = NAMES.index("spread_bp")
    known = data.rows[places, column].astype(np.float64)
    width = known.max() - known.min()
    assert few_high[column] == np.float32(known.max() + width) < high[column]
    assert few_low[column] == np.float32(known.min() - width) > low[column]


def narrowed(model: Artifact, name: str, weight: float | None = None) -> Graphs:
    """The same model whose member `name` has seen no spread above 50 basis points."""
    manifest = model.graphs.manifest
    specs = []
    for spec in manifest.members:
        high = list(spec.high)
        high[NAMES.index("spread_bp")] = 50.0
        own = {"high": tuple(high)} | ({} if weight is None else {"weight": weight})
        specs.append(msgspec.structs.replace(spec, **own) if spec.name == name else spec)
    changed = msgspec.structs.replace(
        manifest, members=tuple(specs), low=(-1e30,) * len(NAMES), high=(1e30,) * len(NAMES)
    )
    for spec in specs:
        assert len(spec.low) == len(NAMES)
    return Graphs(changed, dict(model.members))


def wide(rows: np.ndarray, place: int) -> np.ndarray:
    """Rows of which one has a spread that only a narrowed member does not know."""
    rows = rows.copy()
    rows[place, NAMES.index("spread_bp")] = 60.0
    return rows


def widened(graphs: Graphs) -> Graphs:
    """Every member but those narrowed to 50 has seen any spread."""
    column, specs = NAMES.index("spread_bp"), []
    for spec in graphs.manifest.members:
        high = list(spec.high)
        high[column] = high[column] if high[column] == 50.0 else 1e30
        specs.append(msgspec.structs.replace(spec, high=tuple(high)))
    return graphs._replace(manifest=msgspec.structs.replace(graphs.manifest, members=tuple(specs)))


def test_one_member_whose_range_is_left_vetoes_while_it_has_a_say(model: Artifact) -> None:
    rows = wide(recorded_dataset().rows[5_000:5_003], 1)
    place = list(KINDS).index("lightgbm")
    found = Predictor(widened(narrowed(model, "lightgbm"))).predict(rows)
    assert found.veto.tolist() == [False, True, False]
    assert (found.outside >> place & 1).tolist() == [0, 1, 0]
    silent = Predictor(widened(narrowed(model, "lightgbm", weight=0.0))).predict(rows)
    assert silent.veto.tolist() == [False, False, False]
    assert silent.outside.tolist() == found.outside.tolist()
    graphs = widened(narrowed(model, "lightgbm"))
    gone = Graphs(graphs.manifest, {k: v for k, v in graphs.members.items() if k != "lightgbm"})
    assert not Predictor(gone).predict(rows).veto.any()


def test_a_row_that_a_window_holds_vetoes_until_it_has_left_it(model: Artifact) -> None:
    rows = wide(recorded_dataset().rows[5_000:5_200], 70)
    predictor = Predictor(widened(narrowed(model, "sequence")))
    window = predictor.past + 1
    found = predictor.predict(rows)
    assert np.flatnonzero(found.veto).tolist() == list(range(70, 70 + window))
    at = np.arange(len(rows))
    chosen = predictor.predict_at(rows, at, np.zeros(len(rows), np.int64))
    assert chosen.outside.tolist() == found.outside.tolist()


def test_a_manifest_of_before_members_had_ranges_goes_by_its_own(model: Artifact) -> None:
    manifest = model.graphs.manifest
    old = tuple(msgspec.structs.replace(m, low=(), high=()) for m in manifest.members)
    graphs = Graphs(msgspec.structs.replace(manifest, members=old), dict(model.members))
    rows = recorded_dataset().rows[5_000:5_002].copy()
    rows[1, NAMES.index("spread_bp")] = 500.0
    assert Predictor(graphs).predict(rows).veto.tolist() == [False, True]


def test_a_graph_of_another_feature_set_is_refused(model: Artifact) -> None:
    graph = onnx.load_from_string(model.members["xgboost"])
    onnx.helper.set_model_props(graph, {"feature_set_hash": "0123456789abcdef"})
    with pytest.raises(ModelError, match="feature set 0123456789abcdef"):
        Session(graph.SerializeToString())


def test_a_manifest_of_another_feature_set_is_refused(model: Artifact) -> None:
    manifest = msgspec.structs.replace(model.graphs.manifest, feature_set_hash="0123456789abcdef")
    with pytest.raises(ModelError, match="feature set 0123456789abcdef"):
        Predictor(model._replace(manifest=manifest.to_bytes()))

import numpy as np
import onnx
import pytest

from core.errors import ModelError
from core.settings import ModelSettings
from models.artifact import Artifact
from models.predictor import Predictor
from models.train import fit
from tests.datasets import planted_dataset, recorded_dataset


@pytest.fixture(scope="module")
def model() -> Artifact:
    return fit(recorded_dataset(), "r", ModelSettings(rounds=30, threads=1), simulated=False)


def test_bits_do_not_depend_on_batch_size(model: Artifact) -> None:
    rows, predictor = recorded_dataset().rows[:3_000], Predictor(model)
    whole = predictor.predict(rows).tobytes()
    for size in (1, 7, 64, 1000):
        parts = [predictor.predict(rows[n : n + size]) for n in range(0, len(rows), size)]
        assert np.concatenate(parts).tobytes() == whole


def test_bits_equal_an_unbatched_run_of_the_engine(model: Artifact) -> None:
    rows, predictor = recorded_dataset().rows[:3_000], Predictor(model)
    unbatched = predictor._session.run(["probabilities"], {"rows": rows})[0]
    assert predictor.predict(rows).tobytes() == unbatched.tobytes()


def test_rows_written_into_the_bound_buffer_are_predicted_in_place(model: Artifact) -> None:
    rows, predictor = recorded_dataset().rows[100:105], Predictor(model)
    predictor.rows[:5] = rows
    assert predictor.run(5).tobytes() == Predictor(model).predict(rows).tobytes()


def test_probabilities_are_float32_and_sum_to_one(model: Artifact) -> None:
    found = Predictor(model).predict(recorded_dataset().rows[:200])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    assert Predictor(model).predict(recorded_dataset().rows[:0]).shape == (0, 3)


def test_bytes_that_are_no_model_are_refused(model: Artifact) -> None:
    for damaged in (b"", b"not a model", model.onnx[:1000]):
        with pytest.raises(ModelError, match="ONNX Runtime"):
            Predictor(damaged)


def test_a_model_of_another_feature_set_is_refused() -> None:
    model = fit(planted_dataset(), "r", ModelSettings(5.0, 5, 2, threads=1), simulated=True)
    graph = onnx.load_from_string(model.onnx)
    onnx.helper.set_model_props(graph, {"feature_set_hash": "0123456789abcdef"})
    with pytest.raises(ModelError, match="feature set 0123456789abcdef"):
        Predictor(graph.SerializeToString())

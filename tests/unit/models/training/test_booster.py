import numpy as np
import pytest
import xgboost

from core.errors import ModelError
from models.training import booster


@pytest.fixture(scope="module")
def trained():
    random = np.random.default_rng(7)
    rows = random.normal(size=(400, 4)).astype(np.float32)
    label = (rows[:, 0] > 0.3).astype(int) + (rows[:, 1] > 0.0)
    settings = {"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "nthread": 1}
    model = xgboost.train(settings, xgboost.DMatrix(rows, label), 8)
    return model, bytes(model.save_raw("ubj")), rows


def test_contributions_explain_the_prediction_of_the_row(trained):
    model, content, rows = trained
    text = model.inplace_predict(rows[:1])[0]
    result = booster.contributions(content, rows[0], text)
    odds = np.exp(result.sum(axis=1))
    assert result.shape == (3, 5)
    assert odds / odds.sum() == pytest.approx(text, abs=1e-5)
    assert np.abs(result[:, :2]).sum() > 5 * np.abs(result[:, 2:4]).sum()


def test_the_booster_of_another_model_explains_nothing(trained):
    _, content, rows = trained
    with pytest.raises(ModelError, match="not its own"):
        booster.contributions(content, rows[0], np.array([0.2, 0.3, 0.5], np.float32))


def test_a_damaged_booster_is_told(trained):
    with pytest.raises(ModelError, match="damaged"):
        booster.contributions(trained[1][:50], trained[2][0], np.zeros(3, np.float32))


def test_what_is_kept_is_found_by_the_models_name(tmp_path):
    booster.save(tmp_path, "ab", b"trees")
    assert booster.load(tmp_path, "ab") == b"trees"
    assert booster.load(tmp_path, "cd") == b""

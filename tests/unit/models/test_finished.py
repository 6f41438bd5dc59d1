"""The same trained graph gives the same bytes, whatever order a converter's process hashed in."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from features.catalog import NAMES
from models.members.base import finished
from models.serving.card import CLASSES
from models.serving.session import INPUT, OUTPUT


def graph(*domains: str) -> onnx.ModelProto:
    weights = numpy_helper.from_array(
        np.ones((len(NAMES), len(CLASSES)), np.float32), name="weights"
    )
    built = helper.make_graph(
        [helper.make_node("MatMul", [INPUT, "weights"], [OUTPUT])],
        "g",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, len(NAMES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, len(CLASSES)])],
        [weights],
    )
    versions = {"": 15, "ai.onnx.ml": 3}
    opsets = [helper.make_opsetid(domain, versions[domain]) for domain in domains]
    return helper.make_model(built, opset_imports=opsets)


def test_the_order_of_operator_sets_does_not_reach_the_bytes() -> None:
    one = finished(graph("", "ai.onnx.ml"), {"b": "1", "a": "2"}, len(NAMES))
    other = finished(graph("ai.onnx.ml", ""), {"a": "2", "b": "1"}, len(NAMES))
    assert one == other


def test_nothing_of_the_graph_is_lost() -> None:
    model = onnx.load_from_string(finished(graph("ai.onnx.ml", ""), {"a": "1"}, len(NAMES)))
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 15), ("ai.onnx.ml", 3)]

"""Makes the graphs of this folder's tests. Needs the Python package onnx (made with 1.23.2)."""

import numpy as np
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper, save


def value(name, kind, *shape):
    return h.make_tensor_value_info(name, kind, shape)


def write(name, nodes, inputs, outputs, weights=(), **options):
    graph = h.make_graph(nodes, name, inputs, outputs, weights)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=10, producer_name="")
    save(model, name + ".onnx", **options)


# One input and output of every type that is converted, and a scalar.
write(
    "types",
    [
        h.make_node("Mul", ["full", "factor"], ["full_out"]),
        h.make_node("Add", ["half", "half"], ["half_out"]),
        h.make_node("Add", ["ids", "ids"], ["ids_out"]),
        h.make_node("Add", ["steps", "steps"], ["steps_out"]),
        h.make_node("Neg", ["wide"], ["wide_out"]),
    ],
    [
        value("full", T.FLOAT, "B", 3),
        value("factor", T.FLOAT),
        value("half", T.FLOAT16, "B", 3),
        value("ids", T.INT32, "B", 2),
        value("steps", T.INT64, "B"),
        value("wide", T.INT64, "B"),
    ],
    [
        value("full_out", T.FLOAT, "B", 3),
        value("half_out", T.FLOAT16, "B", 3),
        value("ids_out", T.INT32, "B", 2),
        value("steps_out", T.INT64, "B"),
        value("wide_out", T.INT64, "B"),
    ],
)

# Scalars that are converted.
write(
    "scalars",
    [h.make_node("Cast", ["timestep"], ["t"], to=T.FLOAT), h.make_node("Mul", ["x", "t"], ["y"])],
    [value("x", T.FLOAT, "B"), value("timestep", T.INT64)],
    [value("y", T.FLOAT, "B")],
)

# Long enough to be stopped on the way: the work grows with n cubed.
write(
    "chain",
    [h.make_node("MatMul", [f"x{i}", "x0"], [f"x{i + 1}"]) for i in range(400)],
    [value("x0", T.FLOAT, "n", "n")],
    [value("x400", T.FLOAT, "n", "n")],
)

# Weights in a file beside the graph.
write(
    "beside",
    [h.make_node("MatMul", ["x", "w"], ["y"])],
    [value("x", T.FLOAT, "B", 16)],
    [value("y", T.FLOAT, "B", 16)],
    [numpy_helper.from_array(np.eye(16, dtype=np.float32) * 3, "w")],
    save_as_external_data=True,
    location="beside.weights",
    size_threshold=0,
)

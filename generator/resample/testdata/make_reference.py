#!/usr/bin/env python3
"""Writes reference.json beside this file: what Pillow makes of pictures that the tests paint, too. Needs Pillow 12 (12.3.0): from 13 on it
resizes some pictures along their columns first."""
import hashlib, itertools, json, os
import PIL
from PIL import Image

FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC,
           "bilinear": Image.Resampling.BILINEAR, "nearest": Image.Resampling.NEAREST}
SIZES = [1, 2, 3, 7, 16, 37, 64, 100, 224]
EXTREMES = [(1, 1, 300, 200), (1000, 3, 1, 50), (13, 1000, 50, 1), (640, 480, 299, 224), (511, 257, 512, 256), (200, 100, 2000, 1), (9, 9, 1024, 640)]


def paint(mode, w, h):
    """Squares of noise and of black and white, 4x4 each, from a linear congruential generator."""
    x, out = w * 65537 + h, bytearray()
    for i in range(w * h):
        square = (i % w // 4 + i // w // 4) % 2
        for _ in mode:
            x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
            out.append(x >> 56 if square else 255 * (x >> 63))
    return Image.frombytes(mode, (w, h), bytes(out))


def sha(im):
    return hashlib.sha256(im.tobytes()).hexdigest()


sizes = [(a, b, c, d) for a, b, c, d in itertools.product(SIZES, repeat=4) if (a * 31 + b * 17 + c * 7 + d) % 29 == 0 and b <= 100 * a] + EXTREMES
resized = []
for mode, (w, h, tw, th), (name, filter) in itertools.product(["RGB", "RGBA"], sizes, FILTERS.items()):
    if mode == "RGBA" and (w + h + tw + th) % 3 and (w, h, tw, th) not in EXTREMES:
        continue
    resized.append([mode, w, h, tw, th, name, sha(paint(mode, w, h).resize((tw, th), filter))[:16]])
white = Image.new("RGB", (251, 97), "white")
veiled = paint("RGBA", 251, 97)
white.paste(veiled, mask=veiled.getchannel("A"))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json"), "w") as f:
    f.write('{"pillow": "%s", "gray": "%s", "flat": "%s", "resized": [\n' % (PIL.__version__, sha(paint("RGB", 251, 97).convert("L")), sha(white)))
    f.write(",\n".join(json.dumps(c) for c in resized) + "\n]}\n")

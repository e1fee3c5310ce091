"""Render the art of training/concepts.tsv to 128-px RGBA sprites.

    python training/sprites.py NODE_MODULES WORK

reads the npm packages named in package.json and writes WORK/sprites.npz (img uint8 [N,128,128,4], concept and style
indices) and WORK/concepts.json (names a concept goes by, in the order of the indices).
"""

import io
import json
import os
import re
import sys

import numpy as np
import resvg_py
from PIL import Image

STYLES = ["flat", "3d"]
PX = 128
HERE = os.path.dirname(os.path.abspath(__file__))


def concepts():
    """The rows of concepts.tsv: (emoji label, names)."""
    rows = []
    for line in open(os.path.join(HERE, "concepts.tsv"), encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            label, names = line.rstrip("\n").split("\t")
            rows.append((label, [n.strip() for n in names.split(",")]))
    return rows


def slug(label):
    return re.sub(r"[^a-z0-9]+", "-", label.lower().replace("’", "").replace("'", "")).strip("-")


class Art:
    """The two art sets, looked up by emoji label."""

    def __init__(self, node_modules):
        data = json.load(open(f"{node_modules}/emojibase-data/en/data.json", encoding="utf-8"))
        self.hexcode = {e["label"]: e["hexcode"].lower() for e in data}
        self.flat_set = json.load(open(f"{node_modules}/@iconify-json/fluent-emoji-flat/icons.json", encoding="utf-8"))
        self.assets = f"{node_modules}/@lobehub/fluent-emoji-3d/assets"

    def flat(self, label):
        icons, aliases = self.flat_set["icons"], self.flat_set.get("aliases", {})
        key = slug(label)
        if key not in icons:
            key = aliases[key]["parent"]
        icon = icons[key]
        w = icon.get("width", self.flat_set.get("width", 16))
        h = icon.get("height", self.flat_set.get("height", 16))
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {w} {h}" width="{PX}" height="{PX}">{icon["body"]}</svg>'
        )
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=PX, height=PX))
        return Image.open(io.BytesIO(png)).convert("RGBA").resize((PX, PX), Image.LANCZOS)

    def three_d(self, label):
        code = self.hexcode[label]
        for name in (code, code.replace("-fe0f", ""), code + "-fe0f"):
            path = f"{self.assets}/{name}.webp"
            if os.path.exists(path):
                return Image.open(path).convert("RGBA").resize((PX, PX), Image.LANCZOS)
        raise KeyError(code)


def main(node_modules, work):
    art = Art(node_modules)
    images, concept, style, kept = [], [], [], []
    for label, names in concepts():
        try:
            pair = [art.flat(label), art.three_d(label)]
        except KeyError as missing:
            sys.exit(f"concepts.tsv: no art for {label!r} ({missing})")
        for k, im in enumerate(pair):
            images.append(np.asarray(im))
            concept.append(len(kept))
            style.append(k)
        kept.append(dict(label=label, names=names))
    os.makedirs(work, exist_ok=True)
    np.savez(f"{work}/sprites.npz", img=np.stack(images), concept=np.array(concept), style=np.array(style))
    json.dump(kept, open(f"{work}/concepts.json", "w"), indent=0)
    print(f"{len(kept)} concepts, {len(images)} sprites")


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""Scenes and their captions: one or two sprites on a plain background, and the words people would use for them.

A scene is composed afresh every time from a random generator, so that a run's data follow from its seed. Combinations
that `held_out` names never appear in training: evaluation asks for them.
"""

import json
import random

import numpy as np
from PIL import Image

from sprites import PX, STYLES

BACKGROUNDS = {
    "white": (255, 255, 255), "black": (20, 20, 20), "red": (214, 48, 49), "orange": (243, 140, 40),
    "yellow": (250, 215, 70), "green": (70, 165, 85), "blue": (50, 105, 215), "purple": (135, 75, 185),
    "pink": (245, 160, 195), "brown": (125, 85, 60), "gray": (150, 150, 150),
}
HUES = {"red": 0, "orange": 28, "yellow": 50, "green": 125, "blue": 215, "purple": 275, "pink": 330}  # degrees
RELATIONS = ["next to", "above", "below"]
TWO, RECOLOUR = 0.2, 0.1  # how many scenes hold two objects; how many single objects change colour
PLURAL = {"grapes", "cherries", "fries", "french fries", "pancakes", "flowers", "glasses", "jeans", "headphones", "books",
          "scissors", "swords", "heart eyes"}
MASS = {"popcorn", "sushi", "honey", "bread", "cheese", "broccoli", "corn", "wine", "beer", "coffee", "poo", "lightning"}


def held_out(objects, background, relation=None):
    """True for combinations kept from training: a tenth of object-background pairs and of (pair, relation) triples."""
    if len(objects) == 1:
        return (objects[0] * 7 + list(BACKGROUNDS).index(background) * 3) % 10 == 0
    return (objects[0] * 31 + objects[1] * 17 + RELATIONS.index(relation) * 5) % 10 == 0


def article(words):
    head = words.split()[-1]
    if words in PLURAL or head in PLURAL or words in MASS or head in MASS:
        return words
    return ("an " if words[0] in "aeiou" and not words.startswith("u") else "a ") + words


def nearest_hue(degrees):
    return min(HUES, key=lambda n: abs((degrees - HUES[n] + 180) % 360 - 180))


class Sprites:
    """The rendered art. `hue[k]` is the sprite's one dominant hue in degrees, or None where it has none."""

    def __init__(self, work):
        d = np.load(f"{work}/sprites.npz")
        self.img = d["img"]
        self.concepts = json.load(open(f"{work}/concepts.json"))
        self.index = {(int(c), int(s)): k for k, (c, s) in enumerate(zip(d["concept"], d["style"]))}
        self.pil = [Image.fromarray(a) for a in self.img]
        self.hue = [dominant_hue(im) for im in self.pil]
        self.colour = [colour_word(im, h) for im, h in zip(self.pil, self.hue)]

    def __len__(self):
        return len(self.concepts)

    def get(self, concept, style, px, hue=None):
        k = self.index[(concept, style)]
        im = self.pil[k]
        if hue is not None:
            im = rotate_hue(im, self.hue[k], hue)
        return im if px == PX else im.resize((px, px), Image.LANCZOS)


def dominant_hue(im):
    hsv = np.asarray(im.convert("RGB").convert("HSV")).astype(int)
    opaque = np.asarray(im)[..., 3] > 200
    vivid = opaque & (hsv[..., 1] > 90) & (hsv[..., 2] > 60)
    if vivid.sum() < 0.45 * opaque.sum():
        return None
    hist = np.bincount(hsv[..., 0][vivid], minlength=256)
    window = np.array([np.take(hist, range(i - 18, i + 19), mode="wrap").sum() for i in range(256)])
    best = int(window.argmax())
    return best * 360 / 256 if window[best] > 0.75 * vivid.sum() else None


def colour_word(im, hue):
    """What people call a sprite of that dominant hue; a dark orange is brown."""
    if hue is None:
        return None
    bright = np.asarray(im.convert("RGB").convert("HSV"))[..., 2][np.asarray(im)[..., 3] > 200]
    return "brown" if hue < 50 and np.median(bright) < 190 else nearest_hue(hue)


def rotate_hue(im, source, target):
    """Turns what is within 40 degrees of the source hue to the target's; the rest (eyes, whites, outlines) stays."""
    hsv = np.array(im.convert("RGB").convert("HSV"))
    h = hsv[..., 0] * (360 / 256)
    near = np.abs((h - source + 180) % 360 - 180) < 40
    turned = ((h + target - source) % 360) * (256 / 360)
    hsv[..., 0] = np.where(near, turned.astype(np.uint8), hsv[..., 0])
    rgb = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
    return Image.fromarray(np.dstack([rgb, np.asarray(im)[..., 3]]))


def caption(rng, core, style, background):
    """One of the ways to say it. The style is said in 7 of 10, the background always unless white (then in half)."""
    style = style if rng.random() < 0.7 else None
    said = background if background != "white" or rng.random() < 0.5 else None
    noun, full = core
    lead = rng.choice(["", "", "", "", "a picture of ", "a drawing of ", "an emoji of ", "draw ", "paint me "])
    on = f" on {article(said + ' background')}" if said else ""
    form = rng.random()
    if form < 0.2:  # tags
        tags = [noun] + ([f"{said} background"] if said else []) + ([style] if style else [])
        if rng.random() < 0.4:
            rng.shuffle(tags)
        text = ", ".join(tags)
    elif style and form < 0.4:
        text = f"{article(style)} {rng.choice(['picture', 'drawing', 'icon', 'emoji'])} of {full}{on}"
    elif style and form < 0.6:
        text = f"{lead}{full}{on}, {style}" if rng.random() < 0.6 else f"{lead}{full}{on} in {style} style"
    elif style and form < 0.75 and not noun_is_bare(noun):
        text = f"{lead}{article(style + ' ' + noun)}{on}"
    elif said and form < 0.85:
        text = f"{full}, {said} background" if rng.random() < 0.5 else f"{full} on {said}"
        text += f", {style}" if style else ""
    else:
        text = lead + full + on + (f", {style}" if style else "")
    return text


def noun_is_bare(noun):
    return " next to " in noun or " above " in noun or " below " in noun or " and " in noun or article(noun) == noun


def name(rng, sprites, concept):
    names = sprites.concepts[concept]["names"]
    return names[0] if rng.random() < 0.7 else rng.choice(names)


def compose(sprites, objects, style, background, relation=None, hue=None, rng=None):
    """Paints uint8 [128,128,3]. Without rng everything sits in its middle, as evaluation wants it."""
    jitter = (lambda n: rng.randint(-n, n)) if rng else (lambda n: 0)
    im = Image.new("RGB", (PX, PX), BACKGROUNDS[background])
    if len(objects) == 1:
        px = 100 + jitter(6)
        s = sprites.get(objects[0], style, px, hue)
        o = (PX - px) // 2
        im.paste(s, (o + jitter(3), o + jitter(3)), s)
        return np.asarray(im)
    first, second = {"next to": ((2, 33), (64, 33)), "above": ((33, 2), (33, 64)), "below": ((33, 64), (33, 2))}[relation]
    for concept, (x, y) in zip(objects, (first, second)):
        s = sprites.get(concept, style, 62)
        im.paste(s, (x + jitter(1), y + jitter(1)), s)
    return np.asarray(im)


def scene(sprites, rng, two=TWO):
    """-> (uint8 [128,128,3], caption); never a held-out combination. two is the share of scenes with two objects."""
    while True:
        style = rng.randrange(len(STYLES))
        background = "white" if rng.random() < 0.25 else rng.choice(list(BACKGROUNDS))
        if rng.random() < two:
            a, b = rng.sample(range(len(sprites)), 2)
            relation = rng.choice(RELATIONS)
            if held_out((a, b), background, relation):
                continue
            na, nb = name(rng, sprites, a), name(rng, sprites, b)
            word = "and" if relation == "next to" and rng.random() < 0.4 else relation
            core = (f"{na} {word} {nb}", f"{article(na)} {word} {article(nb)}")
            image = compose(sprites, (a, b), style, background, relation, rng=rng)
            return image, caption(rng, core, STYLES[style], background)
        c = rng.randrange(len(sprites))
        if held_out((c,), background):
            continue
        own = sprites.colour[sprites.index[(c, style)]]
        target, said = None, own if own and rng.random() < 0.15 else None
        if own and rng.random() < RECOLOUR:
            said = rng.choice([h for h in HUES if h != own])
            target = HUES[said]
        shown = said or own
        if shown == background and rng.random() < 0.8:  # would hardly be seen
            continue
        n = name(rng, sprites, c)
        noun = f"{said} {n}" if said else n
        image = compose(sprites, (c,), style, background, hue=target, rng=rng)
        return image, caption(rng, (noun, article(noun)), STYLES[style], background)


def sheet(images, columns, path):
    h, w, _ = images[0].shape
    rows = -(-len(images) // columns)
    out = np.full((rows * h, columns * w, 3), 255, np.uint8)
    for i, a in enumerate(images):
        y, x = i // columns * h, i % columns * w
        out[y : y + h, x : x + w] = a
    Image.fromarray(out).save(path)


if __name__ == "__main__":  # a look at the data: python scenes.py WORK
    import sys

    sprites, rng = Sprites(sys.argv[1]), random.Random(1)
    pairs = [scene(sprites, rng) for _ in range(64)]
    sheet([p[0] for p in pairs], 8, f"{sys.argv[1]}/scenes.png")
    print("\n".join(p[1] for p in pairs))
    print(sum(h is not None for h in sprites.hue), "of", len(sprites.hue), "sprites have one hue")

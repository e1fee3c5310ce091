"""Measure a model folder: python training/evaluate.py WORK MODEL [--steps N] [--guidance G]

Pictures are painted by the PyTorch twin of the shipped weights (which `make parity` compares with the engine) from fixed seeds and judged by
template: the nearest of all sprites, pasted on the picture's own border colour, at 32x32. Combinations are held out by
rule (scenes.held_out). The judge also judges real scenes through the autoencoder: that ceiling stands beside every
figure. Writes WORK/evaluation.json and WORK/contact_sheet.png.
"""

import argparse
import json
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import networks
from parity import load
from scenes import BACKGROUNDS, HUES, RELATIONS, Sprites, article, compose, held_out, sheet
from sprites import PX, STYLES

SHEET = [
    "a red fox on a blue background", "a panda on a pink background, 3d", "a rocket on a black background", "an owl, flat",
    "pizza, yellow background", "a cat next to a pizza", "a frog above a banana", "a dog next to a house on a green background",
    "a penguin on an orange background, flat", "a blue car on a white background", "a purple butterfly", "a castle on a brown background",
    "a unicorn on a purple background, 3d", "sunflower", "a guitar on a red background", "a robot next to a light bulb",
    "Draw a happy DOG please", "green dragon, white background", "a birthday cake on a pink background", "three apples",
    "a steam train on a gray background, 3d", "an astronaut riding a horse", "a cup of coffee", "a kitten below an umbrella",
]


@torch.no_grad()
def paint(unet, vae, positive, negative, seeds, steps, guidance):
    """DDIM at zero terminal SNR with trailing timesteps -> uint8 [N,128,128,3]."""
    signal, noise = networks.schedule()
    shape = (1, networks.LATENT_CHANNELS, networks.LATENT_SIZE, networks.LATENT_SIZE)
    x = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds])
    ts = [round(networks.TRAIN_STEPS - i * networks.TRAIN_STEPS / steps) - 1 for i in range(steps)]
    for k, t in enumerate(ts):
        tb = torch.full((2 * len(x),), t)
        lanes = torch.cat([negative.expand(len(x), -1, -1), positive])
        un, co = unet(torch.cat([x, x]), tb, lanes, return_dict=False)[0].chunk(2)
        v = un + guidance * (co - un)
        x0, e = signal[t] * x - noise[t] * v, signal[t] * v + noise[t] * x
        last = k + 1 == len(ts)
        x = x0 if last else signal[ts[k + 1]] * x0 + noise[ts[k + 1]] * e
    return networks.to_images(vae.decode(x).sample)


class Judge:
    """Names the nearest template. Templates are premultiplied, so that any border colour can be put behind them."""

    def __init__(self, sprites):
        self.sprites = sprites
        self.keys = list(sprites.index)
        self.large, self.small = self.templates(100, (14, 14), PX), self.templates(62, (1, 1), 64)

    def templates(self, px, at, canvas):
        out = []
        for concept, style in self.keys:
            im = Image.new("RGBA", (canvas, canvas))
            im.paste(self.sprites.get(concept, style, px), at)
            a = np.asarray(im).astype(np.float32) / 255
            alpha = a[..., 3:]
            t = torch.from_numpy(np.concatenate([a[..., :3] * alpha, alpha], 2)).permute(2, 0, 1)
            out.append(F.adaptive_avg_pool2d(t, 32))
        return torch.stack(out)

    def border(self, image, width=6):
        edge = np.concatenate([image[:width].reshape(-1, 3), image[-width:].reshape(-1, 3), image[:, :width].reshape(-1, 3), image[:, -width:].reshape(-1, 3)])
        return np.median(edge, 0), edge.std(0).mean()

    def background(self, image):
        colour, _ = self.border(image)
        return min(BACKGROUNDS, key=lambda n: ((np.array(BACKGROUNDS[n]) - colour) ** 2).sum())

    def nearest(self, image, templates, colour):
        """-> (concept, style, PSNR to the template at 32x32), over shifts of one cell."""
        p = F.adaptive_avg_pool2d(torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1), 32)
        c = torch.from_numpy(np.asarray(colour, np.float32) / 255)[None, :, None, None]
        best = (9.0, 0)
        t = templates[:, :3] + (1 - templates[:, 3:]) * c
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                d = ((t - torch.roll(p, (dy, dx), (1, 2))) ** 2).mean((1, 2, 3))
                best = min(best, (float(d.min()), int(d.argmin())))
        concept, style = self.keys[best[1]]
        return concept, style, -10 * np.log10(best[0] + 1e-9)

    def single(self, image):
        colour, mottle = self.border(image)
        return (*self.nearest(image, self.large, colour), mottle)

    def two(self, image, relation):
        colour, _ = self.border(image, 2)
        first, second = (image[32:96, :64], image[32:96, 64:]) if relation == "next to" else (image[:64, 32:96], image[64:, 32:96])
        if relation == "below":
            first, second = second, first
        return [self.nearest(np.ascontiguousarray(v), self.small, colour)[0] for v in (first, second)]


def cases(sprites, rng, n):
    """n single-object cases, every second one a held-out pair, and n//2 two-object cases likewise."""
    singles, twos = [], []
    while len(singles) < n:
        c, b = rng.randrange(len(sprites)), rng.choice(list(BACKGROUNDS))
        own = {sprites.colour[sprites.index[(c, s)]] for s in range(2)}
        if held_out((c,), b) == (len(singles) % 2 == 0) and b not in own:
            singles.append((c, b, len(singles) // 2 % 2))
    while len(twos) < n // 2:
        a, b = rng.sample(range(len(sprites)), 2)
        r, bg = rng.choice(RELATIONS), rng.choice(list(BACKGROUNDS))
        if held_out((a, b), bg, r) == (len(twos) % 2 == 0):
            twos.append((a, b, r, bg, len(twos) // 2 % 2))
    return singles, twos


def judge_singles(judge, images, singles):
    rows = []
    for image, (c, b, s) in zip(images, singles):
        concept, style, db, mottle = judge.single(image)
        rows.append((judge.background(image) == b, concept == c, concept == c and style == s, db, mottle))
    r = np.array(rows, float)
    both = r[:, 0] * r[:, 1]
    return dict(background=r[:, 0].mean(), object=r[:, 1].mean(), object_and_style=r[:, 2].mean(), held_out_both=both[0::2].mean(), trained_both=both[1::2].mean(),
                template_psnr=r[:, 3].mean(), mottle=r[:, 4].mean())


def judge_twos(judge, images, twos):
    rows = []
    for image, (a, b, r, bg, _) in zip(images, twos):
        first, second = judge.two(image, r)
        rows.append((first == a and second == b, (first == a) + (second == b), judge.background(image) == bg))
    r = np.array(rows, float)
    return dict(both_in_place=r[:, 0].mean(), each=r[:, 1].mean() / 2, background=r[:, 2].mean(), held_out_both=r[0::2, 0].mean(), trained_both=r[1::2, 0].mean())


def judge_colours(images, wanted):
    hits = []
    for image, word in zip(images, wanted):
        hsv = np.asarray(Image.fromarray(image).convert("HSV")).astype(int)
        vivid = (hsv[..., 1] > 90) & (hsv[..., 2] > 60)
        if not vivid.any():
            hits.append(False)
            continue
        hue = np.bincount(hsv[..., 0][vivid], minlength=256)
        hue = np.convolve(np.concatenate([hue[-9:], hue, hue[:9]]), np.ones(19), "valid").argmax() * 360 / 256
        hits.append(abs((hue - HUES[word] + 180) % 360 - 180) < 25)
    return float(np.mean(hits))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("work")
    a.add_argument("model")
    a.add_argument("--steps", type=int)
    a.add_argument("--guidance", type=float)
    a.add_argument("--cases", type=int, default=200)
    a = a.parse_args()
    defaults = json.load(open(f"{a.model}/easel.json"))
    steps, guidance = a.steps or defaults["steps"], a.guidance or defaults["guidance"]
    sprites, rng = Sprites(a.work), random.Random(11)
    judge, (unet, vae) = Judge(sprites), load(a.model)
    encoder, tokenizer = networks.text_encoder(), networks.tokenizer()
    name = lambda c: sprites.concepts[c]["names"][0]

    @torch.no_grad()
    def encode(texts):
        return encoder(torch.tensor([e.ids for e in tokenizer.encode_batch(texts)]))

    def run(texts, seed):
        out = []
        for i in range(0, len(texts), 20):
            part = texts[i : i + 20]
            out.extend(paint(unet, vae, encode(part), encode([""]), range(seed + i, seed + i + len(part)), steps, guidance))
        return out

    @torch.no_grad()
    def through(images):
        x = networks.to_tensor(np.stack(images))
        return list(networks.to_images(vae.decode(vae.encode(x).latent_dist.mode()).sample))

    singles, twos = cases(sprites, rng, a.cases)
    coloured = [k for k in range(len(sprites)) if all(sprites.colour[sprites.index[(k, s)]] not in (None, "brown") for s in range(2))]
    recolour = [(rng.choice(coloured), rng.choice(list(HUES))) for _ in range(a.cases // 4)]
    said = lambda c, s, bg: f"{article(name(c))} on {article(bg + ' background')}, {STYLES[s]}"
    result = dict(steps=steps, guidance=guidance, concepts=len(sprites), cases=dict(single=len(singles), two=len(twos), colour=len(recolour)))
    result["single"] = judge_singles(judge, run([said(c, s, b) for c, b, s in singles], 1000), singles)
    result["single_ceiling"] = judge_singles(judge, through([compose(sprites, (c,), s, b) for c, b, s in singles]), singles)
    two = [f"{article(name(x))} {r} {article(name(y))} on {article(bg + ' background')}, {STYLES[s]}" for x, y, r, bg, s in twos]
    result["two"] = judge_twos(judge, run(two, 5000), twos)
    result["two_ceiling"] = judge_twos(judge, through([compose(sprites, (x, y), s, bg, r) for x, y, r, bg, s in twos]), twos)
    result["object_colour"] = judge_colours(run([f"{article(w + ' ' + name(c))} on a white background" for c, w in recolour], 9000), [w for _, w in recolour])
    truth = [compose(sprites, (c,), 0, "white", hue=HUES[w]) for c, w in recolour]
    result["object_colour_ceiling"] = judge_colours(through(truth), [w for _, w in recolour])
    json.dump(result, open(f"{a.work}/evaluation.json", "w"), indent=2)
    sheet(run(SHEET, 7), 8, f"{a.work}/contact_sheet.png")
    print(json.dumps(result, indent=2))
    print("contact sheet, row by row:", "; ".join(SHEET))


if __name__ == "__main__":
    main()

"""Compare `easel imagine` with diffusers on models of every family: python training/parity_families.py EASEL OUT [options]

OUT is what families.py wrote; what is missing there is written first. Each family is painted with each sampler from text,
from a picture and within a mask, by the pipeline that diffusers has for it; what it paints is kept in OUT/references.
Fails above 2/255 in any channel. By default a sampler is tried once a task, and those that a family is published with, and
Euler and DDIM, in every variant; --all tries everything.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, replace

import diffusers
import numpy as np
import transformers
from PIL import Image

import families
import parity_diffusers
from parity import LIMIT, SAMPLERS
from parity_diffusers import CAT, FOX, TASKS, Case

LIMITS = {"sd15-fp16": 8}  # the reference computes in float32 what these graphs compute in float16
OWN = dict(sd15="pndm", sd2="ddim", sdxl="euler", turbo="euler_a", lcm="lcm")
EVERY = ("ddim", "euler")  # samplers that see each variant
IMAGE, LARGE = dict(init="init.png"), dict(init="init-large.png", mask="mask.png", size=(48, 64))
VARIANTS = {
    "text": [
        ("negative", Case(FOX, "", 8, 7.5, negative="a cat", count=2)),
        ("none given", Case(CAT, "", 5, 5.0, seed=2**32 + 5, size=(64, 48))),
        ("guidance off", Case(FOX, "", 4, 1.0, seed=0)),
        ("rescale", Case(CAT, "", 6, 7.5, negative="", seed=-3, rescale=0.7, size=(48, 64))),
        ("clip skip", Case(FOX, "", 7, 5.0, negative="blue", seed=123456789, clip_skip=1)),
        ("clip skip 2", Case(CAT, "", 5, 5.0, clip_skip=2)),
        ("eta", Case(FOX, "", 6, 5.0, eta=0.6, count=2)),
    ],
    "image": [
        ("strength .3", Case(FOX, "", 10, 5.0, negative="a cat", strength=0.3, count=2, **IMAGE)),
        ("strength .8", Case(CAT, "", 6, 7.5, strength=0.8, seed=5, **IMAGE)),
        ("strength 1", Case(FOX, "", 5, 5.0, negative="", strength=1.0, init="init-large.png", size=(64, 48))),
        ("guidance off", Case(FOX, "", 5, 1.0, strength=0.6, clip_skip=1, **IMAGE)),
    ],
    "inpaint": [
        ("strength 1", Case(FOX, "", 6, 7.5, negative="a cat", mask="mask.png", count=2, **IMAGE)),
        ("strength .6", Case(CAT, "", 8, 5.0, strength=0.6, mask="mask.png", seed=5, **IMAGE)),
        ("other sizes", Case(FOX, "", 5, 5.0, negative="", **LARGE)),
        ("guidance off", Case(CAT, "", 5, 1.0, strength=0.8, mask="mask.png", **IMAGE)),
    ],
    "refined": [
        ("at .8", Case(FOX, "", 10, 5.0, negative="a cat", count=2, refine_at=0.8)),
        ("at .5", Case(CAT, "", 6, 7.5, seed=5, size=(48, 64), refine_at=0.5)),
        ("from a picture", Case(FOX, "", 12, 5.0, negative="", strength=0.7, refine_at=0.75, **IMAGE)),
        ("guidance off", Case(CAT, "", 5, 1.0, count=2, refine_at=0.6)),
    ],
}


def cases(name, sampler, task, everything):
    """The variants of one cell: (what it is, case)."""
    f = families.FAMILIES[name]
    if parity_diffusers.pipeline(name, task, sampler) is None or f.old and task != "text":  # old encoders draw what no seed steers
        return []
    variants = [v for v in VARIANTS[task] if suits(f, sampler, v[1])]
    if not (everything or sampler in EVERY or sampler == OWN[f.scheduler]):
        turn = list(SAMPLERS).index(sampler) + list(families.FAMILIES).index(name) + TASKS.index(task)
        variants = [variants[turn % len(variants)]]
    return [(what, replace(c, sampler=sampler)) for what, c in variants]


def suits(f, sampler, case):
    return not (case.eta and sampler not in ("ddim", "tcd") or case.clip_skip and f.aesthetic)


class Reference:
    """diffusers' pictures of one family, painted once."""

    def __init__(self, out, name):
        self.out, self.name, self.models = out, name, {}

    def __call__(self, case):
        key = hashlib.sha256(json.dumps(asdict(case), sort_keys=True).encode()).hexdigest()[:16]
        path = f"{self.out}/references/{self.name}/{key}.npy"
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            refiner = self.load("refiner") if case.refine_at else None
            np.save(path, np.stack(parity_diffusers.paint(self.load(self.name), self.name, case, f"{self.out}/inputs", refiner)))
        return np.load(path).astype(int)

    def load(self, name):
        if name not in self.models:
            self.models[name] = families.FAMILIES[name].pipeline.from_pretrained(f"{self.out}/torch/{name}")
            parity_diffusers.as_declared(self.models[name].unet, name)
        return self.models[name]


def ours(easel, out, name, case, folder):
    command = [
        easel, "imagine", "--model", f"{out}/{name}", "--device", "cpu", "--plain-prompt", "--prompt", case.prompt, f"--seed={case.seed}", f"--steps={case.steps}",
        f"--guidance={case.guidance}", f"--size={case.size[0]}x{case.size[1]}", f"--sampler={case.sampler}", f"--count={case.count}", "--out", folder + os.sep]
    command += ["--negative", case.negative] if case.negative is not None else []
    options = {"eta": case.eta, "guidance-rescale": case.rescale, "clip-skip": case.clip_skip}
    if case.init:
        options |= {"init": f"{out}/inputs/{case.init}", "strength": case.strength}
    if case.mask:
        options |= {"mask": f"{out}/inputs/{case.mask}"}
    if case.refine_at:
        options |= {"refiner": f"{out}/refiner", "refine-at": case.refine_at}
    command += [f"--{k}={v}" for k, v in options.items() if v]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return np.stack([np.asarray(Image.open(f"{folder}/{case.seed + i}.png").convert("RGB")) for i in range(case.count)]).astype(int)


class Grid:
    def __init__(self, easel, out, everything):
        self.easel, self.out, self.everything = easel, out, everything
        self.failures, self.refused, self.compared = [], Counter(), 0

    def cell(self, reference, sampler, task):
        """The largest difference of a cell, as text."""
        worst, share, marks = -1, 0.0, set()
        for what, case in cases(reference.name, sampler, task, self.everything):
            try:
                want = reference(case)
            except parity_diffusers.Refused as e:
                self.refused[str(e)] += 1
                marks.add("*")
                continue
            diff = self.compare(case, want, f"{reference.name} {sampler} {task}, {what}", LIMITS.get(reference.name, LIMIT))
            if diff is None:
                marks.add("fails")
            else:
                worst, share = max(worst, int(diff.max())), max(share, (diff > 0).mean())
        return " ".join([f"{worst} ({share:.1%})"] * (worst >= 0) + sorted(marks)) or "-"

    def compare(self, case, want, label, limit):
        self.compared += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                diff = np.abs(ours(self.easel, self.out, label.split()[0], case, folder) - want)
            except RuntimeError as e:
                self.failures.append(f"{label}: {e}")
                return None
        if diff.max() > limit:
            self.failures.append(f"{label}: differs by {diff.max()}, in {(diff > limit).mean():.1%} by more than {limit}")
        return diff

    def family(self, name, samplers, tasks):
        reference = Reference(self.out, name)
        print(f"\n| {name} | " + " | ".join(tasks) + " |\n| --- |" + " --- |" * len(tasks), flush=True)
        for sampler in samplers:
            print(f"| {sampler} | " + " | ".join(self.cell(reference, sampler, t) for t in tasks) + " |", flush=True)

    def report(self):
        print(f"\n{self.compared} cases: the largest difference of a channel out of 255, and how many differ at all.")
        for reason, n in self.refused.most_common():
            print(f"* {n} cases that diffusers cannot paint: {reason}")
        for failure in self.failures:
            print(failure)
        if self.failures:
            sys.exit(f"{len(self.failures)} of {self.compared} cases fail")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("easel")
    a.add_argument("out")
    a.add_argument("--family", action="append", choices=families.FAMILIES)
    a.add_argument("--sampler", action="append", choices=SAMPLERS)
    a.add_argument("--task", action="append", choices=TASKS)
    a.add_argument("--all", action="store_true", help="every variant with every sampler")
    a = a.parse_args()
    names = a.family or list(families.FAMILIES)
    for name in {**dict.fromkeys(names), "refiner": None}:
        if not os.path.exists(f"{a.out}/torch/{name}"):
            families.write(name, a.out)
    parity_diffusers.write_inputs(f"{a.out}/inputs")
    grid = Grid(a.easel, a.out, a.all)
    for name in names:
        grid.family(name, a.sampler or SAMPLERS, a.task or TASKS)
    grid.report()


if __name__ == "__main__":
    diffusers.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    main()

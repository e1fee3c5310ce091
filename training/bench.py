"""Time the engine beside diffusers on the same weights and cores: python training/bench.py BENCHMARK MODEL [ROUNDS]

BENCHMARK is the compiled benchmark of package generator (go test -c). diffusers runs the PyTorch twin of the model folder, and its pipeline
with the U-Net's own ONNX file in ONNX Runtime. Everybody paints the same request, one and four pictures at a time, in turns; the table holds medians
of all rounds, and how many times as fast as each of them the engine is.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace

import diffusers
import onnxruntime
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

import parity

THREADS = len(os.sched_getaffinity(0))
PROMPT, COUNTS = "a red fox on a blue background", (1, 4)


class OnnxUNet(torch.nn.Module):
    """A U-Net that diffusers' pipeline calls and ONNX Runtime runs, as optimum wraps it."""

    def __init__(self, path, unet):
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.config, self.dtype_ = unet.config, unet.dtype

    dtype = property(lambda self: self.dtype_)
    device = property(lambda self: torch.device("cpu"))

    def forward(self, sample, timestep, encoder_hidden_states, return_dict=True, **_):
        times = torch.full((sample.shape[0],), float(timestep))
        out = self.session.run(None, dict(sample=sample.numpy(), timestep=times.numpy(), encoder_hidden_states=encoder_hidden_states.numpy()))[0]
        out = torch.from_numpy(out)
        return SimpleNamespace(sample=out) if return_dict else (out,)


def pipeline(model, unet, vae):
    scheduler = DDIMScheduler.from_config(json.load(open(f"{model}/scheduler/scheduler_config.json")))
    pipe = StableDiffusionPipeline(vae=vae, text_encoder=None, tokenizer=None, unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(pipe, text, easel, count):
    begin = time.perf_counter()
    with torch.no_grad():
        pipe(prompt_embeds=text(PROMPT), negative_prompt_embeds=text(""), num_inference_steps=easel["steps"], guidance_scale=easel["guidance"], height=easel["height"],
             width=easel["width"], num_images_per_prompt=count, generator=[torch.Generator().manual_seed(7 + i) for i in range(count)])
    return (time.perf_counter() - begin) / count


def ours(benchmark, model, count):
    env = dict(os.environ, EASEL_MODEL=os.path.abspath(model))
    out = subprocess.run([os.path.abspath(benchmark), "-test.run", "^$", "-test.bench", f"^BenchmarkPaint$/count={count}$", "-test.benchtime", "5x"],
                         cwd=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../generator"), env=env, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"(\d+) ns/op", out)[1]) / 1e9 / count


def main(benchmark, model, rounds=7):
    torch.set_num_threads(THREADS)
    unet, vae = parity.load(model)
    encoder = parity.Text(model)
    text = lambda words: encoder.encoder(torch.tensor([encoder.tokenizer.encode(words).ids]))  # noqa: E731
    easel = json.load(open(f"{model}/easel.json"))
    ways = {
        "Easel": lambda n: ours(benchmark, model, n),
        "diffusers, PyTorch": lambda n, p=pipeline(model, unet, vae): theirs(p, text, easel, n),
        "diffusers, U-Net in ONNX Runtime": lambda n, p=pipeline(model, OnnxUNet(f"{model}/unet/model.onnx", unet), vae): theirs(p, text, easel, n),
    }
    for way in ways.values():
        way(1), way(4)  # warm
    times = {(name, n): [] for name in ways for n in COUNTS}
    for _ in range(int(rounds)):
        for name, way in ways.items():
            for n in COUNTS:
                times[name, n].append(way(n))
    print(f"{easel['width']}x{easel['height']}, {easel['steps']} steps, guidance {easel['guidance']}, {THREADS} threads, torch {torch.__version__}, diffusers {diffusers.__version__}, "
          f"ONNX Runtime {onnxruntime.__version__} (theirs)\n")
    print("| | " + " | ".join(f"{n} at a time, s a picture | Easel is so many times as fast" for n in COUNTS) + " |\n| --- |" + " ---: |" * 2 * len(COUNTS))
    for name in ways:
        cells = []
        for n in COUNTS:
            mine, its = statistics.median(times["Easel", n]), statistics.median(times[name, n])
            cells += [f"{its:.3f}", f"{its / mine:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(*sys.argv[1:])

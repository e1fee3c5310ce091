"""Train the denoiser: python training/train_unet.py WORK [--samples N]

v-prediction under zero terminal SNR, plain MSE, uniform timesteps, a tenth of the captions dropped, AdamW, EMA.
Scenes are composed, encoded and captioned while it runs and live in a rolling cache, so that each is seen about
REUSE times and no two epochs are alike. The learning rate is constant and falls to zero over the last DECAY of
--samples, so a run can be made longer or shorter until then. Resumes from WORK/unet.pt.
"""

import argparse
import copy
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

import networks
from scenes import TWO, Sprites, scene

BATCH, REUSE, CACHE, FIRST = 32, 4, 24_576, 4_096
RATE, WARM, DECAY, DROP, EMA = 1e-3, 200, 0.3, 0.1, 0.9993


class Captions:
    """Token states by caption, float16 [32,384]; computed once each, forgotten when there are too many."""

    def __init__(self):
        self.encoder, self.tokenizer, self.known = networks.text_encoder(), networks.tokenizer(), {}
        self.empty = self.encode([""])[0]

    @torch.no_grad()
    def encode(self, texts):
        ids = torch.tensor([e.ids for e in self.tokenizer.encode_batch(texts)])
        used = int((ids != 0).sum(1).max())  # what is padded stays zero, so shorter batches cost less
        out = torch.zeros(len(texts), networks.TOKENS, 384, dtype=torch.float16)
        out[:, :used] = self.encoder(ids[:, :used]).half()
        return out

    def get(self, texts):
        if len(self.known) > 100_000:
            self.known.clear()
        new = [t for t in dict.fromkeys(texts) if t not in self.known]
        if new:
            self.known.update(zip(new, self.encode(new)))
        return torch.stack([self.known[t] for t in texts])


class Scenes:
    """The rolling cache of (latents, states)."""

    def __init__(self, work, seed, start, two):
        self.sprites, self.captions, self.two = Sprites(work), Captions(), two
        self.vae = AutoencoderKL.from_pretrained(f"{work}/vae").eval().to(memory_format=torch.channels_last)
        self.rng = random.Random(f"unet-{seed}-{start}")
        self.latents = torch.empty(CACHE, networks.LATENT_CHANNELS, networks.LATENT_SIZE, networks.LATENT_SIZE)
        self.states = torch.empty(CACHE, networks.TOKENS, 384, dtype=torch.float16)
        self.filled = self.next = 0
        while self.filled < FIRST:
            self.add(128)

    @torch.no_grad()
    def add(self, n):
        images, texts = zip(*(scene(self.sprites, self.rng, self.two) for _ in range(n)))
        x = networks.to_tensor(np.stack(images)).contiguous(memory_format=torch.channels_last)
        slots = [(self.next + i) % CACHE for i in range(n)]
        latents = [self.vae.encode(part).latent_dist.mean for part in x.split(16)]  # what fits the caches
        self.latents[slots] = torch.cat(latents).contiguous()
        self.states[slots] = self.captions.get(texts)
        self.next = (self.next + n) % CACHE
        self.filled = min(CACHE, self.filled + n)

    def batch(self, gen):
        i = torch.randint(0, self.filled, (BATCH,), generator=gen)
        states = self.states[i].float()
        drop = torch.rand(BATCH, generator=gen) < DROP
        states[drop] = self.captions.empty.float()
        return self.latents[i], states


def main():
    a = argparse.ArgumentParser()
    a.add_argument("work")
    a.add_argument("--samples", type=int, default=300_000)
    a.add_argument("--two", type=float, default=TWO, help="share of scenes with two objects")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--threads", type=int, default=2)
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    unet = networks.denoiser()
    ema = copy.deepcopy(unet).eval()
    opt = torch.optim.AdamW(unet.parameters(), RATE, weight_decay=0.01, betas=(0.9, 0.99))
    path, it = f"{a.work}/unet.pt", 0
    if os.path.exists(path):
        c = torch.load(path)
        unet.load_state_dict(c["net"]), ema.load_state_dict(c["ema"]), opt.load_state_dict(c["opt"])
        it = c["it"]
    signal, noise = networks.schedule()
    data, total = Scenes(a.work, a.seed, it, a.two), a.samples // BATCH
    print(f"{sum(p.numel() for p in unet.parameters()) / 1e6:.1f} M parameters, from iteration {it} to {total}", flush=True)

    def save():
        torch.save(dict(net=unet.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), it=it), path + ".part")
        os.replace(path + ".part", path)

    start, began, mean = time.time(), it, None
    while it < total:
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (it + 1) / WARM, (total - it) / (DECAY * total))
        gen = torch.Generator().manual_seed(a.seed * 1_000_003 + it)
        x, states = data.batch(gen)
        t = torch.randint(0, networks.TRAIN_STEPS, (BATCH,), generator=gen)
        e = torch.randn(x.shape, generator=gen)
        s, n = signal[t][:, None, None, None], noise[t][:, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            v = unet(s * x + n * e, t, states, return_dict=False)[0]
        loss = F.mse_loss(v.float(), s * e - n * x)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        opt.step()
        it += 1
        keep = min(EMA, it / (it + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(unet.parameters()), 1 - keep)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if it % (16 * REUSE) == 0:
            data.add(16 * BATCH)
        if it % 100 == 0:
            rate = (it - began) * BATCH / (time.time() - start)
            print(f"it {it} samples {it * BATCH} {rate:.1f}/s loss {mean:.4f} t {time.time() - start:.0f}s", flush=True)
        if it % 500 == 0 or it == total:
            save()


if __name__ == "__main__":
    main()

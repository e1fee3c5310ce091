"""Sharpen the decoder: python training/train_decoder.py WORK [--crops N]

The encoder is frozen, so the latents, and with them the denoiser, stay as they are; the decoder goes on learning from
whole scenes and crops of them, against slightly noisy latents such as a denoiser leaves. Resumes from WORK/decoder.pt, and writes
WORK/vae_sharp when done, which the export takes.
"""

import argparse
import copy
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

import networks
from scenes import Sprites, scene, sheet
from train_vae import BATCH, batch, gradients, psnr

RATE, NOISE = 6e-4, 0.05


def main():
    a = argparse.ArgumentParser()
    a.add_argument("work")
    a.add_argument("--crops", type=int, default=20_000)
    a.add_argument("--seed", type=int, default=2)
    a.add_argument("--threads", type=int, default=2)
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    sprites = Sprites(a.work)
    vae = AutoencoderKL.from_pretrained(f"{a.work}/vae").to(memory_format=torch.channels_last)
    ema = copy.deepcopy(vae).eval()
    parts = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    kept = [*ema.decoder.parameters(), *ema.post_quant_conv.parameters()]
    opt = torch.optim.AdamW(parts, RATE, weight_decay=1e-4, betas=(0.9, 0.99))
    held = networks.to_tensor(np.stack([scene(sprites, random.Random(f"held-{i}"))[0] for i in range(48)]))
    path, it, total = f"{a.work}/decoder.pt", 0, a.crops // BATCH
    if os.path.exists(path):
        c = torch.load(path)
        vae.load_state_dict(c["net"]), ema.load_state_dict(c["ema"]), opt.load_state_dict(c["opt"])
        it = c["it"]
    start, began = time.time(), it
    while it < total:
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (it + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * it / total)))
        x = batch(sprites, a.seed, it, it % 2 == 0)
        with torch.no_grad():
            z = vae.encode(x).latent_dist.mean
            z += NOISE * torch.randn(z.shape, generator=torch.Generator().manual_seed(a.seed * 1_000_003 + it))
        r = vae.decode(z).sample
        sharp = sum(F.l1_loss(p, q) for p, q in zip(gradients(r), gradients(x)))
        loss = F.l1_loss(r, x) + F.mse_loss(r, x) + 0.5 * sharp
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parts, 1.0)
        opt.step()
        it += 1
        with torch.no_grad():
            torch._foreach_lerp_(kept, parts, 1 - min(0.998, it / (it + 20)))
        if it % 200 == 0 or it == total:
            rate = (it - began) * BATCH / (time.time() - start)
            print(f"it {it} crops {it * BATCH} {rate:.1f}/s loss {loss.item():.4f} held-out PSNR {psnr(ema, held)[0]:.2f} dB", flush=True)
            torch.save(dict(net=vae.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), it=it), path + ".part")
            os.replace(path + ".part", path)
    _, r = psnr(ema, held)
    ema.save_pretrained(f"{a.work}/vae_sharp.part")
    os.replace(f"{a.work}/vae_sharp.part", f"{a.work}/vae_sharp")
    pairs = [v for p in zip(networks.to_images(held[:24]), networks.to_images(r[:24])) for v in p]
    sheet(pairs, 8, f"{a.work}/vae_pairs.png")


if __name__ == "__main__":
    main()

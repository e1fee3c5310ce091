"""Train the autoencoder: python training/train_vae.py WORK [--crops N]

Random 64-px crops of fresh scenes, then whole ones; L1 + MSE + half the L1 of image gradients + a small KL. Resumes from
WORK/vae.pt; the data of iteration i follow from (seed, i) alone. At the end the latents' mean and standard deviation
are folded into quant_conv and post_quant_conv, so that latents have unit variance with scaling_factor 1.
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

import networks
from scenes import Sprites, scene, sheet

BATCH, CROP, STRIDE = 16, 64, 16  # 16 crops of 64 px; from WHOLE on four whole scenes, so that the norms see what they will see
WHOLE = 0.8


def start_near_identity(vae):
    """Trunk convolutions begin as copies, residuals small, the posterior narrow: without it 17 layers of
    normalised convolutions need ten times as many crops to pass a colour through (15.8 against 19.9 dB after 2,560)."""
    with torch.no_grad():
        for name, m in vae.named_modules():
            if m.__class__.__name__ == "ResnetBlock2D":
                m.conv2.weight *= 0.2
                m.conv2.bias.zero_()
            trunk = any(part in name for part in ("conv_in", "conv_out", "sampler", "shortcut", "quant"))
            if isinstance(m, torch.nn.Conv2d) and trunk:
                w = m.weight.clone()
                torch.nn.init.dirac_(m.weight)
                m.weight += 0.3 * w
                m.bias.zero_()
        vae.quant_conv.bias[networks.LATENT_CHANNELS :] = -4
    return vae


def batch(sprites, seed, iteration, whole):
    rng = random.Random(f"vae-{seed}-{iteration}")
    if whole:
        crops = [scene(sprites, rng)[0] for _ in range(BATCH // 4)]
    else:
        crops = []
        for _ in range(BATCH // 2):
            image, _ = scene(sprites, rng)
            for _ in range(2):
                y, x = (STRIDE * rng.randrange((128 - CROP) // STRIDE + 1) for _ in range(2))
                crops.append(image[y : y + CROP, x : x + CROP])
    return networks.to_tensor(np.stack(crops)).contiguous(memory_format=torch.channels_last)


def gradients(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def loss_of(vae, x, gen):
    moments = vae.quant_conv(vae.encoder(x))
    mean, logvar = moments.chunk(2, 1)
    logvar = logvar.clamp(-20, 10)
    z = mean + torch.randn(mean.shape, generator=gen) * (logvar / 2).exp()
    r = vae.decoder(vae.post_quant_conv(z))
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    sharp = sum(F.l1_loss(a, b) for a, b in zip(gradients(r), gradients(x)))
    return F.l1_loss(r, x) + F.mse_loss(r, x) + 0.5 * sharp + 1e-3 * kl


@torch.no_grad()
def psnr(vae, x):
    r = vae.decode(vae.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
    return 10 * math.log10(4 / F.mse_loss(r, x).item()), r


@torch.no_grad()
def fold(vae, sprites):
    """Normalise the latents: encoder gives (m-mean)/std, decoder undoes it. Exact, since both convolutions are 1x1."""
    x = np.stack([scene(sprites, random.Random(f"fold-{i}"))[0] for i in range(512)])
    m = torch.cat([vae.encode(networks.to_tensor(x[i : i + 64])).latent_dist.mean for i in range(0, 512, 64)])
    mean, std = m.mean((0, 2, 3)), m.std((0, 2, 3))
    z = len(mean)
    q, p = vae.quant_conv, vae.post_quant_conv
    q.weight[:z] /= std[:, None, None, None]
    q.bias[:z] = (q.bias[:z] - mean) / std
    q.bias[z:] -= 2 * std.log()
    p.bias += (p.weight[..., 0, 0] @ mean)
    p.weight *= std[None, :, None, None]
    print("latent std before folding", [round(v, 2) for v in std.tolist()])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("work")
    a.add_argument("--crops", type=int, default=48_000)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--threads", type=int, default=2)
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    sprites = Sprites(a.work)
    vae = start_near_identity(networks.autoencoder()).to(memory_format=torch.channels_last)
    ema = copy.deepcopy(vae).eval()
    opt = torch.optim.AdamW(vae.parameters(), 1.2e-3, weight_decay=1e-4, betas=(0.9, 0.99))
    held = networks.to_tensor(np.stack([scene(sprites, random.Random(f"held-{i}"))[0] for i in range(48)]))
    path, it, total = f"{a.work}/vae.pt", 0, a.crops // BATCH
    if os.path.exists(path):
        c = torch.load(path)
        vae.load_state_dict(c["net"]), ema.load_state_dict(c["ema"]), opt.load_state_dict(c["opt"])
        it = c["it"]

    def save():
        torch.save(dict(net=vae.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), it=it), path + ".part")
        os.replace(path + ".part", path)

    start, began = time.time(), it
    while it < total:
        for g in opt.param_groups:
            g["lr"] = 1.2e-3 * min(1, (it + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * it / total)))
        loss = loss_of(vae, batch(sprites, a.seed, it, it > WHOLE * total), torch.Generator().manual_seed(a.seed * 1_000_003 + it))
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        opt.step()
        it += 1
        keep = min(0.998, it / (it + 20))
        with torch.no_grad():
            for p, q in zip(ema.parameters(), vae.parameters()):
                p.lerp_(q, 1 - keep)
        if it % 200 == 0:
            rate = (it - began) * BATCH / (time.time() - start)
            print(f"it {it} crops {it * BATCH} {rate:.1f}/s loss {loss.item():.4f} held-out PSNR {psnr(ema, held)[0]:.2f} dB", flush=True)
            save()
    fold(ema, sprites)
    db, r = psnr(ema, held)
    print(f"final held-out PSNR {db:.2f} dB")
    ema.save_pretrained(f"{a.work}/vae.part")
    os.replace(f"{a.work}/vae.part", f"{a.work}/vae")
    pairs = [v for p in zip(networks.to_images(held[:24]), networks.to_images(r[:24])) for v in p]
    sheet(pairs, 8, f"{a.work}/vae_pairs.png")


if __name__ == "__main__":
    main()

"""Compare `easel imagine` with diffusers on the same weights: python training/parity.py EASEL MODEL [SAMPLER...]

diffusers' StableDiffusionPipeline runs the PyTorch twin of the model folder, read back from the ONNX files that ship;
the picture of each case is compared with the one that the binary paints. Fails above 2/255 in any channel.
"""

import json
import os
import subprocess
import sys
import tempfile

import diffusers
import numpy as np
import onnxruntime
import torch
import transformers
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image

import networks

diffusers.logging.set_verbosity_error()
transformers.logging.set_verbosity_error()
LIMIT = 2
SAMPLERS = {  # a name, its class, and what the name sets whatever the file says
    "ddim": (diffusers.DDIMScheduler, {}), "ddpm": (diffusers.DDPMScheduler, {}), "pndm": (diffusers.PNDMScheduler, {}),
    "euler": (diffusers.EulerDiscreteScheduler, {}), "euler_a": (diffusers.EulerAncestralDiscreteScheduler, {}),
    "lms": (diffusers.LMSDiscreteScheduler, {}), "heun": (diffusers.HeunDiscreteScheduler, {}),
    "dpm2": (diffusers.KDPM2DiscreteScheduler, {}), "dpm2_a": (diffusers.KDPM2AncestralDiscreteScheduler, {}),
    "dpmpp_2m": (diffusers.DPMSolverMultistepScheduler, {}),
    "dpmpp_2m_karras": (diffusers.DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "dpmpp_2m_sde": (diffusers.DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
    "dpmpp_sde": (diffusers.DPMSolverSinglestepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": (diffusers.UniPCMultistepScheduler, {}), "lcm": (diffusers.LCMScheduler, {}), "tcd": (diffusers.TCDScheduler, {}),
}
CASES = [  # prompt, negative, seed, steps, guidance, size, eta
    ("a red fox on a blue background", "", 7, 20, 3.0, 128, 0.0),
    ("a cat next to a pizza on a yellow background, 3d", "", 123456789, 12, 7.5, 128, 0.0),
    ("an owl", "brown, flat", 2**32 + 5, 8, 3.0, 128, 0.0),
    ("rocket, black background, flat", "", 0, 30, 1.0, 128, 0.0),
    ("a panda on a pink background", "", -3, 5, 2.0, 160, 0.0),
    ("a frog", "", 42, 10, 3.0, 128, 0.6),
]


def load(model):
    def config(part):
        return json.load(open(f"{model}/{part}/config.json"))

    unet = networks.twin(UNet2DConditionModel.from_config(config("unet")), "unet", f"{model}/unet/model.onnx")
    vae = networks.twin(AutoencoderKL.from_config(config("vae_decoder")), "vae", f"{model}/vae_decoder/model.onnx", f"{model}/vae_encoder/model.onnx")
    return unet, vae


class Text:
    def __init__(self, model):
        self.encoder, self.tokenizer = networks.text_encoder(), networks.tokenizer()
        self.graph = onnxruntime.InferenceSession(f"{model}/text_encoder/model.onnx", providers=["CPUExecutionProvider"])
        self.worst = 0.0

    @torch.no_grad()
    def __call__(self, text):
        ids = torch.tensor([self.tokenizer.encode(text).ids])
        states = self.encoder(ids)
        self.worst = max(self.worst, float(np.abs(self.graph.run(None, {"input_ids": ids.numpy()})[0] - states.numpy()).max()))
        return states


def ours(easel, model, case, sampler, folder):
    prompt, negative, seed, steps, guidance, size, eta = case
    out = os.path.join(folder, "easel.png")
    subprocess.run([easel, "imagine", "--model", model, "--device", "cpu", "--plain-prompt", "--prompt", prompt, "--negative", negative, f"--seed={seed}", f"--steps={steps}",
                    f"--guidance={guidance}", f"--size={size}x{size}", f"--sampler={sampler}", f"--eta={eta}", "--out", out], check=True, stdout=subprocess.DEVNULL)
    return np.asarray(Image.open(out).convert("RGB")).astype(int)


def theirs(pipe, text, case):
    prompt, negative, seed, steps, guidance, size, eta = case
    image = pipe(prompt_embeds=text(prompt), negative_prompt_embeds=text(negative), num_inference_steps=steps, guidance_scale=guidance, height=size, width=size,
                 eta=eta, generator=torch.Generator().manual_seed(seed)).images[0]
    return np.asarray(image).astype(int)


def main(easel, model, *only):
    torch.manual_seed(0)
    unet, vae = load(model)
    text = Text(model)
    scheduler = json.load(open(f"{model}/scheduler/scheduler_config.json"))
    failed = 0
    print("| sampler | " + " | ".join(f"{c[3]} steps, guidance {c[4]:g}" for c in CASES) + " |")
    print("| --- |" + " --- |" * len(CASES))
    with tempfile.TemporaryDirectory() as folder:
        for name, (cls, fixed) in SAMPLERS.items():
            if only and name not in only:
                continue
            row = []
            for case in CASES:
                pipe = StableDiffusionPipeline(vae=vae, text_encoder=None, tokenizer=None, unet=unet, scheduler=cls.from_config(scheduler, **fixed),
                                               safety_checker=None, feature_extractor=None, requires_safety_checker=False)
                pipe.set_progress_bar_config(disable=True)
                try:
                    reference = theirs(pipe, text, case)
                except IndexError:  # Karras levels of many steps round to equal timesteps, which diffusers then miscounts
                    row.append("diffusers fails")
                    continue
                diff = np.abs(ours(easel, model, case, name, folder) - reference)
                failed += diff.max() > LIMIT
                row.append(f"{diff.max()} ({(diff > 0).mean():.2%})")
            print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    print(f"\nLargest difference of a channel out of 255 (and how many differ at all). Text encoder: {text.worst:.1e}.")
    failed += text.worst > 1e-3
    if failed:
        sys.exit(f"{failed} cases differ by more than {LIMIT}/255")


if __name__ == "__main__":
    main(*sys.argv[1:])

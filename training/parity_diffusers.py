"""What diffusers paints: a case, named as `easel imagine` names its flags, by any of the pipelines for its family and task."""

import inspect
import os
from dataclasses import asdict, dataclass, replace

import diffusers
import numpy as np
import torch
from PIL import Image, ImageDraw

import export
import families
from parity import SAMPLERS

TASKS = ("text", "image", "inpaint", "refined")


@dataclass(frozen=True)
class Case:
    prompt: str
    sampler: str
    steps: int
    guidance: float
    negative: str | None = None  # None is not given, which is not the same as ""
    seed: int = 7
    size: tuple = (64, 64)  # width, height
    eta: float = 0.0
    rescale: float = 0.0
    clip_skip: int = 0
    init: str | None = None  # a file
    strength: float = 1.0
    mask: str | None = None  # a file; white is painted anew
    count: int = 1
    refine_at: float = 0.0  # share of the schedule after which a refiner goes on

    @property
    def task(self):
        return "refined" if self.refine_at else "inpaint" if self.mask else "image" if self.init else "text"


class Refused(Exception):
    """diffusers cannot paint this."""


def pipeline(name, task, sampler):
    """The class that paints, or None if diffusers has none for it."""
    f = families.FAMILIES[name]
    if f.channels == 9 and task != "inpaint" or f.aesthetic and task in ("text", "refined") or task == "refined" and not f.xl:
        return None
    if f.cond and sampler == "lcm" and task != "inpaint":
        return dict(text=diffusers.LatentConsistencyModelPipeline, image=diffusers.LatentConsistencyModelImg2ImgPipeline)[task]
    kind = "StableDiffusionXL" if f.xl else "StableDiffusion"
    return getattr(diffusers, kind + dict(text="Pipeline", refined="Pipeline", image="Img2ImgPipeline", inpaint="InpaintPipeline")[task])


def scheduler(name, sampler):
    cls, fixed = SAMPLERS[sampler]
    return cls.from_config(families.SCHEDULERS[families.FAMILIES[name].scheduler], **fixed)


def assemble(model, name, task, sampler):
    cls = pipeline(name, task, sampler)
    if model.text_encoder is not None and not hasattr(model.text_encoder, "text_model"):  # diffusers looks for the final norm where transformers 4 had it
        object.__setattr__(model.text_encoder, "text_model", model.text_encoder)
    parts = {k: v for k, v in {**model.components, **model.config}.items() if k in inspect.signature(cls.__init__).parameters and not k.startswith("_")}
    parts |= {k: v for k, v in model.components.items() if k in parts}
    if not families.FAMILIES[name].xl:
        parts |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    else:
        parts |= dict(add_watermarker=False)
    pipe = cls(**{**parts, "scheduler": scheduler(name, sampler)})  # here and not later: pipelines mend outdated keys (steps_offset) as they are made
    pipe.set_progress_bar_config(disable=True)
    return pipe


def as_declared(unet, name):
    """Gives the denoiser its timesteps as its graph takes them: old ones whole numbers, half ones float16."""
    f, forward = families.FAMILIES[name], unet.forward

    def rounded(sample, timestep, *args, **kwargs):
        return forward(sample, torch.as_tensor(timestep).to(torch.int64 if f.old else torch.float16).float(), *args, **kwargs)

    if f.old or f.half:
        unet.forward = rounded


def arguments(case, folder):
    """What a pipeline's call is given; which of it a class takes is looked up there."""
    width, height = case.size
    args = dict(prompt=case.prompt, num_inference_steps=case.steps, guidance_scale=case.guidance, height=height, width=width, num_images_per_prompt=case.count,
                generator=[torch.Generator().manual_seed(case.seed + i) for i in range(case.count)])
    args |= {k: v for k, v in dict(negative_prompt=case.negative, clip_skip=case.clip_skip or None, eta=case.eta, guidance_rescale=case.rescale).items() if v is not None}
    if case.init:
        image = Image.open(os.path.join(folder, case.init)).convert("RGB")
        args |= dict(image=image.resize(case.size, Image.Resampling.LANCZOS) if image.size != case.size else image, strength=case.strength)
    if case.mask:
        args |= dict(mask_image=Image.open(os.path.join(folder, case.mask)).convert("L"))
    return args


def paint(model, name, case, folder=".", refiner=None):
    """The pictures of a case, as arrays of height, width and RGB.

    Those with a refiner, a model of that family, are begun by one pipeline and finished by another, which shares its generators.

    Those within a mask are painted one by one: in a batch diffusers draws the latents of the whole picture from the first generator alone, so
    that what the others draw depends on the batch.
    """
    if case.mask and case.count > 1:
        return [paint(model, name, replace(case, seed=case.seed + i, count=1), folder)[0] for i in range(case.count)]
    if case.refine_at:
        args = arguments(replace(case, init=None), folder)
        begun = replace(case, refine_at=0.0)
        image = run(model, name, begun, dict(arguments(begun, folder), generator=args["generator"], denoising_end=case.refine_at, output_type="latent"))
        return run(refiner, "refiner", replace(begun, init="the latents"), dict(args, image=image, denoising_start=case.refine_at))
    return run(model, name, case, arguments(case, folder))


def run(model, name, case, args):
    """What the pipeline for a case gives: latents, or arrays of height, width and RGB."""
    pipe = assemble(model, name, case.task, case.sampler)
    takes = inspect.signature(pipe.__call__).parameters
    args = {k: v for k, v in args.items() if k in takes}
    if case.rescale and "guidance_rescale" not in takes and not families.FAMILIES[name].cond:
        raise Refused(f"{type(pipe).__name__} takes no guidance_rescale")
    try:
        with torch.no_grad():
            images = pipe(**args).images
            return images if "output_type" in args else [np.asarray(image.convert("RGB")) for image in images]
    except (IndexError, ValueError) as e:  # such as Karras levels of many steps, which round to equal timesteps
        raise Refused(f"{case.sampler}, {type(e).__name__}: {str(e).splitlines()[0]}") from e


def write_inputs(out):
    """A picture to start from and masks, made of plain shapes."""
    os.makedirs(out, exist_ok=True)
    x, y = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 48))
    image = Image.fromarray((np.stack([x, y, 1 - x * y], 2) * 255).round().astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 12, 32, 38), fill=(220, 60, 30))
    draw.rectangle((26, 6, 44, 18), fill=(20, 40, 160))
    image.save(f"{out}/init.png")
    image.resize((90, 70), Image.Resampling.BICUBIC).save(f"{out}/init-large.png")
    mask = Image.new("L", (48, 48))
    ImageDraw.Draw(mask).ellipse((14, 14, 46, 40), fill=255)
    mask.save(f"{out}/mask.png")


# The cases that testdata keeps, by family.
FOX, CAT = "a red fox on a blue background", "photo of the cat, 3 of the foxes!"
SMALL = dict(size=(48, 48))
IMAGE, MASK = dict(init="init.png", **SMALL), dict(init="init.png", mask="mask.png", **SMALL)
REFERENCES = {
    "sd15": [
        Case(FOX, "pndm", 6, 7.5, negative="a cat"),
        Case(CAT, "euler", 4, 1.0, seed=2**32 + 5, size=(64, 48)),
        Case(FOX, "dpmpp_2m", 5, 5.0, clip_skip=1, **SMALL),
        Case(FOX, "ddim", 5, 7.5, negative="blue", rescale=0.7, eta=0.5, **SMALL),
        Case(CAT, "euler_a", 6, 5.0, strength=0.6, **IMAGE),
        Case(FOX, "pndm", 6, 5.0, strength=0.5, negative="", **IMAGE),
        Case(CAT, "ddim", 5, 5.0, **MASK),
        Case(FOX, "dpmpp_2m_sde", 6, 5.0, strength=0.6, negative="a cat", **MASK),
    ],
    "sd2": [
        Case(FOX, "ddim", 5, 7.5),
        Case(CAT, "euler", 5, 5.0, negative="a fox", rescale=0.7, **SMALL),
        Case(FOX, "dpmpp_2m_karras", 5, 5.0, clip_skip=1, **SMALL),
        Case(CAT, "lms", 6, 5.0, strength=0.7, **IMAGE),
        Case(FOX, "heun", 5, 5.0, strength=0.6, **MASK),
    ],
    "sdxl": [
        Case(FOX, "euler", 5, 5.0),
        Case(FOX, "euler", 5, 5.0, negative="", **SMALL),
        Case(CAT, "dpmpp_2m", 5, 5.0, negative="a fox", size=(64, 48)),
        Case(FOX, "euler_a", 5, 5.0, clip_skip=1, rescale=0.7, **SMALL),
        Case(CAT, "unipc", 6, 5.0, strength=0.6, **IMAGE),
        Case(FOX, "euler", 6, 1.0, strength=0.6, **MASK),
        Case(FOX, "euler", 5, 5.0, negative="blue", **MASK),
        Case(FOX, "euler_a", 10, 5.0, negative="a cat", refine_at=0.7, **SMALL),
        Case(CAT, "dpmpp_2m", 8, 5.0, strength=0.7, refine_at=0.8, **IMAGE),
        Case(FOX, "heun", 6, 5.0, refine_at=0.5, **SMALL),
    ],
    "lcm": [
        Case(FOX, "lcm", 4, 8.0),
        Case(CAT, "lcm", 2, 1.0, size=(48, 64)),
        Case(FOX, "ddim", 5, 8.0, clip_skip=1, **SMALL),
        Case(FOX, "lcm", 4, 8.0, strength=0.5, **IMAGE),
        Case(CAT, "lcm", 4, 4.0, **MASK),
    ],
    "inpaint": [
        Case(FOX, "pndm", 5, 7.5, **MASK),
        Case(CAT, "euler", 6, 5.0, strength=0.6, negative="a fox", **MASK),
        Case(FOX, "dpmpp_2m", 5, 1.0, size=(48, 64), init="init-large.png", mask="mask.png"),
        Case(CAT, "euler_a", 5, 5.0, clip_skip=1, **MASK),
    ],
    "refiner": [
        Case(FOX, "euler", 6, 5.0, strength=0.3, **IMAGE),
        Case(CAT, "dpmpp_2m", 5, 5.0, strength=1.0, negative="a fox", **IMAGE),
        Case(FOX, "euler", 5, 1.0, strength=0.6, **IMAGE),
        Case(CAT, "euler_a", 5, 5.0, strength=0.7, **MASK),
    ],
}


def write_references(models, out):
    """Paints the cases that testdata keeps, and writes references.json with a picture a case."""
    write_inputs(out)
    os.makedirs(f"{out}/pictures", exist_ok=True)
    entries = []
    for name, model in models.items():
        for i, case in enumerate(REFERENCES[name], 1):
            picture = f"pictures/{name}-{i}.png"
            Image.fromarray(paint(model, name, case, out, models["refiner"])[0]).save(f"{out}/{picture}", optimize=True)
            entries.append(entry(name, case, picture))
    export.write_json(f"{out}/references.json", entries)


def entry(name, case, picture):
    """A case as references.json has it; what was not given is left out."""
    left = asdict(case)
    left.pop("count")
    size = left.pop("size")
    left |= dict(size=f"{size[0]}x{size[1]}")
    if not case.init:
        left.pop("strength")
    optional = ("negative", "eta", "rescale", "clip_skip", "init", "mask", "refine_at")
    return dict(family=name, **{k: v for k, v in left.items() if k not in optional or (v if k != "negative" else v is not None)}, picture=picture)

"""Write small models of every family with random weights: python training/families.py OUT [--family NAME...], or --tiny OUT

OUT/NAME is the model in the diffusers ONNX layout, with the names, types and axes that optimum gives its exports;
OUT/torch/NAME is the same model as diffusers saves it. --tiny writes those that tests use, the smallest there are, with
pictures that diffusers paints by them (references.json). The seed is fixed: the same weights each time.
"""

import argparse
import json
import os
import shutil
import zlib
from dataclasses import dataclass

import diffusers
import numpy as np
import onnx
import torch
import torch.nn as nn
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from onnx import TensorProto, helper, numpy_helper
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

import export

BETAS = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", trained_betas=None, clip_sample=False)
SCHEDULERS = {  # as published models ship them: what they leave out matters when another sampler reads the file
    "sd15": dict(_class_name="PNDMScheduler", **BETAS, set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1),
    "sd2": dict(_class_name="DDIMScheduler", **BETAS, prediction_type="v_prediction", set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1),
    "sdxl": dict(_class_name="EulerDiscreteScheduler", **BETAS, interpolation_type="linear", prediction_type="epsilon", sample_max_value=1.0, set_alpha_to_one=False,
                 skip_prk_steps=True, steps_offset=1, timestep_spacing="leading", use_karras_sigmas=False),
    "turbo": dict(_class_name="EulerAncestralDiscreteScheduler", **BETAS, interpolation_type="linear", prediction_type="epsilon", sample_max_value=1.0,
                  set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, timestep_spacing="trailing", use_karras_sigmas=False),
    "lcm": dict(_class_name="LCMScheduler", **BETAS, clip_sample_range=1.0, dynamic_thresholding_ratio=0.995, original_inference_steps=50, prediction_type="epsilon",
                rescale_betas_zero_snr=False, sample_max_value=1.0, set_alpha_to_one=True, steps_offset=0, thresholding=False, timestep_scaling=10.0,
                timestep_spacing="leading"),
}


@dataclass(frozen=True)
class Family:
    scheduler: str
    pipeline: type
    texts: tuple = ("sd15",)  # the encoder in text_encoder, then the one in text_encoder_2
    channels: int = 4  # that the denoiser takes
    cond: int = 0  # width of timestep_cond
    aesthetic: bool = False
    half: bool = False  # graphs in float16
    old: bool = False  # as diffusers' own script wrote them
    opset: int = 14

    @property
    def xl(self):
        return "xl2" in self.texts


FAMILIES = {
    "sd15": Family("sd15", diffusers.StableDiffusionPipeline),
    "sd2": Family("sd2", diffusers.StableDiffusionPipeline, ("sd2",), opset=17),
    "sdxl": Family("sdxl", diffusers.StableDiffusionXLPipeline, ("sd15", "xl2"), opset=17),
    "turbo": Family("turbo", diffusers.StableDiffusionXLPipeline, ("sd15", "xl2")),
    "lcm": Family("lcm", diffusers.LatentConsistencyModelPipeline, cond=32),
    "inpaint": Family("sd15", diffusers.StableDiffusionInpaintPipeline, channels=9, opset=17),
    "refiner": Family("sdxl", diffusers.StableDiffusionXLImg2ImgPipeline, (None, "xl2"), aesthetic=True),
    "sd15-fp16": Family("sd15", diffusers.StableDiffusionPipeline, half=True, opset=17),
    "sd15-old": Family("sd15", diffusers.StableDiffusionPipeline, old=True),
}
TINY = ("sd15", "sd2", "sdxl", "lcm", "inpaint", "refiner")


@dataclass(frozen=True)
class Widths:
    unet: tuple = (32, 64)
    vae: tuple = (16, 32, 32)
    groups: int = 8
    text: int = 32
    text2: int = 64
    layers: int = 4
    latent: int = 16  # height and width of a picture's latents


SMALLEST = Widths(unet=(8, 8), vae=(8, 8, 8), groups=4, text=16, text2=24, layers=3)


# The tokenizer: CLIP's rules over letters, digits, a few signs and the words below.
SIGNS = "!\"'(),-." + "0123456789" + ":;?" + "abcdefghijklmnopqrstuvwxyz"
WORDS = "a an the on of in and fox cat red blue photo background".split()


def vocabulary():
    """(vocabulary, merges) in CLIP's order: the signs, the signs that end a word, what merges give, and the two marks."""
    merges, known = [], list(SIGNS) + [c + "</w>" for c in SIGNS]
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
                known.append(parts[0] + parts[1])
            parts[:2] = [parts[0] + parts[1]]
    known += ["<|startoftext|>", "<|endoftext|>"]
    return {t: i for i, t in enumerate(dict.fromkeys(known))}, merges


def tokenizer(pad):
    vocab, merges = vocabulary()
    return CLIPTokenizer(vocab=vocab, merges=merges, pad_token=pad, model_max_length=77)


# The networks.
def randomise(module):
    """Weights that keep signals about as large as they come, so that every part of a network counts."""
    for m in module.modules():
        for name, p in m.named_parameters(recurse=False):
            if isinstance(m, (nn.LayerNorm, nn.GroupNorm)):
                p.data = torch.randn_like(p) * 0.2 + (name == "weight")
            elif isinstance(m, nn.Embedding):
                p.data = torch.randn_like(p)
            elif p.dim() > 1:
                p.data = torch.randn_like(p) * p[0].numel() ** -0.5
            else:
                p.data = torch.randn_like(p) * 0.1
    return module.eval()


def scale(layer, factor):
    layer.weight.data *= float(factor)


def text_encoder(kind, w):
    vocab, _ = vocabulary()
    width = w.text2 if kind == "xl2" else w.text
    config = CLIPTextConfig(
        vocab_size=len(vocab), hidden_size=width, intermediate_size=width, num_hidden_layers=w.layers, num_attention_heads=2, max_position_embeddings=77,
        projection_dim=width, hidden_act="quick_gelu" if kind == "sd15" else "gelu", bos_token_id=0, eos_token_id=2, pad_token_id=1)
    config._attn_implementation = "eager"
    return randomise((CLIPTextModelWithProjection if kind == "xl2" else CLIPTextModel)(config))


def denoiser(f, w):
    cross = sum(w.text2 if t == "xl2" else w.text for t in f.texts if t)
    config = dict(
        sample_size=w.latent, in_channels=f.channels, out_channels=4, block_out_channels=w.unet, layers_per_block=1, cross_attention_dim=cross, attention_head_dim=2,
        norm_num_groups=w.groups, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    if f.cond:
        config |= dict(time_cond_proj_dim=f.cond)
    if f.scheduler == "sd2":
        config |= dict(use_linear_projection=True)
    if f.xl:
        config |= dict(down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), use_linear_projection=True,
                       addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=w.text2 + (5 if f.aesthetic else 6) * 8)
    unet = randomise(UNet2DConditionModel(**config))
    for name, m in unet.named_modules():
        if name.endswith("attn2.to_out.0"):
            scale(m, 3)  # so that the text shows
    inputs = unet_inputs(unet, f, 8)
    with torch.no_grad():
        scale(unet.conv_out, 1 / Denoise(unet)(*inputs.values()).std())
    return unet


def autoencoder(f, w):
    vae = randomise(AutoencoderKL(
        block_out_channels=w.vae, down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3, layers_per_block=1, norm_num_groups=w.groups,
        latent_channels=4, sample_size=4 * w.latent, scaling_factor=0.13025 if f.xl else 0.18215, force_upcast=False))
    factor = vae.config.scaling_factor
    with torch.no_grad():
        scale(vae.decoder.conv_out, 0.45 / vae.decode(torch.randn(8, 4, w.latent, w.latent) / factor).sample.std())
        mean, deviation = vae.encode(torch.rand(8, 3, 4 * w.latent, 4 * w.latent) * 2 - 1).latent_dist.parameters.chunk(2, 1)
        vae.quant_conv.weight.data[:4] /= mean.std() * factor  # latents of deviation 1
        vae.quant_conv.weight.data[4:] /= deviation.std() * 4
    return vae


def build(name, widths):
    """The model as a diffusers pipeline, its weights numbers that float16 has."""
    f = FAMILIES[name]
    torch.manual_seed(zlib.crc32(name.split("-")[0].encode()))
    texts = [t and text_encoder(t, widths) for t in f.texts]
    unet, vae = denoiser(f, widths), autoencoder(f, widths)
    for part in (*texts, unet, vae):
        if part is not None:
            export.round_half(part)
    scheduler = getattr(diffusers, SCHEDULERS[f.scheduler]["_class_name"]).from_config(SCHEDULERS[f.scheduler])
    parts = dict(vae=vae, unet=unet, scheduler=scheduler, text_encoder=texts[0],
                 tokenizer=texts[0] and tokenizer("!" if f.texts[0] == "sd2" else "<|endoftext|>"))
    if f.xl:
        parts |= dict(text_encoder_2=texts[1], tokenizer_2=tokenizer("!"), force_zeros_for_empty_prompt=not f.aesthetic, add_watermarker=False)
        parts |= dict(requires_aesthetics_score=True) if f.aesthetic else {}
    else:
        parts |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return f.pipeline(**parts)


# The graphs.
class Clip(nn.Module):
    def __init__(self, encoder, states):
        super().__init__()
        self.states, self.projects = states, isinstance(encoder, CLIPTextModelWithProjection)
        if self.projects:
            self.text_model, self.text_projection = encoder.text_model, encoder.text_projection
        else:
            self.text_model = getattr(encoder, "text_model", encoder)

    def forward(self, input_ids):
        out = self.text_model(input_ids=input_ids, output_hidden_states=self.states)
        first = (self.text_projection(out.pooler_output), out.last_hidden_state) if self.projects else (out.last_hidden_state, out.pooler_output)
        return (*first, *(out.hidden_states if self.states else ()))


class Denoise(nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states, *more):
        kwargs = {}
        if self.unet.config.addition_embed_type == "text_time":
            kwargs["added_cond_kwargs"] = dict(text_embeds=more[0], time_ids=more[1])
        elif more:
            kwargs["timestep_cond"] = more[0]
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False, **kwargs)[0]


def unet_inputs(unet, f, rows=2):
    """What the denoiser's graph takes, in optimum's order."""
    c = unet.config
    size = c.sample_size
    inputs = dict(sample=torch.randn(rows, c.in_channels, size, size), timestep=torch.tensor([501]) if f.old else torch.tensor(501.0),
                  encoder_hidden_states=torch.randn(rows, 77, c.cross_attention_dim))
    if f.xl:
        ids = 5 if f.aesthetic else 6
        pooled = c.projection_class_embeddings_input_dim - ids * c.addition_time_embed_dim
        inputs |= dict(text_embeds=torch.randn(rows, pooled), time_ids=torch.tensor([[64.0, 64, 0, 0, 64, 64][:ids]] * rows))
    if f.cond:
        inputs |= dict(timestep_cond=torch.randn(rows, f.cond))
    return inputs


AXES = {
    "input_ids": {0: "batch_size", 1: "sequence_length"}, "timestep": {}, "encoder_hidden_states": {0: "batch_size", 1: "sequence_length"},
    "last_hidden_state": {0: "batch_size", 1: "sequence_length"}, "latent_sample": {0: "batch_size", 2: "latent_height", 3: "latent_width"},
    "latent_parameters": {0: "batch_size", 2: "latent_height", 3: "latent_width"},
    "sample": {0: "batch_size", 2: "height", 3: "width"}, "out_sample": {0: "batch_size", 2: "height", 3: "width"},
}


def write_graph(module, inputs, outputs, f, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    axes = {n: AXES.get(n, {0: "batch_size", 1: "sequence_length"} if n.startswith("hidden_states") else {0: "batch_size"}) for n in (*inputs, *outputs)}
    if f.half:
        module, inputs = module.half(), {n: x.half() if x.is_floating_point() else x for n, x in inputs.items()}
    torch.onnx.export(module.eval(), tuple(inputs.values()), path, input_names=list(inputs), output_names=list(outputs),
                      dynamic_axes={n: a for n, a in axes.items() if a}, opset_version=f.opset, dynamo=False)
    module.float()


def write_texts(pipe, f, out):
    for component, kind in zip(("text_encoder", "text_encoder_2"), f.texts):
        if kind is None:
            continue
        encoder = getattr(pipe, component)
        named = ("text_embeds", "last_hidden_state") if kind == "xl2" else ("last_hidden_state", "pooler_output")
        if f.xl:
            named += tuple(f"hidden_states.{i}" for i in range(encoder.config.num_hidden_layers + 1))
        ids = torch.randint(0, 90, (2, 77), dtype=torch.int32 if f.old else torch.int64)
        write_graph(Clip(encoder, f.xl), dict(input_ids=ids), named, f, f"{out}/{component}/model.onnx")
        encoder.config.save_pretrained(f"{out}/{component}")
        write_tokenizer(getattr(pipe, component.replace("text_encoder", "tokenizer")), f, f"{out}/{component.replace('text_encoder', 'tokenizer')}")


def write_tokenizer(t, f, out):
    t.save_pretrained(out)
    if f.old:
        os.remove(f"{out}/tokenizer.json")
        vocab, merges = vocabulary()
        with open(f"{out}/vocab.json", "w", encoding="utf-8") as file:
            json.dump(vocab, file, ensure_ascii=False)
        with open(f"{out}/merges.txt", "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    export.write_json(f"{out}/special_tokens_map.json", {k: t.special_tokens_map[k] for k in ("bos_token", "eos_token", "unk_token", "pad_token")})


class Encode(nn.Module):
    """Old exports drew the latents inside the graph."""

    def __init__(self, vae, draw):
        super().__init__()
        self.vae, self.draw = vae, draw

    def forward(self, sample):
        parameters = self.vae.quant_conv(self.vae.encoder(sample))
        if not self.draw:
            return parameters
        mean, log = parameters.chunk(2, 1)
        return mean + torch.exp(0.5 * log) * torch.randn_like(mean)


def write_folder(pipe, name, out, widths):
    f = FAMILIES[name]
    shutil.rmtree(out, ignore_errors=True)
    write_texts(pipe, f, out)
    pipe.unet.set_attn_processor(diffusers.models.attention_processor.AttnProcessor())
    z = widths.latent
    write_graph(Denoise(pipe.unet), unet_inputs(pipe.unet, f), ("out_sample",), f, f"{out}/unet/model.onnx")
    write_graph(export.Decode(pipe.vae), dict(latent_sample=torch.randn(2, 4, z, z)), ("sample",), f, f"{out}/vae_decoder/model.onnx")
    write_graph(Encode(pipe.vae, f.old), dict(sample=torch.rand(2, 3, 4 * z, 4 * z)), ("latent_sample" if f.old else "latent_parameters",), f, f"{out}/vae_encoder/model.onnx")
    export.write_json(f"{out}/unet/config.json", dict(_class_name="UNet2DConditionModel", **export.config_of(pipe.unet)))
    for part in ("vae_decoder", "vae_encoder"):
        export.write_json(f"{out}/{part}/config.json", dict(_class_name="AutoencoderKL", **export.config_of(pipe.vae)))
    export.write_json(f"{out}/scheduler/scheduler_config.json", SCHEDULERS[f.scheduler])
    pipe.save_config(out)
    if f.old:
        for part in ("text_encoder", "unet", "vae_decoder", "vae_encoder"):
            path = f"{out}/{part}/model.onnx"
            onnx.save_model(onnx.load(path), path, save_as_external_data=True, all_tensors_to_one_file=True, location="weights.pb", size_threshold=0)


def shrink(path):
    """Makes a graph's file small: matrices in float16 with a Cast behind them, equal constants once, short names.

    Text encoders keep their parameters' names, by which the final norm is found.
    """
    m = onnx.load(path)
    g, casts = m.graph, []
    merge_constants(g)
    rename(g, "text_encoder" in path)
    for t in g.initializer:
        if t.data_type == TensorProto.FLOAT and len(t.dims) > 1:
            name, w = t.name, numpy_helper.to_array(t)
            t.CopyFrom(numpy_helper.from_array(w.astype(np.float16), name + "h"))
            casts.append(helper.make_node("Cast", [name + "h"], [name], to=TensorProto.FLOAT))
    export.finish(m, casts, path)


def merge_constants(g):
    first, same, nodes = {}, {}, []
    for n in g.node:
        n.input[:] = [same.get(i, i) for i in n.input]
        if n.op_type == "Constant":
            same[n.output[0]] = first.setdefault(n.attribute[0].SerializeToString(), n.output[0])
        if same.get(n.output[0], n.output[0]) == n.output[0]:
            nodes.append(n)
    del g.node[:]
    g.node.extend(nodes)


def rename(g, parameters_stay):
    kept = {v.name for v in (*g.input, *g.output)} | {""} | ({t.name for t in g.initializer} if parameters_stay else set())
    names = [t.name for t in g.initializer] + [o for n in g.node for o in n.output]
    short = {name: f"v{i}" for i, name in enumerate(n for n in names if n not in kept)}
    for t in g.initializer:
        t.name = short.get(t.name, t.name)
    for n in g.node:
        n.input[:] = [short.get(i, i) for i in n.input]
        n.output[:] = [short.get(o, o) for o in n.output]


def tiny(out):
    import parity_diffusers

    built = {}
    for name in TINY:
        built[name] = pipe = build(name, SMALLEST)
        write_folder(pipe, name, f"{out}/{name}", SMALLEST)
        for root, _, files in os.walk(f"{out}/{name}"):
            for file in files:
                if file == "model.onnx":
                    shrink(f"{root}/{file}")
    parity_diffusers.write_references(built, out)


def write(name, out):
    pipe = build(name, Widths())
    shutil.rmtree(f"{out}/references/{name}", ignore_errors=True)
    write_folder(pipe, name, f"{out}/{name}", Widths())
    pipe.save_pretrained(f"{out}/torch/{name}")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("out")
    a.add_argument("--family", action="append", choices=FAMILIES)
    a.add_argument("--tiny", action="store_true")
    a = a.parse_args()
    if a.tiny:
        return tiny(a.out)
    for name in a.family or FAMILIES:
        write(name, a.out)
        print(f"{a.out}/{name}", flush=True)


if __name__ == "__main__":
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    main()

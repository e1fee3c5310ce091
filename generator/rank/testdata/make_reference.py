#!/usr/bin/env python3
"""Makes two small CLIPs of random weights, in the two ways there are to export them, and reference.json: what transformers
makes of pictures and prompts with them. Needs torch, transformers, onnx and Pillow before 13, which resizes some pictures
otherwise (made with torch 2.15.0, transformers 5.23.0, Pillow 12.3.0)."""
import json, os, shutil, warnings

import numpy as np
import torch
import torch.nn as nn
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

warnings.filterwarnings("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))

PROMPTS = ["a photo of a cat", "fox", "", "the cat's of fox of the photo, 1 2 3 4 5 6 7 8 9 a fox of the photo of a cat"]
SIZES = [(64, 48), (31, 77), (32, 32), (20, 20), (200, 33)]


def vocabulary():
    """Every byte, alone and at a word's end, and some words."""
    byte = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, n = {b: chr(b) for b in byte}, 0
    for b in range(256):
        if b not in table:
            table[b], n = chr(256 + n), n + 1
    letters = [table[b] for b in [*byte, *(b for b in range(256) if b not in byte)]]
    merges = "t h,th e</w>,c a,ca t</w>,f o,fo x</w>,p h,ph o,pho t,phot o</w>,o f</w>,' s</w>".split(",")
    tokens = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return {t: i for i, t in enumerate(tokens)}, merges


def clip(seed, side, text_width, length, projection):
    torch.manual_seed(seed)
    vocab, _ = vocabulary()
    marks = dict(bos_token_id=len(vocab) - 2, eos_token_id=len(vocab) - 1, pad_token_id=len(vocab) - 1)
    config = CLIPConfig(
        text_config=dict(vocab_size=len(vocab), hidden_size=text_width, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
                         max_position_embeddings=length, projection_dim=projection, **marks),
        vision_config=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=side, patch_size=side // 4,
                           projection_dim=projection), projection_dim=projection)
    config._attn_implementation = "eager"
    model = CLIPModel(config).eval()
    for p in model.parameters():  # as they are, all pictures would look alike
        if p.ndim > 1:
            p.data.mul_(4)
    return model


def files(folder, model, processor, config):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + "/onnx" if folder == "pair" else folder)
    vocab, merges = vocabulary()
    json.dump(vocab, open(folder + "/vocab.json", "w"), ensure_ascii=False)
    open(folder + "/merges.txt", "w").write("#version: 0.2\n" + "\n".join(merges) + "\n")
    json.dump(config, open(folder + "/tokenizer_config.json", "w"))
    json.dump(processor, open(folder + "/preprocessor_config.json", "w"))
    json.dump({"model_type": "clip", "projection_dim": model.config.projection_dim,
               "text_config": {"max_position_embeddings": model.config.text_config.max_position_embeddings}}, open(folder + "/config.json", "w"))
    tokenizer = CLIPTokenizer(vocab=vocab, merges=[tuple(m.split()) for m in merges], pad_token="<|endoftext|>", unk_token="<|endoftext|>")
    if folder == "pair":  # the one has tokenizer.json, the other the files that are older
        tokenizer.backend_tokenizer.save(folder + "/tokenizer.json")
        os.remove(folder + "/vocab.json"), os.remove(folder + "/merges.txt")
    return tokenizer


class Joint(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values, attention_mask):
        o = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return o.logits_per_image, o.logits_per_text, o.text_embeds, o.image_embeds


class Text(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model.text_projection(self.model.text_model(input_ids=input_ids).pooler_output)


class Vision(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model.visual_projection(self.model.vision_model(pixel_values=pixel_values).pooler_output)


def export(module, inputs, outputs, path):
    axes = {"input_ids": {0: "text_batch_size", 1: "sequence_length"}, "attention_mask": {0: "text_batch_size", 1: "sequence_length"},
            "pixel_values": {0: "image_batch_size"}, "text_embeds": {0: "text_batch_size"}, "image_embeds": {0: "image_batch_size"},
            "logits_per_image": {0: "image_batch_size", 1: "text_batch_size"}, "logits_per_text": {0: "text_batch_size", 1: "image_batch_size"}}
    torch.onnx.export(module.eval(), tuple(inputs.values()), path, input_names=list(inputs), output_names=outputs,
                      dynamic_axes={n: axes[n] for n in (*inputs, *outputs)}, opset_version=17, dynamo=False)


def picture(w, h, seed):
    """Waves, edges and a slope, rounded down: easy to paint again elsewhere."""
    y, x = np.mgrid[0:h, 0:w]
    return Image.fromarray(np.stack([(x * (3 + seed) + y * 2) % 256, (x // 7 + y // 5 + seed) % 2 * 200 + 20, (y * y // (2 + seed) + x) % 256], -1).astype(np.uint8))


def reference(model, processor, tokenizer, length):
    cases = []
    pictures = [picture(w, h, i) for i, (w, h) in enumerate(SIZES)]
    pixels = CLIPImageProcessorPil(**processor)(pictures, return_tensors="pt")["pixel_values"]
    for prompt in PROMPTS:
        ids = tokenizer([prompt], truncation=True, max_length=length, return_tensors="pt")
        with torch.no_grad():
            o = model(pixel_values=pixels, input_ids=ids["input_ids"], attention_mask=ids["attention_mask"])
        cosine = (o.image_embeds @ o.text_embeds.T)[:, 0] * 100
        cases.append({"prompt": prompt, "scores": [round(float(v), 5) for v in cosine]})
    means = [[round(float(v), 5) for v in p.mean((1, 2))] for p in pixels]
    return {"sizes": SIZES, "means": means, "cases": cases}


def main():
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    old = dict(do_resize=True, size=32, resample=3, do_center_crop=True, crop_size=32, do_normalize=True, image_mean=mean, image_std=std)
    new = dict(do_resize=True, size={"shortest_edge": 30}, resample=2, do_center_crop=True, crop_size={"height": 24, "width": 24}, do_convert_rgb=True,
               do_rescale=True, rescale_factor=1 / 255, do_normalize=True, image_mean=[0.5] * 3, image_std=[0.4, 0.5, 0.6])
    result = {}
    joint = clip(1, 32, 16, 20, 12)
    tokenizer = files("joint", joint, old, {"model_max_length": 20, "pad_token": {"content": "<|endoftext|>"}})
    ids = torch.tensor([[270, 11, 525, 525], [1, 2, 3, 525]])
    export(Joint(joint), dict(input_ids=ids, pixel_values=torch.randn(3, 3, 32, 32), attention_mask=torch.ones_like(ids)),
           ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"], "joint/model.onnx")
    result["joint"] = reference(joint, old, tokenizer, 20)
    pair = clip(2, 24, 24, 16, 20)
    tokenizer = files("pair", pair, new, {"model_max_length": 10**30})
    export(Text(pair), dict(input_ids=ids), ["text_embeds"], "pair/onnx/text_model.onnx")
    export(Vision(pair), dict(pixel_values=torch.randn(3, 3, 24, 24)), ["image_embeds"], "pair/onnx/vision_model.onnx")
    result["pair"] = reference(pair, new, tokenizer, 16)
    with open("reference.json", "w") as f:
        json.dump(result, f, indent=1)


main()

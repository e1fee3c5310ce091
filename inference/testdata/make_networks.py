"""Makes the graphs of networks that are edited when they are loaded, and what PyTorch computes with them.

Needs torch 2.15, diffusers 0.42, transformers 5.23, onnx 1.23 and onnxscript 0.7. The weights are random. Names of
values are shortened, as the program goes by the shape of a network, and the file stays small.
"""

import json

import onnx
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

half, full, whole = torch.float16, torch.float32, torch.int64
expected = {}


def shorten(path, kept):
    model = onnx.load(path)
    graph, names = model.graph, {"": ""}

    def short(name):
        return name if name in kept else names.setdefault(name, f"v{len(names)}")

    for value in list(graph.initializer) + list(graph.value_info):
        value.name = short(value.name)
        del value.metadata_props[:]
    for i, node in enumerate(graph.node):
        node.name = node.doc_string = ""
        node.input[:] = [short(n) for n in node.input]
        node.output[:] = [short(n) for n in node.output]
        del node.metadata_props[:]
    for value in list(graph.input) + list(graph.output):
        del value.metadata_props[:]
    model.doc_string = ""
    del model.metadata_props[:]
    del graph.metadata_props[:]
    onnx.save(model, path)


def export(name, net, inputs, outputs, values, free, opset, dynamo):
    path = name + ".onnx"
    if dynamo:
        auto = torch.export.Dim.AUTO
        shapes = tuple({a: auto for a in free.get(n, {})} or None for n in inputs)
        how = {"dynamic_shapes": shapes, "external_data": False, "verbose": False}
    else:
        how = {"dynamic_axes": free}
    torch.onnx.export(net, values, path, input_names=inputs, output_names=outputs, opset_version=opset, dynamo=dynamo, **how)
    shorten(path, set(inputs + outputs))


class Head(torch.nn.Module):
    """The part of a U-Net that the timestep goes through, by diffusers' own code."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.unet = UNet2DConditionModel(
            sample_size=2, block_out_channels=(4,), norm_num_groups=2, layers_per_block=1, cross_attention_dim=4,
            mid_block_type=None, down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), attention_head_dim=2,
        )  # fmt: skip

    def forward(self, sample, timestep):
        time = self.unet.time_embedding(self.unet.get_time_embed(sample=sample, timestep=timestep))
        return sample * (1 + time[:, :4, None, None])


steps = [999.0, 500.0, 1.0]
sample = torch.linspace(-1, 1, 3 * 4 * 2 * 2).reshape(3, 4, 2, 2)
for name, number, kind, opset, dynamo in [
    ("rows-14", torch.tensor(7.0), full, 14, False),
    ("rows-int64", torch.tensor(7), full, 17, False),
    ("rows-half", torch.tensor(7.0, dtype=half), half, 17, False),
    ("rows-one", torch.tensor([7.0]), full, 17, False),
    ("rows-dynamo", torch.tensor(7.0), full, 18, True),
]:
    net = Head().to(kind).eval()
    rows = [net(sample[i : i + 1].to(kind), torch.tensor([steps[i]], dtype=number.dtype)) for i in range(3)]
    expected[name] = torch.cat(rows).flatten().tolist()
    free = {"sample": {0: "batch", 2: "height", 3: "width"}, "out_sample": {0: "batch", 2: "height", 3: "width"}}
    export(name, net, ["sample", "timestep"], ["out_sample"], (sample[:2].to(kind), number), free, opset, dynamo)


class Encoder(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        torch.manual_seed(1)
        self.text, self.hidden = CLIPTextModel(CLIPTextConfig(
            vocab_size=12, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=5, eos_token_id=11, bos_token_id=10, attn_implementation="eager",
        )).eval(), hidden  # fmt: skip
        for name, p in self.text.named_parameters():
            p.data = torch.randn_like(p) * 0.5 + (1 if "norm" in name and "weight" in name else 0)

    def forward(self, input_ids):
        out = self.text(input_ids=input_ids, output_hidden_states=self.hidden)
        return (out.last_hidden_state, out.pooler_output) + (out.hidden_states if self.hidden else ())


ids = torch.tensor([[10, 3, 4, 11, 11], [10, 7, 2, 5, 11]])
for name, kind, opset, dynamo, hidden in [
    ("clip-14", full, 14, False, False),
    ("clip-states", full, 17, False, True),
    ("clip-dynamo", half, 18, True, False),
]:
    net = Encoder(hidden).to(kind)
    out = net.text(input_ids=ids, output_hidden_states=True)
    for k in (1, 2):
        norm = net.text.final_layer_norm(out.hidden_states[-(k + 1)])
        expected[f"{name} skip.{k}"] = norm.flatten().tolist()
    outputs = ["last_hidden_state", "pooler_output"] + [f"hidden_states.{i}" for i in range(3)] * hidden
    free = {n: {0: "batch"} for n in ["input_ids"] + outputs}
    export(name, net, ["input_ids"], outputs, (ids,), free, opset, dynamo)

with open("networks.json", "w") as f:
    json.dump({k: [round(x, 6) for x in v] for k, v in expected.items()}, f)
    f.write("\n")

#!/usr/bin/env python3
"""Writes alpha.json beside this file: runs of DDPM, PNDM, LCM and TCD (and of DDIM with thresholding) in the form of
reference.json. Needs diffusers, torch.

TCD's eta is written down even where it is the step's own default."""
import importlib, json, os
import torch
import diffusers
from diffusers import DDIMScheduler, DDPMScheduler, LCMScheduler, PNDMScheduler, TCDScheduler

torch.set_num_threads(1)
CLASSES = {"ddim": DDIMScheduler, "ddpm": DDPMScheduler, "pndm": PNDMScheduler, "lcm": LCMScheduler, "tcd": TCDScheduler}
SL = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SD = {**SL, "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False}
VZ = {**SL, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "steps_offset": 1,
      "set_alpha_to_one": False, "clip_sample": False}
COSINE = {"beta_schedule": "squaredcos_cap_v2", "clip_sample": False}
BETAS = {"num_train_timesteps": 40, "trained_betas": [0.001 + 0.0005 * i for i in range(40)]}
PLMS = {"skip_prk_steps": True}
V, X0 = {"prediction_type": "v_prediction"}, {"prediction_type": "sample"}
LINSPACE, TRAILING = {"timestep_spacing": "linspace"}, {"timestep_spacing": "trailing"}
THRESHOLD = {**SL, "thresholding": True, "dynamic_thresholding_ratio": 0.8, "sample_max_value": 1.5}
SMALL, LARGE = "fixed_small_log", "fixed_large"
# name, sampler, keys, steps, what else; the first twelve are those of the first collection of runs, with its seeds
RUNS = [
    ("scaled_linear_epsilon", "ddpm", SD, 8, {"seed": 9000}), ("scaled_linear_epsilon", "pndm", {**SD, **PLMS}, 8, {}),
    ("scaled_linear_epsilon", "lcm", SD, 8, {"seed": 9014}), ("scaled_linear_epsilon", "tcd", SD, 8, {"seed": 9015, "eta": 0.3}),
    ("v_zero_snr_trailing", "ddpm", VZ, 7, {"seed": 9017}), ("v_zero_snr_trailing", "lcm", VZ, 7, {"seed": 9023}),
    ("v_zero_snr_trailing", "tcd", VZ, 7, {"seed": 9024, "eta": 0.3}), ("v_zero_snr_trailing", "pndm", {**VZ, **PLMS}, 7, {}),
    ("ddpm_fixed_large", "ddpm", {**SD, "variance_type": LARGE}, 6, {"seed": 9046}), ("pndm_prk", "pndm", SD, 6, {}),
    ("lcm_four_of_50", "lcm", {**SL, "original_inference_steps": 50}, 4, {"seed": 9058}), ("tcd_eta_0", "tcd", SL, 4, {"eta": 0.0}),
    *[("thresholding", s, THRESHOLD, 6, {}) for s in ("ddim", "ddpm", "lcm", "tcd")],
    *[("thresholding_v", s, {**THRESHOLD, **V, "sample_max_value": 9.0}, 5, {}) for s in ("ddim", "ddpm", "lcm")],
    *[("threshold_low_max", s, {**THRESHOLD, "sample_max_value": 0.4}, 3, {}) for s in ("ddim", "ddpm", "lcm")],
    *[("threshold_defaults", s, {**SL, "thresholding": True}, 4, {}) for s in ("ddim", "ddpm", "lcm")],
    *[("defaults", s, {}, 6, {}) for s in ("ddpm", "pndm", "lcm", "tcd")],
    *[("clip_range", s, {**SL, "clip_sample": True, "clip_sample_range": 0.5}, 5, {}) for s in ("ddpm", "lcm", "tcd")],
    *[("cosine_v", s, {**COSINE, **V}, 9, {}) for s in ("ddpm", "pndm", "lcm", "tcd")],
    *[("sample", s, {**SD, **X0}, 5, {}) for s in ("ddpm", "lcm", "tcd")],
    *[("trained_betas", s, {**BETAS, "original_inference_steps": 8, "clip_sample": False}, 8, {}) for s in ("ddpm", "pndm", "lcm", "tcd")],
    *[(f"{n}_steps", s, {**SD, **PLMS}, n, {"eta": 0.5}) for n in (1, 2, 3, 5) for s in ("ddpm", "pndm", "lcm", "tcd")],
    *[("many_steps", s, {**SD, **PLMS}, n, {}) for n, s in ((30, "ddpm"), (30, "pndm"), (50, "lcm"), (30, "tcd"))],
    ("spacing_linspace", "ddpm", {**SD, **LINSPACE}, 7, {}), ("spacing_trailing", "ddpm", {**SD, **TRAILING}, 7, {}),
    ("spacing_linspace", "pndm", {**SD, **PLMS, **LINSPACE}, 7, {}), ("spacing_trailing", "pndm", {**SD, **PLMS, **TRAILING}, 9, {}),
    ("linspace_two_steps", "pndm", {**SD, **PLMS, **LINSPACE}, 2, {}), ("alpha_to_one", "pndm", {**SL, **PLMS, "set_alpha_to_one": True}, 6, {}),
    ("alpha_to_one_offset", "pndm", {**SL, "steps_offset": 3, "set_alpha_to_one": True}, 6, {}),
    ("prk_linspace_v", "pndm", {**SD, **LINSPACE, **V}, 7, {}), ("prk_trailing", "pndm", {**SD, **TRAILING}, 9, {}),
    ("prk_four_steps", "pndm", SD, 4, {}), ("prk_odd_ratio", "pndm", SD, 8, {}), ("prk_many_steps", "pndm", {**SD, **V}, 30, {}),
    ("small_log", "ddpm", {**SD, "variance_type": SMALL}, 6, {}), ("large_linspace", "ddpm", {**SD, **LINSPACE, "variance_type": LARGE}, 6, {}),
    ("zero_snr_one_step", "ddpm", VZ, 1, {}), ("zero_snr_sample", "ddpm", {**VZ, **X0}, 4, {}), ("zero_snr_sample", "lcm", {**VZ, **X0}, 4, {}),
    ("every_timestep", "lcm", {**SL, "original_inference_steps": 1000}, 6, {}), ("of_30", "lcm", {**SL, "original_inference_steps": 30}, 7, {}),
    ("scaling", "lcm", {**SL, "original_inference_steps": 500, "timestep_scaling": 0.1}, 6, {}), ("of_999", "tcd", {**SL, "original_inference_steps": 999}, 6, {"eta": 0.7}),
    ("eta_one", "tcd", SL, 4, {"eta": 1.0}), ("eta_little", "tcd", SL, 5, {"eta": 0.001}), ("v_eta_half", "tcd", {**SL, **V}, 6, {"eta": 0.5}),
    *[("strength", "lcm", SL, n, {"strength": s}) for n, s in ((4, 0.5), (7, 0.57), (3, 0.3))],
    *[("from_4_of_10", s, {**SD, **PLMS}, 10, {"begin": 4}) for s in ("ddpm", "pndm", "lcm", "tcd")],
    ("last_step", "ddpm", SD, 10, {"begin": 9}), ("last_step", "pndm", {**SD, **PLMS}, 10, {"begin": 9}),
    ("last_step", "lcm", SD, 10, {"begin": 9}), ("last_step", "tcd", SD, 10, {"begin": 9, "eta": 1.0}),
    ("v_from_1_of_7", "pndm", {**VZ, **PLMS}, 7, {"begin": 1}),
    *[(f"prk_from_{n}_of_10", "pndm", SD, 10, {"begin": n}) for n in (1, 4, 6, 9)],
]


def numbers(t):
    return None if t is None else [float(f"{v:.10g}") for v in torch.as_tensor(t).double().flatten().tolist()]


def run(name, sampler, keys, steps, more):
    cls = CLASSES[sampler]
    known = cls().config.keys()
    given = {k: v for k, v in keys.items() if k in known}
    sch, mod = cls(**given), importlib.import_module(cls.__module__)
    gen, drawn = torch.Generator().manual_seed(more.get("seed", len(name) + steps)), []

    def draw(shape, **_):
        drawn.append(torch.randn(tuple(shape), generator=gen).double())
        return drawn[-1]

    mod.randn_tensor = draw
    sch.set_timesteps(steps, **({"strength": more["strength"]} if "strength" in more else {}))
    i = torch.arange(8, dtype=torch.float64).view(1, 8, 1, 1)
    clean, noise = torch.cos(1.7 * i) * 1.3, torch.sin(2.3 * i + 0.4) * 1.2
    begin, every = more.get("begin", 0), sch.timesteps
    times = every[begin:]
    args = {"eta": more.get("eta", 0.3)} if sampler == "tcd" else {}
    out = {"name": f"{name}/{sampler}", "sampler": sampler, "given": given, "num_inference_steps": steps, "step_args": args,
           "timesteps": numbers(every), "sigmas": None}
    x = noise
    if "begin" in more or "strength" in more:
        if hasattr(sch, "set_begin_index"):
            sch.set_begin_index(begin)
        x = sch.add_noise(clean, noise, times[:1])
        out |= {k: more[k] for k in ("strength",) if k in more}
        out |= {"begin_index": begin, "clean": numbers(clean), "noise": numbers(noise)}
    out |= {"initial": numbers(x), "steps": []}
    for t in times:
        m, before = 0.3 * x + 0.1 * torch.sin(i + float(t) / 100), x
        drawn.clear()
        x = sch.step(m, t, x, return_dict=False, **args)[0]
        assert torch.isfinite(x).all(), name
        out["steps"].append({"t": float(t), "model_input": numbers(before), "noise": [numbers(n) for n in drawn], "sample": numbers(x)})
    return out


VERSIONS = '"versions": {"diffusers": "%s", "torch": "%s"}, ' % (diffusers.__version__, torch.__version__)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "alpha.json"), "w") as f:
    f.write("{" + VERSIONS + '"cases": [\n' + ",\n".join(json.dumps(run(*r)) for r in RUNS) + "\n]}\n")

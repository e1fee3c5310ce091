#!/usr/bin/env python3
"""Writes more.json and timesteps.json beside this file, from diffusers' schedulers. Needs diffusers, torch, scipy.

more.json has runs in the form of reference.json, of configurations that it lacks. timesteps.json has the SHA-256 of all
timesteps (float64, little-endian) of all runs of 1 to 1000 steps, one a sampler and spacing; leading stops at 998 steps,
where not all of them have room, and of trailing the
timestep -1 is left out, which rounding adds to some counts of steps (61 is the first). The toy model is out[i] = 0.3*in[i] + 0.1*sin(i + t/100), i = 0..7."""
import hashlib, json, os
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler

torch.set_num_threads(1)
CLASSES = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler, "euler_a": EulerAncestralDiscreteScheduler,
           "dpmpp_2m": DPMSolverMultistepScheduler}
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
V0 = {**SD, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
BETAS = {"num_train_timesteps": 40, "trained_betas": [0.001 + 0.0005 * i for i in range(40)]}
RUNS = [
    ("defaults", "ddim", {}, 6, {}), ("defaults", "euler", {}, 6, {}), ("defaults", "euler_a", {}, 6, {}), ("defaults", "dpmpp_2m", {}, 6, {}),
    ("eta_zero_snr", "ddim", {**V0, "clip_sample": False}, 20, {"eta": 0.7}), ("eta_one", "ddim", {**SD, "clip_sample": False}, 20, {"eta": 1.0}),
    ("linspace", "ddim", {**SD, "timestep_spacing": "linspace"}, 7, {"eta": 0.3}),
    ("clip_range", "ddim", {**SD, "clip_sample": True, "clip_sample_range": 0.5}, 5, {}),
    ("sample", "ddim", {**SD, "prediction_type": "sample"}, 5, {}),
    ("sample", "euler", {**SD, "prediction_type": "sample"}, 5, {}), ("sample", "dpmpp_2m", {**SD, "prediction_type": "sample"}, 5, {}),
    ("trained_betas", "ddim", BETAS, 8, {}), ("trained_betas", "euler", BETAS, 8, {}), ("trained_betas", "dpmpp_2m", BETAS, 8, {}),
    ("one_step", "ddim", SD, 1, {}), ("one_step", "euler", SD, 1, {}), ("one_step", "euler_a", V0, 1, {}),
    ("v_cosine", "ddim", {**COSINE, "prediction_type": "v_prediction"}, 9, {}),
    ("v_leading", "euler", {**SD, "prediction_type": "v_prediction", "timestep_spacing": "leading"}, 9, {}),
    ("karras_leading", "euler", {**SD, "timestep_spacing": "leading", "use_karras_sigmas": True}, 9, {}),
    ("karras", "dpmpp_2m", {**SD, "use_karras_sigmas": True}, 9, {}), ("karras_many", "dpmpp_2m", {**SD, "use_karras_sigmas": True}, 20, {}),
    ("karras_cosine", "dpmpp_2m", {**COSINE, "use_karras_sigmas": True}, 9, {}),
    ("exponential", "dpmpp_2m", {**SD, "use_exponential_sigmas": True}, 9, {}),
    ("clipped_cosine", "dpmpp_2m", {**COSINE, "lambda_min_clipped": -5.1}, 9, {}),
    ("clipped_trailing", "dpmpp_2m", {**COSINE, "lambda_min_clipped": -5.1, "timestep_spacing": "trailing"}, 12, {}),
    ("sigma_min", "dpmpp_2m", {**SD, "final_sigmas_type": "sigma_min"}, 9, {}),
    ("sigma_min_order_3", "dpmpp_2m", {**SD, "final_sigmas_type": "sigma_min", "solver_order": 3, "lower_order_final": False}, 9, {}),
    ("order_1", "dpmpp_2m", {**SD, "solver_order": 1}, 5, {}), ("order_3_many", "dpmpp_2m", {**SD, "solver_order": 3}, 18, {}),
    ("heun_sigma_min", "dpmpp_2m", {**SD, "solver_type": "heun", "final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"}, 20, {}),
    ("bh2", "dpmpp_2m", {**SD, "solver_type": "bh2"}, 5, {}), ("v_zero_snr_many", "dpmpp_2m", V0, 20, {}),
]


def numbers(t):
    return None if t is None else [float(f"{v:.12g}") for v in torch.as_tensor(t).double().flatten().tolist()]


def run(name, sampler, given, steps, args):
    sch = CLASSES[sampler](**given)
    sch.set_timesteps(steps)
    if hasattr(sch, "set_begin_index"):
        sch.set_begin_index(0)  # else the second of two equal timesteps is taken for the first
    gen = torch.Generator().manual_seed(len(name) + steps)
    i = torch.arange(8, dtype=torch.float64)
    x = torch.sin(2.3 * i + 0.4) * 1.2 * sch.init_noise_sigma
    out = {"name": f"{name}/{sampler}", "sampler": sampler, "given": given, "num_inference_steps": steps, "step_args": args,
           "timesteps": numbers(sch.timesteps), "sigmas": numbers(getattr(sch, "sigmas", None)), "initial": numbers(x), "steps": []}
    for t in sch.timesteps:
        xin = sch.scale_model_input(x, t)
        m = 0.3 * xin + 0.1 * torch.sin(i + float(t) / 100)
        n, kw = [], dict(args)
        if sampler == "euler_a" or args.get("eta"):
            n = [torch.randn(8, generator=gen).double()]
        if args.get("eta"):
            kw["variance_noise"] = n[0]
        if sampler == "euler_a":
            import diffusers.schedulers.scheduling_euler_ancestral_discrete as mod
            mod.randn_tensor = lambda *a, **k: n[0]
        x = sch.step(m, t, x, return_dict=False, **kw)[0]
        out["steps"].append({"t": float(t), "model_input": numbers(xin), "noise": [numbers(v) for v in n], "sample": numbers(x)})
    return out


def sums():
    for sampler, cls in CLASSES.items():
        for spacing in ("leading", "linspace", "trailing"):
            sch, h = cls(**SD, timestep_spacing=spacing), hashlib.sha256()
            for n in range(1, 999 if spacing == "leading" else 1001):
                sch.set_timesteps(n)
                h.update(sch.timesteps[:n].double().numpy().astype("<f8").tobytes())
            yield {"sampler": sampler, "spacing": spacing, "sha256": h.hexdigest()}


def write(name, head, rows):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "w") as f:
        f.write("{" + head + '"cases": [\n' + ",\n".join(json.dumps(r) for r in rows) + "\n]}\n")


import diffusers
VERSIONS = '"versions": {"diffusers": "%s", "torch": "%s"}, ' % (diffusers.__version__, torch.__version__)
write("more.json", VERSIONS, [run(*r) for r in RUNS])
write("timesteps.json", VERSIONS, sums())

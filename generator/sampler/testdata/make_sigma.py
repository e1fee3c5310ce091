#!/usr/bin/env python3
"""Writes sigma.json beside this file: runs of LMS, Heun, DPM2 and DPM2 ancestral, and of what Euler has beyond the runs of
more.json, in the form of reference.json. Needs diffusers, torch, scipy. A file of that form as argument is read for runs of the
same samplers, which go first. The toy model is out[i] = 0.3*in[i] + 0.1*sin(i + t/100), i = 0..7."""
import importlib, json, math, os, sys
import torch
from diffusers import (EulerDiscreteScheduler, HeunDiscreteScheduler, KDPM2AncestralDiscreteScheduler, KDPM2DiscreteScheduler,
                       LMSDiscreteScheduler)

torch.set_num_threads(1)
CLASSES = {"lms": LMSDiscreteScheduler, "heun": HeunDiscreteScheduler, "dpm2": KDPM2DiscreteScheduler,
           "dpm2_a": KDPM2AncestralDiscreteScheduler}
EULER = {**CLASSES, "euler": EulerDiscreteScheduler}
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
V0 = {**SD, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
BETAS = {"num_train_timesteps": 40, "trained_betas": [0.001 + 0.0005 * i for i in range(40)]}
KARRAS, EXPONENTIAL, BETA = {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"use_beta_sigmas": True}
ENDS = {"sigma_min": 0.1, "sigma_max": 9.5}
RUNS = []


def add(name, samplers, given, steps, begin=0):
    RUNS.extend((name, s, given, steps, begin) for s in samplers)


for steps in (1, 2, 3, 5):
    add(f"steps_{steps}", CLASSES, SD, steps)
add("steps_30", ("lms", "dpm2_a"), SD, 30)
add("steps_50", ("heun", "dpm2"), SD, 50)
for spacing in ("leading", "trailing"):
    s = {"timestep_spacing": spacing}
    add(f"{spacing}", CLASSES, {**SD, **s}, 7)
    add(f"{spacing}_v", CLASSES, {**V0, **s}, 5)
    add(f"{spacing}_karras", CLASSES, {**SD, **s, **KARRAS}, 6)
    add(f"{spacing}_exponential", CLASSES, {**SD, **s, **EXPONENTIAL}, 6)
    add(f"{spacing}_beta", EULER, {**SD, **s, **BETA}, 6)
add("leading_offset", CLASSES, {**SD, "steps_offset": 7, "timestep_spacing": "leading"}, 4)
add("defaults", CLASSES, {}, 6)
add("v", CLASSES, {**SD, "prediction_type": "v_prediction"}, 8)
add("v_beta", EULER, {**V0, **BETA}, 8)
add("sample", ("lms", "heun"), {**SD, "prediction_type": "sample"}, 6)
add("cosine", ("lms", "heun", "dpm2"), COSINE, 9)
add("trained_betas", CLASSES, BETAS, 8)
add("karras_30", ("lms", "dpm2"), {**SD, **KARRAS}, 30)
add("exponential", CLASSES, {**SD, **EXPONENTIAL}, 9)
add("exponential_1", CLASSES, {**SD, **EXPONENTIAL}, 1)
add("beta", EULER, {**SD, **BETA}, 9)
add("beta_1", EULER, {**SD, **BETA}, 1)
add("beta_2", EULER, {**SD, **BETA}, 2)
add("beta_50", ("euler",), {**SD, **BETA}, 50)
add("ends", EULER, {**SD, **ENDS}, 5)
add("ends_karras", EULER, {**SD, **ENDS, **KARRAS}, 7)
add("ends_exponential", EULER, {**SD, **ENDS, **EXPONENTIAL}, 7)
add("ends_beta", EULER, {**SD, **ENDS, **BETA}, 7)
add("final", CLASSES, {**SD, "final_sigmas_type": "sigma_min"}, 5)
for steps, begin in ((10, 4), (10, 9), (5, 1)):
    add(f"img2img_{begin}_of_{steps}", CLASSES, SD, steps, begin)
add("img2img_karras", EULER, {**SD, **KARRAS}, 10, 3)
add("img2img_beta", EULER, {**SD, **BETA, "timestep_spacing": "leading"}, 10, 3)
add("clip", ("heun",), {**SD, "clip_sample": True}, 6)
add("clip_range", ("heun",), {**SD, "clip_sample": True, "clip_sample_range": 0.4, "timestep_spacing": "trailing"}, 6)
add("exp_betas", ("heun",), {"beta_schedule": "exp"}, 6)
add("log_linear", ("euler",), {**SD, "interpolation_type": "log_linear"}, 6)
add("log_linear_leading", ("euler",), {**SD, "interpolation_type": "log_linear", "timestep_spacing": "leading"}, 6, 2)
add("log_linear_karras", ("euler",), {**SD, **KARRAS, "interpolation_type": "log_linear", "timestep_spacing": "leading"}, 6)
add("log_linear_sigma_min", ("euler",), {**SD, "interpolation_type": "log_linear", "final_sigmas_type": "sigma_min"}, 3)
add("continuous", ("euler",), {**SD, "timestep_type": "continuous"}, 6)
add("continuous_v", ("euler",), {**SD, "prediction_type": "v_prediction", "timestep_type": "continuous"}, 6)
add("continuous_edm", ("euler",), {**SD, **KARRAS, "prediction_type": "v_prediction", "timestep_type": "continuous", "sigma_min": 0.002,
                                   "sigma_max": 700.0, "timestep_spacing": "leading"}, 8)


def numbers(t, digits=8):
    return [float(f"{v:.{digits}g}") for v in torch.as_tensor(t).double().flatten().tolist()]


def run(name, sampler, given, steps, begin):
    cls = EULER[sampler]
    sch = cls.from_config(given)
    sch.set_timesteps(steps)
    first = begin * sch.order
    sch.set_begin_index(first)
    gen, drawn = torch.Generator().manual_seed(len(name) + steps), []

    def draw(*_, **__):
        drawn.append(torch.randn(8, generator=gen))
        return drawn[-1].double()

    if sampler == "dpm2_a":
        importlib.import_module(cls.__module__).randn_tensor = draw
    i = torch.arange(8, dtype=torch.float64)
    noise, clean = torch.sin(2.3 * i + 0.4) * 1.2, torch.cos(1.7 * i) * 1.3
    out = {"name": f"{name}/{sampler}", "sampler": sampler, "given": given, "num_inference_steps": steps, "order": sch.order, "step_args": {},
           "timesteps": numbers(sch.timesteps, 12), "sigmas": numbers(sch.sigmas)}
    x = noise * sch.init_noise_sigma
    if begin:
        x = sch.add_noise(clean, noise, sch.timesteps[first:first + 1])
        out.update(begin_index=first, clean=numbers(clean, 12), noise=numbers(noise, 12))
    out.update(initial=numbers(x), steps=[])
    for t in sch.timesteps[first:]:
        xin, had = sch.scale_model_input(x, t), len(drawn)
        m = 0.3 * xin + 0.1 * torch.sin(i + float(t) / 100)
        x = sch.step(m, t, x, return_dict=False)[0]
        assert all(map(math.isfinite, x.tolist())), out["name"]
        out["steps"].append({"t": numbers(t, 12)[0], "model_input": numbers(xin), "noise": [numbers(n) for n in drawn[had:]], "sample": numbers(x)})
    return out


import diffusers
cases = []
for path in sys.argv[1:]:
    with open(path) as f:
        cases += [c for c in json.load(f)["cases"] if c["sampler"] in CLASSES]
cases += [run(*r) for r in RUNS]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sigma.json"), "w") as f:
    f.write('{"versions": {"diffusers": "%s", "torch": "%s"}, "cases": [\n' % (diffusers.__version__, torch.__version__))
    f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases), "runs")

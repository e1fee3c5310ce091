#!/usr/bin/env python3
"""Writes dpm.json beside this file: runs of the DPM-Solver classes and of UniPC beyond those of more.json, in the form of
reference.json. Needs diffusers, torch, scipy. A file of that form as argument is read for runs of the same samplers that
reference.json beside this file lacks; they go first. The toy model is out[i] = 0.3*in[i] + 0.1*sin(i + t/100), i = 0..7."""
import importlib, json, math, os, sys
import torch
from diffusers import DPMSolverMultistepScheduler, DPMSolverSinglestepScheduler, UniPCMultistepScheduler

torch.set_num_threads(1)
M, S, U = DPMSolverMultistepScheduler, DPMSolverSinglestepScheduler, UniPCMultistepScheduler
SDE = {"algorithm_type": "sde-dpmsolver++"}
CLASSES = {"dpmpp_2m": (M, {}), "dpmpp_2m_karras": (M, {"use_karras_sigmas": True}), "dpmpp_2m_sde": (M, SDE),
           "dpmpp_sde": (S, SDE), "unipc": (U, {})}
NEW = ("dpmpp_2m_karras", "dpmpp_2m_sde", "dpmpp_sde", "unipc")
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
V = {**SD, "prediction_type": "v_prediction"}
V0 = {**V, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
BETAS = {"num_train_timesteps": 40, "trained_betas": [0.001 + 0.0005 * i for i in range(40)]}
KARRAS, EXPONENTIAL, BETA, LU = ({f"use_{k}": True} for k in ("karras_sigmas", "exponential_sigmas", "beta_sigmas", "lu_lambdas"))
MIN, OWN = {"final_sigmas_type": "sigma_min"}, {"_class_name": "DPMSolverSinglestepScheduler"}
LIMIT = {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 1.4}
RUNS = []


def add(name, samplers, given, steps, begin=0):
    RUNS.extend((name, s, given, steps, begin) for s in samplers.split())


ALL, PLAIN = " ".join(NEW), "dpmpp_2m_sde dpmpp_sde unipc"
for n in (1, 2, 3, 5):
    add(f"steps_{n}", ALL, SD, n)
for n in (30, 50):
    add(f"steps_{n}", PLAIN, SD, n)
add("defaults", ALL, {}, 6)
add("v", ALL, V, 7)
add("sample", ALL, {**SD, "prediction_type": "sample"}, 7)
add("zero_snr", ALL, V0, 6)
add("zero_snr_20", "dpmpp_2m_sde unipc", V0, 20)
add("cosine", PLAIN, COSINE, 9)
add("clipped_cosine", PLAIN, {**COSINE, "lambda_min_clipped": -5.1}, 9)
add("trained_betas", ALL, BETAS, 8)
add("offset", ALL, {**SD, "steps_offset": 7, "timestep_spacing": "leading"}, 5)
for spacing in ("leading", "trailing"):
    add(spacing, ALL, {**SD, "timestep_spacing": spacing}, 8)
for name, how in (("karras", KARRAS), ("exponential", EXPONENTIAL), ("beta", BETA)):
    add(name, PLAIN, {**SD, **how}, 9)
    add(f"{name}_cosine", PLAIN, {**COSINE, **how}, 9)
    add(f"{name}_1", PLAIN, {**SD, **how}, 1)
    add(f"{name}_sigma_min", PLAIN, {**SD, **how, **MIN}, 5)
    add(f"{name}_zero_snr", PLAIN, {**V0, **how}, 6)
    add(f"{name}_ends", "unipc", {**SD, **how, "sigma_min": 0.1, "sigma_max": 9.5}, 6)
add("beta", "dpmpp_2m", {**SD, **BETA}, 9)
add("beta_50", "dpmpp_2m unipc", {**SD, **BETA}, 50)
add("beta_1_sigma_min", "unipc", {**SD, **BETA, **MIN}, 1)
for n in (1, 6, 30):
    add(f"lu_{n}", "dpmpp_2m dpmpp_2m_sde", {**SD, **LU}, n)
add("lu_cosine", "dpmpp_2m", {**COSINE, **LU}, 9)
add("lu_karras", "dpmpp_2m", {**SD, **LU, **KARRAS}, 7)
add("lu_exponential", "dpmpp_2m", {**SD, **LU, **EXPONENTIAL}, 7)
add("lu_other", "dpmpp_sde unipc", {**SD, **LU}, 7)
add("sigma_min", PLAIN, {**SD, **MIN}, 8)
for order in (1, 2, 3):
    o = {**SD, "solver_order": order}
    for n in (2, 6, 7, 8, 16):
        add(f"order_{order}_of_{n}", "dpmpp_sde unipc" if n < 16 else PLAIN, o, n)
    add(f"order_{order}_sigma_min", PLAIN, {**o, **MIN}, 7)
    add(f"order_{order}_to_the_end", PLAIN, {**o, **MIN, "lower_order_final": False}, 6)
    add(f"order_{order}_lower_sigma_min", "dpmpp_sde", {**o, **MIN, "lower_order_final": True}, 6)
    add(f"order_{order}_heun", "dpmpp_2m_sde dpmpp_sde", {**o, **MIN, "solver_type": "heun"}, 6)
    add(f"order_{order}_from_4", PLAIN, o, 9, 4)
    add(f"order_{order}_from_5", PLAIN, {**o, **MIN}, 9, 5)
    for kind in ("dpmsolver++", "dpmsolver"):
        add(f"order_{order}_{kind}", "dpmpp_sde", {**o, **MIN, **OWN, "algorithm_type": kind}, 6)
        add(f"order_{order}_{kind}_heun", "dpmpp_sde", {**o, **V, **MIN, **OWN, "algorithm_type": kind, "solver_type": "heun"}, 6)
    for bh in ("bh1", "bh2"):
        add(f"order_{order}_{bh}_sigma_min", "unipc", {**o, **MIN, "solver_type": bh}, 7)
        add(f"order_{order}_{bh}_noise", "unipc", {**o, **MIN, "solver_type": bh, "predict_x0": False}, 7)
        add(f"order_{order}_{bh}_noise_to_the_end", "unipc", {**o, **MIN, "solver_type": bh, "predict_x0": False, "lower_order_final": False}, 20)
    add(f"order_{order}_dpmsolver", "dpmpp_2m", {**o, **MIN, "algorithm_type": "dpmsolver"}, 7)
    add(f"order_{order}_dpmsolver_20", "dpmpp_2m", {**o, **V, **MIN, "algorithm_type": "dpmsolver", "solver_type": "heun"}, 20)
    if order < 3:
        add(f"order_{order}_sde-dpmsolver", "dpmpp_2m", {**o, **MIN, "algorithm_type": "sde-dpmsolver"}, 7)
        add(f"order_{order}_sde-dpmsolver_20", "dpmpp_2m", {**o, **MIN, "algorithm_type": "sde-dpmsolver", "solver_type": "heun"}, 20)
for kind in ("epsilon", "sample", "v_prediction"):
    add(f"noise_of_{kind}", "unipc", {**SD, **MIN, "prediction_type": kind, "predict_x0": False}, 7)
    add(f"noise_of_{kind}", "dpmpp_2m", {**SD, **MIN, "prediction_type": kind, "algorithm_type": "dpmsolver"}, 7)
add("deis", "dpmpp_2m", {**SD, **MIN, "algorithm_type": "deis", "solver_type": "logrho"}, 6)
add("own_class", "dpmpp_sde", {**SD, **OWN}, 6)
add("euler_at_final", "dpmpp_2m_sde", {**SD, **MIN, "euler_at_final": True, "lower_order_final": False}, 6)
add("sde_file", "dpmpp_2m dpmpp_2m_karras", {**SD, **SDE}, 6)
add("midpoint", "unipc", {**SD, "solver_type": "midpoint"}, 6)
add("uncorrected", "unipc", {**SD, "disable_corrector": [0, 1, 4]}, 8)
add("uncorrected_from_3", "unipc", {**SD, "disable_corrector": [4], "solver_order": 3}, 9, 3)
add("limit", "dpmpp_2m dpmpp_2m_sde dpmpp_sde unipc", {**SD, **LIMIT}, 6)
add("limit_noise", "unipc", {**SD, **MIN, **LIMIT, "predict_x0": False}, 6)
for steps, begin in ((10, 4), (10, 9), (5, 1), (30, 11)):
    add(f"img2img_{begin}_of_{steps}", PLAIN, SD, steps, begin)
add("img2img_karras", ALL, {**SD, **KARRAS}, 10, 3)
add("img2img_beta", PLAIN, {**SD, **BETA}, 10, 3)


def numbers(t, digits=7):
    return [float(f"{v:.{digits}g}") for v in torch.as_tensor(t).double().flatten().tolist()]


def run(name, sampler, given, steps, begin):
    cls, over = CLASSES[sampler]
    if "_class_name" in given or name == "sde_file" and sampler == "dpmpp_2m":
        over = {}
    sch = cls.from_config({**given, **over})
    sch.set_timesteps(steps)
    sch.set_begin_index(begin)
    gen, drawn = torch.Generator().manual_seed(len(name) + steps), []

    def draw(*_, **__):
        drawn.append(torch.randn(8, generator=gen).view(1, 8, 1, 1))
        return drawn[-1].double()

    importlib.import_module(cls.__module__).randn_tensor = draw
    i = torch.arange(8, dtype=torch.float64).view(1, 8, 1, 1)
    noise, clean = torch.sin(2.3 * i + 0.4) * 1.2, torch.cos(1.7 * i) * 1.3
    out = {"name": f"{name}/{sampler}", "sampler": sampler, "given": given, "num_inference_steps": steps, "step_args": {},
           "timesteps": numbers(sch.timesteps, 12), "sigmas": numbers(sch.sigmas)}
    x = noise * sch.init_noise_sigma
    if begin:
        x = sch.add_noise(clean, noise, sch.timesteps[begin:begin + 1])
        out.update(begin_index=begin, clean=numbers(clean, 12), noise=numbers(noise, 12))
    out.update(initial=numbers(x, 9), steps=[])
    for t in sch.timesteps[begin:]:
        xin, had = sch.scale_model_input(x, t), len(drawn)
        m = 0.3 * xin + 0.1 * torch.sin(i + float(t) / 100)
        x = sch.step(m, t, x, return_dict=False)[0]
        assert all(map(math.isfinite, x.flatten().tolist())), out["name"]
        out["steps"].append({"t": float(t), "model_input": numbers(xin), "noise": [numbers(n) for n in drawn[had:]], "sample": numbers(x)})
    return out


import diffusers
here, cases = os.path.dirname(os.path.abspath(__file__)), []
for path in sys.argv[1:]:
    with open(path) as f, open(os.path.join(here, "reference.json")) as g:
        had = {c["name"] for c in json.load(g)["cases"]}
        cases += [c for c in json.load(f)["cases"] if c["sampler"] in CLASSES and c["name"] not in had]
for r in RUNS:
    try:
        cases.append(run(*r))
    except Exception as e:
        print("no run:", r[0], r[1], type(e).__name__, e)
with open(os.path.join(here, "dpm.json"), "w") as f:
    f.write('{"versions": {"diffusers": "%s", "torch": "%s"}, "cases": [\n' % (diffusers.__version__, torch.__version__))
    f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases), "runs")

#!/usr/bin/env python3
"""Post-training quantization: ONNX Runtime's quantize_static against `tinyml-opt quantize`, alternating in one run.

For each calibration method and round both quantize the same model with the same samples on the same CPUs, each in a
process of its own: wall seconds of the process (for ONNX Runtime: Python script and imports included) and peak memory; for
ONNX Runtime also the seconds of its calls alone, everything imported before, which flatters it: ours starts cold. Then both
models are judged on the same test samples: theirs in ONNX Runtime, ours in our device engine and also in ONNX Runtime.
Top-1 against labels, or against the float model's classes without labels, or --metric sqnr_db against the float outputs.
Note: with its own defaults (128 bins for 128 levels) ONNX Runtime's entropy search has one candidate, the full range: on
kws01b and ic01 every scale equals that of minmax (onnxruntime 1.32). Its percentile method differs: --methods percentile.
Without --binary only ONNX Runtime is measured. The JSON feeds table.py.
"""
import argparse
import json
import pathlib
import resource
import sys
import tempfile
import time

import measure


def worker_quantize(args):
    """In a child: quantize_static; prints its own seconds and the memory that imports alone had taken."""
    import oracle_path  # noqa: F401
    import numpy as np
    import oracle
    import ort_static
    from onnxruntime.tools import symbolic_shape_infer  # noqa: F401  else imported within the clock of the calls
    source = oracle.OrtModel(args.model)
    x = source.prepare(np.load(args.calib), args.scale)
    prepared = args.output + ".prepared.onnx"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    ort_static.prepare(args.model, prepared)
    middle = time.perf_counter()
    ort_static.quantize_prepared(prepared, args.output, source.input.name, x, per_channel=True, method=args.methods[0])
    end = time.perf_counter()
    print(json.dumps({"seconds_call": end - start, "seconds_static": end - middle, "rss_before_kb": before}))


def worker_judge(args):
    """In a child: accuracy of --output, a model run in ONNX Runtime or an .npy of outputs."""
    import oracle_path  # noqa: F401
    import numpy as np
    import onnxruntime
    import oracle
    x = np.load(args.test)
    flat = lambda y: y.reshape(len(y), -1).astype(np.float64)
    reference = flat(oracle.OrtModel(args.model).run(x, args.scale))
    path = args.output
    result = flat(np.load(path) if path.endswith(".npy") else oracle.OrtModel(path).run(x, args.scale))
    labels = np.load(args.labels) if args.labels else reference.argmax(1)
    print(json.dumps({"version": onnxruntime.__version__, "top1": float((result.argmax(1) == labels).mean()),
                      "top1_float": float((reference.argmax(1) == labels).mean()),
                      "sqnr_db": float(oracle.sqnr_db(reference, result))}))


def child(args, worker, output, method="minmax"):
    command = [sys.executable, __file__, "--worker", worker, "--model", args.model, "--calib", args.calib, "--test", args.test,
               "--scale", args.scale, "--methods", method, "--output", output]
    seconds, peak, text = measure.run_measured(command + (["--labels", args.labels] if args.labels else []), args.threads)
    return {**json.loads(text.splitlines()[-1]), "seconds": seconds, "peak_rss_kb": peak}


def scale_options(args):
    return [] if args.scale == 1.0 else ["--scale", repr(args.scale)]


def tool_quantize(args, output, method):
    command = [args.binary, "quantize", args.model, "--calib", args.calib, "-o", output, "--method", method, "--threads",
               args.threads, "--json", "-", *scale_options(args)]
    seconds, peak, report = measure.run_json(command, args.threads)
    return {"seconds": seconds, "peak_rss_kb": peak, "output_sqnr_db": report.get("output_sqnr_db")}


def judge_tool(args, model, folder):
    """Device engine through `run`, judged by the same worker as the peer; `eval` must say the same top-1."""
    outputs = f"{folder}/ours.npy"
    measure.run_measured([args.binary, "run", model, "--data", args.test, "--output", outputs, "--engine", "device",
                          *scale_options(args)])
    result = child(args, "judge", outputs)
    in_ort = child(args, "judge", model)
    result["in_ort"] = {key: in_ort[key] for key in ("top1", "sqnr_db")}
    if args.labels:
        _, _, report = measure.run_json([args.binary, "eval", model, "--data", args.test, "--labels", args.labels, "--json",
                                         "-", *scale_options(args)])
        result["top1_eval"] = report["top1"]
        if abs(result["top1_eval"] - result["top1"]) > 1e-6:
            sys.exit(f"eval says top-1 {result['top1_eval']}, the outputs of run give {result['top1']}")
    return result


def summary(peer, method, runs, judged):
    kept = ("top1", "top1_float", "sqnr_db", "in_ort", "top1_eval")
    entry = {"peer": peer, "method": method, "seconds": measure.median([r["seconds"] for r in runs]),
             "seconds_all": [round(r["seconds"], 4) for r in runs], "peak_rss_kb": max(r["peak_rss_kb"] for r in runs)}
    if "seconds_call" in runs[0]:
        for key in ("seconds_call", "seconds_static"):  # preprocessing and quantize_static; the latter alone
            entry[key] = measure.median([r[key] for r in runs])
        entry["rss_before_kb"] = runs[0]["rss_before_kb"]
    return {**entry, **{key: judged[key] for key in kept if key in judged}}


def compare_method(args, method, folder):
    theirs, ours = f"{folder}/theirs_{method}.onnx", f"{folder}/ours_{method}.onnx"
    runs_theirs, runs_ours = [], []
    for _ in range(args.rounds):
        runs_theirs.append(child(args, "quantize", theirs, method))
        if args.binary:
            runs_ours.append(tool_quantize(args, ours, method))
    judged = child(args, "judge", theirs)
    peers = [summary(f"onnxruntime {judged['version']}", method, runs_theirs, judged)]
    if args.binary:
        peers.append(summary("tinyml-opt", method, runs_ours, judge_tool(args, ours, folder)))
    return peers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="float ONNX model")
    parser.add_argument("--name", help="name in the report (default: the model's file name)")
    parser.add_argument("--calib", required=True, help="calibration samples, .npy")
    parser.add_argument("--test", required=True, help="test samples, .npy")
    parser.add_argument("--labels", help="labels of the test samples, .npy")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--metric", choices=("top1", "sqnr_db"), default="top1")
    parser.add_argument("--methods", nargs="+", default=["minmax", "entropy"])
    parser.add_argument("--binary", help="tinyml-opt")
    parser.add_argument("--threads", type=int, default=2, help="threads of ours, and CPUs that either may use")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", default="-", metavar="FILE")
    parser.add_argument("--worker", choices=("quantize", "judge"), help=argparse.SUPPRESS)
    parser.add_argument("--output", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return {"quantize": worker_quantize, "judge": worker_judge}[args.worker](args)
    with tempfile.TemporaryDirectory() as folder:
        peers = [entry for method in args.methods for entry in compare_method(args, method, folder)]
    report = {"name": args.name or pathlib.Path(args.model).stem, "metric": args.metric, "threads": args.threads,
              "rounds": args.rounds, "peers": peers}
    text = json.dumps(report, indent=1) + "\n"
    sys.stdout.write(text) if args.json == "-" else pathlib.Path(args.json).write_text(text)


if __name__ == "__main__":
    main()

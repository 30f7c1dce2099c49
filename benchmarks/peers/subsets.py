#!/usr/bin/env python3
"""Accuracy after quantization over several calibration subsets, ours against ONNX Runtime's quantize_static.

One accuracy on a thousand samples says little: another calibration set moves it by several samples either way. Subset k
of N is every N-th sample of --pool from k on; both quantize the float model with each of them and are judged on --test,
ours through the device kernels. Printed per method as rows of Markdown tables: means over the subsets, and the mean of
the differences with its standard error. Without labels the class of the float model is the label. See run_subsets.sh.
"""
import argparse
import contextlib
import io
import tempfile

import measure
import oracle_path  # noqa: F401
import numpy as np
import oracle
import ort_static


def judge(reference, labels, output):
    flat = output.reshape(len(output), -1).astype(np.float64)
    classes = flat.argmax(1)
    return 100 * (classes == labels).mean(), 100 * (classes == reference.argmax(1)).mean(), oracle.sqnr_db(reference, flat)


def theirs(args, source, x, method, folder):
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its histogram settings
        ort_static.quantize_prepared(f"{folder}/prepared.onnx", f"{folder}/q.onnx", source.input.name,
                                     source.prepare(x, args.scale), method=method)
    return oracle.OrtModel(f"{folder}/q.onnx").run(np.load(args.test), args.scale)


def ours(args, x, method, folder):
    np.save(f"{folder}/calib.npy", x)
    scale = [] if args.scale == 1.0 else ["--scale", repr(args.scale)]
    measure.run_measured([args.binary, "quantize", args.model, "--calib", f"{folder}/calib.npy", "-o", f"{folder}/o.onnx",
                          "--method", method, *scale])
    measure.run_measured([args.binary, "run", f"{folder}/o.onnx", "--data", args.test, "--output", f"{folder}/y.npy", *scale])
    return np.load(f"{folder}/y.npy")


def row(args, method, reference, labels, source, folder):
    pool = np.load(args.pool)
    results = []
    for first in range(args.every):
        x = pool[first::args.every]
        results.append([judge(reference, labels, theirs(args, source, x, method, folder)),
                        judge(reference, labels, ours(args, x, method, folder))])
    a = np.array(results)  # subset, peer, figure
    mean = a.mean(0)
    difference = a[:, 1, 0] - a[:, 0, 0]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    top1 = "–" if args.regression else f"{100 * (reference.argmax(1) == labels).mean():.2f}"
    cells = [args.name, method, f"{args.every} of {len(pool[::args.every])}", top1]
    cells += ["–"] * 5 if args.regression else [f"{mean[0, 0]:.2f}", f"{mean[1, 0]:.2f}", f"{difference.mean():+.2f} ± {error:.2f}",
                                                f"{mean[0, 1]:.2f}", f"{mean[1, 1]:.2f}"]
    print("| " + " | ".join([*cells, f"{mean[0, 2]:.2f}", f"{mean[1, 2]:.2f}"]) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--binary", "--name", "--model", "--pool", "--test"):
        parser.add_argument(name, required=True)
    parser.add_argument("--labels")
    parser.add_argument("--every", type=int, required=True, help="number of subsets")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--regression", action="store_true", help="not a classifier: SQNR only")
    parser.add_argument("--methods", nargs="+", default=["minmax", "entropy"])
    args = parser.parse_args()
    source = oracle.OrtModel(args.model)
    output = source.run(np.load(args.test), args.scale)
    reference = output.reshape(len(output), -1).astype(np.float64)
    labels = np.load(args.labels) if args.labels else reference.argmax(1)
    with tempfile.TemporaryDirectory() as folder:
        ort_static.prepare(args.model, f"{folder}/prepared.onnx")
        for method in args.methods:
            row(args, method, reference, labels, source, folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Weights in half a byte: prints one model's rows of the table of run_weight_bits.sh.

Each way quantizes with the same calibration samples (no labels, but for --auto-bits, which judges by the test labels that
it is given) and is judged on the test samples on the device engine: top-1 against labels, or the float model's class
without; SQNR against the float outputs. The last columns: our file's top-1 in ONNX Runtime, and on how many samples the
device's class is ONNX Runtime's. ONNX Runtime's own row is quantize_static with QInt4 weights (nearest rounding).
"""
import argparse
import sys
import tempfile

import measure
import oracle_path  # noqa: F401
import numpy as np
import onnx
import oracle
import ort_static
from onnx import version_converter


def flat(y):
    return y.reshape(len(y), -1).astype(np.float64)


class Judge:
    def __init__(self, args):
        self.args = args
        self.x = np.load(args.test)
        self.reference = flat(oracle.OrtModel(args.model).run(self.x, args.scale))
        self.labels = np.load(args.labels) if args.labels else self.reference.argmax(1)

    def top1(self, outputs):
        return None if self.args.regression else float((outputs.argmax(1) == self.labels).mean())

    def row(self, outputs):
        return self.top1(outputs), float(oracle.sqnr_db(self.reference, outputs))


def percent(value):
    return "–" if value is None else f"{100 * value:.2f}%"


def print_row(args, way, size, int8, seconds, judged, in_ort=None, same=None):
    ratio = "–" if not size or not int8 else f"{size / int8:.3f}"
    took = "–" if seconds is None else f"{seconds:.1f}"
    print(f"| {args.name} | {way} | {f'{size:,}' if size else '–'} | {ratio} | {took} | {percent(judged[0])} | "
          f"{judged[1]:.1f} | {percent(in_ort)} | {percent(same)} |", flush=True)


def ours(args, judge, way, options, folder, int8):
    model, outputs = f"{folder}/q.onnx", f"{folder}/q.npy"
    scale = [] if args.scale == 1.0 else ["--scale", repr(args.scale)]
    seconds, _, report = measure.run_json([args.binary, "quantize", args.model, "--calib", args.calib, "-o", model, "--threads",
                                           args.threads, "--json", "-", *scale, *options], args.threads)
    measure.run_measured([args.binary, "run", model, "--data", args.test, "--output", outputs, "--engine", "device", *scale])
    mine, theirs = flat(np.load(outputs)), flat(oracle.OrtModel(model).run(judge.x, args.scale))
    same = None if args.regression else float((mine.argmax(1) == theirs.argmax(1)).mean())
    size = report["weights_bytes_int8"]
    print_row(args, way, size, int8 or size, seconds, judge.row(mine), judge.top1(theirs), same)
    return size


def peer(args, judge, folder):
    source, prepared, output = f"{folder}/o.onnx", f"{folder}/p.onnx", f"{folder}/t.onnx"
    onnx.save(version_converter.convert_version(onnx.load(args.model), 21), source)
    ort_static.prepare(source, prepared)
    model = oracle.OrtModel(source)
    ort_static.quantize_prepared(prepared, output, model.input.name, model.prepare(np.load(args.calib), args.scale),
                                 weights="int4")
    judged = judge.row(flat(oracle.OrtModel(output).run(judge.x, args.scale)))
    print_row(args, "int4, ONNX Runtime `quantize_static`", None, None, None, judged)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "name", "model", "calib", "test"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--auto", default="--max-drop 0.5", help="bound of the --auto-bits row")
    args = parser.parse_args()
    judge = Judge(args)
    bound = args.auto.split()
    if args.labels and "--max-drop" in bound:
        bound += ["--data", args.test, "--labels", args.labels]
    with tempfile.TemporaryDirectory() as folder:
        int8 = ours(args, judge, "int8, nearest", [], folder, None)
        for way, options in (("int8, adaround", ["--rounding", "adaround"]),
                             ("int4, nearest", ["--weight-bits", "4", "--rounding", "nearest"]),
                             ("int4, adaround", ["--weight-bits", "4"]), ("codebook", ["--codebook"]),
                             (f"`--auto-bits {args.auto}`", ["--auto-bits", *bound])):
            ours(args, judge, way, options, folder, int8)
        peer(args, judge, folder)


if __name__ == "__main__":
    sys.exit(main())

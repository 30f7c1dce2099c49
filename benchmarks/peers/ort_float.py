#!/usr/bin/env python3
"""Float throughput: ONNX Runtime CPU against `tinyml-opt run --engine float`, alternating in one run.

ONNX Runtime runs at its best: default optimizations, the same intra-op threads, inputs bound beforehand (no copies, no
slicing in Python inside the clock). Ours reports `seconds`, the time of the execution only, and `samples`, those that it
executed in them, repeats included. Both make the same passes over the same samples after a warm-up; the median of the
rounds counts. Without --binary only ONNX Runtime is measured. The JSON feeds table.py.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

import oracle_path  # noqa: F401
import measure
import numpy as np
import onnxruntime
import oracle


class OrtRunner:
    """All batches bound to memory once; a pass executes them all."""

    def __init__(self, model, samples, scale, batch, threads):
        source = oracle.OrtModel(model, threads=threads)
        self.session = source.session
        x = source.prepare(samples, scale)
        self.bindings = [self.bind(source, x[i:i + batch]) for i in range(0, len(x), batch)]

    def bind(self, source, x):
        binding = self.session.io_binding()
        binding.bind_ortvalue_input(source.input.name, onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(x)))
        shape = self.session.run([source.output], {source.input.name: x})[0].shape
        binding.bind_ortvalue_output(source.output, onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32))
        return binding

    def seconds(self, repeat):
        start = time.perf_counter()
        for _ in range(repeat):
            for binding in self.bindings:
                self.session.run_with_iobinding(binding)
        return time.perf_counter() - start


def tool_throughput(args, data, batch, repeat, folder):
    command = [args.binary, "run", args.model, "--data", data, "--output", f"{folder}/y.npy", "--engine", "float",
               "--threads", str(args.threads), "--batch", str(batch), "--repeat", str(repeat), "--json", "-"]
    if args.scale != 1.0:
        command += ["--scale", repr(args.scale)]
    _, _, report = measure.run_json(command)
    return report["samples"] / report["seconds"]


def compare_batch(args, samples, data, batch, folder):
    runner = OrtRunner(args.model, samples, args.scale, batch, args.threads)
    repeat = max(1, round(args.min_seconds / runner.seconds(1)))
    ort, ours = [], []
    for _ in range(args.rounds):
        ort.append(len(samples) * repeat / runner.seconds(repeat))
        if args.binary:
            time.sleep(0.05)  # lets ONNX Runtime's threads stop spinning
            ours.append(tool_throughput(args, data, batch, repeat, folder))
    result = [{"peer": f"onnxruntime {onnxruntime.__version__}", "batch": batch, "samples_per_second": measure.median(ort),
               "all": [round(v, 1) for v in ort]}]
    if ours:
        result.append({"peer": "tinyml-opt", "batch": batch, "samples_per_second": measure.median(ours),
                       "all": [round(v, 1) for v in ours]})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="float ONNX model")
    parser.add_argument("--name", help="name in the report (default: the model's file name)")
    parser.add_argument("--data", required=True, help="samples, .npy")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", help="tinyml-opt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--samples", type=int, default=256, help="samples of a pass; the data are repeated or cut to this")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--min-seconds", type=float, default=0.5, help="length of one measurement")
    parser.add_argument("--json", default="-", metavar="FILE")
    args = parser.parse_args()
    if any(args.samples % batch for batch in args.batches):
        parser.error("--samples must be a multiple of every batch size")
    with tempfile.TemporaryDirectory() as folder:
        x = np.load(args.data)
        samples = x[np.arange(args.samples) % len(x)]
        data = f"{folder}/x.npy"
        np.save(data, samples)
        peers = [entry for batch in args.batches for entry in compare_batch(args, samples, data, batch, folder)]
    report = {"name": args.name or pathlib.Path(args.model).stem, "threads": args.threads, "rounds": args.rounds,
              "peers": peers}
    text = json.dumps(report, indent=1) + "\n"
    sys.stdout.write(text) if args.json == "-" else pathlib.Path(args.json).write_text(text)


if __name__ == "__main__":
    main()

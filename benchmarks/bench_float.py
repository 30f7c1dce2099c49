#!/usr/bin/env python3
"""bench_float against ONNX Runtime CPU, alternating, same threads: the executor alone, without the command line around it.

    usage: bench_float.py BINARY MODEL... [--batches 1 32] [--threads 2] [--rounds 5] [--seconds 0.5]
ONNX Runtime runs with bound inputs and default optimizations. Prints a Markdown table; the median of the rounds counts.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import numpy as np
import onnxruntime as ort


def ort_runner(model, batch, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else batch for d in source.shape]
    x = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input(source.name, ort.OrtValue.ortvalue_from_numpy(x))
    for y, out in zip(session.run(None, {source.name: x}), session.get_outputs()):
        binding.bind_ortvalue_output(out.name, ort.OrtValue.ortvalue_from_shape_and_type(y.shape, np.float32))
    return lambda: session.run_with_iobinding(binding)


def ort_microseconds(run, seconds):
    """Median and best of rounds of half a millisecond or one execution, as bench_float does."""
    for _ in range(20):
        run()
    start = time.perf_counter()
    for _ in range(10):
        run()
    once = (time.perf_counter() - start) / 10
    repeats = max(1, int(5e-4 / once))
    rounds = []
    for _ in range(max(10, int(seconds / once / repeats))):
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        rounds.append((time.perf_counter() - start) / repeats * 1e6)
    return statistics.median(rounds), min(rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    args = parser.parse_args()
    print("| model | batch | ours, us | ORT, us | ours/ORT throughput | best rounds: ours, ORT, ratio |\n|---|---|---|---|---|---|")
    for model in args.models:
        for batch in args.batches:
            run = ort_runner(model, batch, args.threads)
            ours, theirs = [], []
            for _ in range(args.rounds):
                theirs.append(ort_microseconds(run, args.seconds))
                time.sleep(0.05)  # lets ONNX Runtime's threads stop spinning
                command = [args.binary, model, str(batch), str(args.threads), str(args.seconds)]
                report = json.loads(subprocess.check_output(command))
                ours.append((report["microseconds"], report["best_microseconds"]))
            mine, theirs_median = (statistics.median(m for m, _ in t) for t in (ours, theirs))
            best, theirs_best = (min(b for _, b in t) for t in (ours, theirs))
            print(f"| {pathlib.Path(model).stem} | {batch} | {mine:.1f} | {theirs_median:.1f} | {theirs_median / mine:.2f} | "
                  f"{best:.1f}, {theirs_best:.1f}, {theirs_best / best:.2f} |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""check_quantize_static.py BINARY MODEL CALIB: models quantized by ONNX Runtime's quantize_static read back in.

MODEL is float. For per-channel and per-tensor weights and for uint8 and int8 activations: quantize with ONNX Runtime
(QDQ), then with the tool `inspect`, `run --engine qdq` and `run --engine device` on CALIB against ONNX Runtime executing
the same model as written, and `emit --bundle`, whose C must compile as C99 without a warning (where there is a compiler).
Limits as in check_qdq.py: the model is the same one, only the executor differs.
"""
import pathlib
import shutil
import subprocess

import check_qdq
import oracle
import ort_static

CFLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]


def check_emit(args, model, folder):
    out = pathlib.Path(folder, "emitted")
    oracle.run_tool(args.binary, "emit", model, "-o", out, "--name", "peer", "--bundle")
    sources = sorted(out.rglob("*.c"))
    oracle.require((out / "peer.h").is_file() and sources, f"emit wrote no peer.h and C source in {out}")
    compiler = shutil.which("cc")
    if compiler:
        done = subprocess.run([compiler, *CFLAGS, "-I", str(out), "-c", *map(str, sources)], cwd=folder,
                              capture_output=True, text=True)
        oracle.require(done.returncode == 0, f"the emitted C does not compile: {done.stderr[:500]}")
    print(f"emit: {len(sources)} C files" + (", compiled" if compiler else ", no compiler here"))
    shutil.rmtree(out)


def check_variant(args, x, data, per_channel, activations, folder):
    name = f"{activations}_{'channel' if per_channel else 'tensor'}"
    path = f"{folder}/{name}.onnx"
    source = oracle.OrtModel(args.model)
    ort_static.quantize(args.model, path, source.input.name, source.prepare(x, args.scale), per_channel, activations)
    print(f"-- {args.model} quantized by ONNX Runtime: {activations} activations, "
          f"weights per {'channel' if per_channel else 'tensor'}")
    theirs = oracle.OrtModel(path, optimize=False).run(x, args.scale)
    report = oracle.tool_json(args.binary, "inspect", path)
    oracle.require(report.get("device", {}).get("arena_bytes", 0) > 0,
                   f"inspect of {name} reports no device.arena_bytes: the model is not read as a quantized one")
    lsb = oracle.output_lsb(path)
    faults = [check_qdq.judge(args, f"{engine} engine", oracle.tool_output(args, path, data, engine, folder), theirs, lsb)
              for engine in ("qdq", "device")]
    faults = [fault for fault in faults if fault]
    oracle.require(not faults, f"{name}: {'; '.join(faults)}")
    check_emit(args, path, folder)


def check(args, folder):
    x, data = oracle.load_samples(args, args.calib, folder)
    for per_channel in (True, False):
        for activations in ("uint8", "int8"):
            check_variant(args, x, data, per_channel, activations, folder)


if __name__ == "__main__":
    oracle.main(check, "binary", "model", "calib")

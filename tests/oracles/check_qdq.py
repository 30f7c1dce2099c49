#!/usr/bin/env python3
"""check_qdq.py BINARY QMODEL DATA: a quantized (QDQ) model of ours is valid ONNX and means the same everywhere.

The model passes onnx.checker (full check) and runs in ONNX Runtime's CPU provider, with its integer kernels (default
options) and as written (no graph optimization). Against both: our device engine (the C kernels) and our qdq engine.
Limits: same top-1 on 99.5% of the samples, or with --regression a signal-to-noise ratio of 30 dB, which is above what
int8 itself costs. Single LSB differences are expected: float rounding of a product near a half, and fixed-point
multipliers on the device.
"""
import onnx

import oracle

MIN_TOP1 = 0.995
MIN_SQNR_DB = 30.0


def check_valid(path):
    try:
        onnx.checker.check_model(path, full_check=True)
        onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise oracle.Mismatch(f"onnx.checker refuses {path}: {str(error)[:300]}") from None


def judge(args, name, ours, theirs, lsb):
    ours, theirs = oracle.same_shape(ours, theirs)
    top1, sqnr = oracle.top1_agreement(ours, theirs), oracle.sqnr_db(theirs, ours)
    print(f"{name}: same top-1 {top1:.4%}, SQNR {sqnr:.1f} dB")
    if lsb is not None:
        print(f"  differences in LSB of the output ({lsb:.6g}): {oracle.histogram(ours, theirs, lsb)}")
    if args.regression:
        return None if sqnr >= MIN_SQNR_DB else f"{name}: SQNR {sqnr:.1f} dB is under {MIN_SQNR_DB} dB"
    return None if top1 >= MIN_TOP1 else f"{name}: same top-1 on {top1:.4%}, required {MIN_TOP1:.1%}"


def check(args, folder):
    check_valid(args.model)
    x, data = oracle.load_samples(args, args.data, folder)
    peers = {"ONNX Runtime": oracle.OrtModel(args.model).run(x, args.scale),
             "ONNX Runtime as written": oracle.OrtModel(args.model, optimize=False).run(x, args.scale)}
    lsb = oracle.output_lsb(args.model)
    print(f"{args.model}: valid, {len(x)} samples")
    faults = []
    for engine in ("device", "qdq"):
        ours = oracle.tool_output(args, args.model, data, engine, folder)
        faults += [judge(args, f"{engine} engine against {peer}", ours, theirs, lsb) for peer, theirs in peers.items()]
    faults = [fault for fault in faults if fault]
    oracle.require(not faults, "; ".join(faults))


if __name__ == "__main__":
    oracle.main(check, "binary", "model", "data")

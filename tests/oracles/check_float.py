#!/usr/bin/env python3
"""check_float.py BINARY MODEL DATA: our float engine against ONNX Runtime on the same data.

Tolerance: TOLERANCE times the largest output magnitude. Two correct float32 runtimes differ by the order of summation
only. ONNX Runtime differs from itself, with and without its graph optimizations, by up to 2.3e-6 on the MLPerf Tiny nets
(printed as "its own spread"), and from TensorFlow Lite by 9e-5 on real input of ad01 (outputs up to 62): 1e-4 leaves
room for rounding and none for a wrong kernel.
"""
import numpy as np

import oracle

TOLERANCE = 1e-4


def check(args, folder):
    x, data = oracle.load_samples(args, args.data, folder)
    reference = oracle.OrtModel(args.model).run(x, args.scale)
    plain = oracle.OrtModel(args.model, optimize=False).run(x, args.scale, batch=1)
    ours, theirs = oracle.same_shape(oracle.tool_output(args, args.model, data, "float", folder), reference)
    scale = np.abs(theirs).max()
    error = np.abs(ours - theirs)
    significant = np.abs(theirs) > 1e-3 * scale
    relative = (error[significant] / np.abs(theirs[significant])).max() if significant.any() else 0.0
    spread = np.abs(plain.reshape(theirs.shape) - theirs).max() / scale
    print(f"{args.model}: {len(x)} samples, largest output {scale:.4g}")
    print(f"largest difference {error.max():.3g} (limit {TOLERANCE * scale:.3g}), relative {relative:.3g}, "
          f"same top-1 {oracle.top1_agreement(ours, theirs):.4%}; its own spread {spread:.1e}")
    worst = int(error.max(1).argmax())
    oracle.require(error.max() <= TOLERANCE * scale, f"sample {worst} differs by {error.max():.6g}")


if __name__ == "__main__":
    oracle.main(check, "binary", "model", "data")

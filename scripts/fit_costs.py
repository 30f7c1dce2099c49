#!/usr/bin/env python3
"""Fits lib/device/cost_coefficients.cpp: instructions per term of every portable kernel, per core, and cycles per instruction.

Random networks through all kernels are quantized and emitted, every layer is counted under QEMU (scripts/cost_model.sh --laps),
`inspect --json` says how often its kernel does what, and least squares without negative coefficients, of relative errors, do the
rest. Needs the oracles' Python (scripts/setup_oracles.sh) and the cross tools; takes minutes. Nothing at run time needs it.
  usage: scripts/fit_costs.py [--work DIR] [--seed 1] [--models 6] [--check] > lib/device/cost_coefficients.cpp
    --work DIR   keep and reuse networks and counts      --check    no table: the errors per kernel and core on stderr alone
"""
import argparse, json, os, pathlib, subprocess, sys, tempfile
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = os.environ.get("TINYML_BINARY", str(ROOT / "build" / "tinyml-opt"))
CORES = ["m0", "m3", "m4", "m55", "riscv"]
SAMPLES = 4


class Net:
    """A random graph: every node reads a tensor that is there already; what nobody reads becomes an output."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.init, self.values, self.used = [], [], {}, set()

    def between(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def pick(self, *choices):
        return choices[self.between(0, len(choices) - 1)]

    def const(self, array):
        name = f"c{len(self.init)}"
        self.init.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op, inputs, shape, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{len(self.nodes)}", **attributes))
        self.used.update(inputs)
        if np.prod(shape) <= 40000:
            self.values[name] = tuple(int(d) for d in shape)
        return name

    def source(self, rank):
        names = [n for n, s in self.values.items() if len(s) == rank]
        name = names[self.between(0, len(names) - 1)]
        return name, self.values[name]

    def weights(self, *shape):
        fan_in = max(1, int(np.prod(shape[1:])))
        return self.const((self.rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32))

    def conv(self, kind):
        x, (n, c, h, w) = self.source(4)
        kh, kw = (self.pick((1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (4, 2), (10, 4)) if kind != "point" else (1, 1))
        stride, dilation = self.pick(1, 1, 2, 3), self.pick(1, 1, 1, 2) if kh < 4 else 1
        pads = [self.between(0, (kh - 1) // 2), self.between(0, (kw - 1) // 2)] * 2 if kind != "point" else [0] * 4
        if kind == "point":
            stride = dilation = 1
        groups = c if kind == "depthwise" else self.pick(1, 1, 1, 2) if c % 2 == 0 and kind == "conv" else 1
        out = c * self.pick(1, 1, 1, 1, 2) if kind == "depthwise" else groups * self.between(1, 48 // groups)
        oh = (h + pads[0] + pads[2] - dilation * (kh - 1) - 1) // stride + 1
        ow = (w + pads[1] + pads[3] - dilation * (kw - 1) - 1) // stride + 1
        if oh < 1 or ow < 1 or out * oh * ow > 40000 or oh * ow * out * kh * kw * c / groups > 4e6:
            return
        y = self.add("Conv", [x, self.weights(out, c // groups, kh, kw), self.const(self.rng.standard_normal(out).astype(np.float32))],
                     (n, out, oh, ow), kernel_shape=[kh, kw], strides=[stride] * 2, dilations=[dilation] * 2, pads=pads, group=groups)
        if self.between(0, 2) == 0:
            self.add("Relu", [y], (n, out, oh, ow))

    def conv_transpose(self):
        x, (n, c, h, w) = self.source(4)
        k, stride, out = self.between(2, 4), self.pick(1, 2), self.between(1, 16)
        oh, ow = (h - 1) * stride + k, (w - 1) * stride + k
        if out * oh * ow <= 20000 and c * out * oh * ow * k * k < 3e6:
            self.add("ConvTranspose", [x, self.weights(c, out, k, k)], (n, out, oh, ow), kernel_shape=[k, k], strides=[stride] * 2)

    def pool(self, op):
        x, (n, c, h, w) = self.source(4)
        k, stride, pad = self.between(2, 4), self.pick(1, 2), self.pick(0, 0, 1)
        oh, ow = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
        if oh >= 1 and ow >= 1:
            self.add(op, [x], (n, c, oh, ow), kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4)

    def global_pool(self):
        x, (n, c, h, w) = self.source(4)
        self.add("GlobalAveragePool", [x], (n, c, 1, 1))

    def binary(self, op):
        x, shape = self.source(4)
        kind = self.pick("same", "channel", "scalar")
        if kind == "same":
            names = [k for k, s in self.values.items() if s == shape and k != x]
            if not names:
                return
            y = names[self.between(0, len(names) - 1)]
        else:
            y = self.const((self.rng.random((1, shape[1], 1, 1) if kind == "channel" else (1, 1, 1, 1)) + 0.5).astype(np.float32))
        out = self.add(op, [x, y], shape)
        if op == "Add" and self.between(0, 1) == 0:
            self.add("Relu", [out], shape)

    def power(self):
        x, shape = self.source(4)
        y = self.add("Sigmoid", [x], shape)
        self.add("Pow", [y, self.const(np.float32([1.7]))], shape)

    def three(self):
        x, shape = self.source(4)
        names = [k for k, s in self.values.items() if s == shape]
        if len(names) >= 3:
            self.add("Sum", names[:self.between(3, min(5, len(names)))], shape)

    def unary(self):
        x, shape = self.source(4)
        self.add(self.pick("Sigmoid", "Tanh", "Abs"), [x], shape)

    def prelu(self):
        x, shape = self.source(4)
        self.add("PRelu", [x, self.const((self.rng.random((shape[1], 1, 1)) * 0.3).astype(np.float32))], shape)

    def softmax(self):
        x, shape = self.source(self.pick(2, 4))
        self.add(self.pick("Softmax", "LogSoftmax"), [x], shape, axis=self.pick(1, len(shape) - 1))

    def argmax(self):
        x, shape = self.source(4)
        out = self.add("ArgMax", [x], (shape[0],) + shape[2:], axis=1, keepdims=0)
        self.values.pop(out, None)

    def reduce(self):
        x, shape = self.source(4)
        axes, op = self.pick([2, 3], [1], [3], [1, 2]), self.pick("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum")
        kept = tuple(1 if i in axes else d for i, d in enumerate(shape))
        if op == "ReduceSum":
            self.add(op, [x, self.const(np.int64(axes))], kept)
        else:
            self.add(op, [x], kept, axes=axes)

    def transpose(self):
        x, shape = self.source(4)
        perm = self.pick([0, 2, 3, 1], [0, 1, 3, 2], [0, 3, 1, 2])
        y = self.add("Transpose", [x], tuple(shape[i] for i in perm), perm=perm)
        self.add("Reshape", [y, self.const(np.int64([1, -1, shape[perm[3]]]))], (1, int(np.prod(shape)) // shape[perm[3]], shape[perm[3]]))

    def concat(self):
        x, shape = self.source(4)
        names = [k for k, s in self.values.items() if s[0] == 1 and len(s) == 4 and s[2:] == shape[2:]]
        if len(names) >= 2:
            chosen = names[-self.between(2, min(3, len(names))):]
            self.add("Concat", chosen, (1, sum(self.values[k][1] for k in chosen)) + shape[2:], axis=1)

    def slice(self):
        x, shape = self.source(4)
        if shape[1] >= 4 and shape[2] >= 4:
            self.add("Slice", [x, self.const(np.int64([1, 1])), self.const(np.int64([shape[1] - 1, shape[2]])),
                               self.const(np.int64([1, 2]))], (shape[0], shape[1] - 2, shape[2] - 1, shape[3]))

    def pad(self):
        x, (n, c, h, w) = self.source(4)
        self.add("Pad", [x, self.const(np.int64([0, 0, 1, 2, 0, 0, 2, 1]))], (n, c, h + 3, w + 3), mode=self.pick("constant", "edge", "reflect"))

    def resize(self):
        x, (n, c, h, w) = self.source(4)
        if h * w * c <= 6000 and h > 1 and w > 1:
            self.add("Resize", [x, "", self.const(np.float32([1, 1, 2, 2]))], (n, c, 2 * h, 2 * w), mode=self.pick("nearest", "linear"))

    def flat(self):
        x, shape = self.source(4)
        size = int(np.prod(shape))
        if size <= 1200:
            self.add("Flatten", [x], (1, size))

    def dense(self):
        x, (n, k) = self.source(2)
        out = self.between(1, 130)
        self.add("Gemm", [x, self.weights(out, k), self.const(self.rng.standard_normal(out).astype(np.float32))], (n, out), transB=1)

    def matmul(self):
        x, (n, c, h, w) = self.source(4)
        names = [k for k, s in self.values.items() if len(s) == 4 and s[:2] == (n, c) and s[2] == w]
        if names and h * w * c <= 8000:
            y = names[self.between(0, len(names) - 1)]
            self.add("MatMul", [x, y], (n, c, h, self.values[y][3]))

    def build(self, size):
        c, h, w = self.pick(1, 3, 4, 8), self.between(12, 28), self.between(12, 28)
        self.values["x"] = (1, c, h, w)
        steps = ([lambda: self.conv("conv")] * 8 + [lambda: self.conv("depthwise")] * 5 + [lambda: self.conv("point")] * 3 +
                 [self.dense] * 3 + [self.conv_transpose, self.unary, self.prelu, self.softmax, self.softmax, self.argmax, self.reduce,
                  self.reduce, self.transpose, self.concat, self.slice, self.pad, self.resize, self.flat, self.flat, self.matmul,
                  self.power, self.three, self.global_pool] + [lambda: self.pool("MaxPool"), lambda: self.pool("AveragePool")] * 2 +
                 [lambda op=op: self.binary(op) for op in ("Add", "Add", "Mul", "Min", "Max", "Div", "Sub")])
        self.add("Conv", ["x", self.weights(self.between(6, 24), c, 3, 3)], (1, 0, 0, 0), kernel_shape=[3, 3], pads=[1] * 4)
        self.values["v0"] = (1, numpy_helper.to_array(self.init[0]).shape[0], h, w)
        while len(self.nodes) < size:
            try:
                steps[self.between(0, len(steps) - 1)]()
            except ValueError:  # no tensor of that rank yet
                pass
        produced = [n.output[0] for n in self.nodes]
        outputs = [n for n in produced if n not in self.used]
        kind = {n.output[0]: TensorProto.INT64 if n.op_type == "ArgMax" else TensorProto.FLOAT for n in self.nodes}
        graph = helper.make_graph(self.nodes, "random", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.values["x"])],
                                  [helper.make_tensor_value_info(n, kind[n], None) for n in outputs], self.init)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        return model, (c, h, w)


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-800:]}")
    return done


def make(work, seed, size):
    """The folder of one network per core, emitted with portable kernels; None if the tool refuses it."""
    model, shape = Net(seed).build(size)
    path = work / f"net{seed}.onnx"
    onnx.save(model, path)
    np.save(work / f"net{seed}.npy", np.random.default_rng(seed).standard_normal((SAMPLES, *shape)).astype(np.float32))
    data, int8 = work / f"net{seed}.npy", work / f"net{seed}_int8.onnx"
    done = run(TOOL, "quantize", path, "--calib", data, "-o", int8)
    if done.returncode:
        print(f"net{seed}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    for target in ("m0", "m3", "m4"):
        emitted = run(TOOL, "emit", int8, "-o", work / f"net{seed}_{target}", "--name", f"net{seed}", "--target", target,
                      "--golden", "1", "--data", data, "--trace")
        if emitted.returncode:
            print(f"net{seed}: {emitted.stderr.strip()[-300:]}", file=sys.stderr)
            return None
    return int8


def portable_target(core):
    """The target whose portable kernels have the same loops as the core's."""
    return "m0" if core in ("m0", "riscv") else "m3"


def measure(work, seeds):
    """(kernel, core) -> rows of terms, counts by class and layer names; kernel -> counts by class on Cortex-M4."""
    rows, classes = {}, {}
    for core, target in [(core, portable_target(core)) for core in CORES] + [("m4", "m4"), ("m55", "m4")]:
        folders = [work / f"net{s}_{target}" for s in seeds]
        laps = work / f"laps_{core}"
        missing = [f for f in folders if not (laps / (f.name + ".laps")).exists()]
        if missing:
            done = run(ROOT / "scripts/cost_model.sh", "--core", core, "--laps", laps, *missing)
            print(done.stderr[-500:], file=sys.stderr, end="")
        for folder in folders:
            if not (laps / (folder.name + ".laps")).exists():
                continue
            layers = json.loads((work / (folder.name + ".json")).read_text())["device"]["layers"]
            lines = [l for l in (laps / (folder.name + ".laps")).read_text().split("\n") if l.startswith("lap=")][1::2]
            assert len(lines) == len(layers), folder
            for layer, line in zip(layers, lines):
                counts = {k: int(v) for k, v in (pair.split("=") for pair in line.split())}
                if core == "m4":
                    classes.setdefault(layer["kernel"], []).append(counts)
                if target == "m4" and not layer["kernel"].endswith("_dsp"):
                    continue
                rows.setdefault((layer["kernel"], core), []).append((layer.get("terms", {}), counts, folder.name + " " + layer["name"]))
    return rows, classes


def fit(rows):
    """Coefficients >= 0 that minimize the sum of relative errors: terms that come out negative leave."""
    names = sorted({n for terms, _, _ in rows for n in terms if any(t.get(n, 0) for t, _, _ in rows)})
    counts = np.array([c["lap"] for _, c, _ in rows], float)
    matrix = np.array([[t.get(n, 0) for n in names] for t, _, _ in rows], float) / counts[:, None]
    active = list(range(len(names)))
    while active:
        part = matrix[:, active]
        scale = np.maximum(np.abs(part).max(axis=0), 1e-12)
        weights = np.ones(len(rows))
        for _ in range(20):  # towards least absolute errors: what depends on data must not bend the rest
            # A little damping settles terms that always go together.
            solution = np.linalg.lstsq(np.vstack([part / scale * weights[:, None], 1e-4 * np.eye(len(active))]),
                                       np.concatenate([weights, np.zeros(len(active))]), rcond=None)[0] / scale
            weights = 1 / np.sqrt(np.maximum(np.abs(part @ solution - 1), 0.01))
        if (solution >= 0).all():
            break
        active.remove(active[int(np.argmin(solution * scale))])
    result = dict.fromkeys(names, 0.0)
    for i, value in zip(active, solution):
        result[names[i]] = float(value)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--size", type=int, default=60)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    work = pathlib.Path(args.work or tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    seeds = []
    for seed in range(args.seed, args.seed + args.models):
        if (work / f"net{seed}_m4").exists() or make(work, seed, args.size):
            seeds.append(seed)
            for target in ("m0", "m3", "m4"):
                report = run(TOOL, "inspect", work / f"net{seed}_int8.onnx", "--target", target, "--json", "-").stdout
                (work / f"net{seed}_{target}.json").write_text(report)
    rows, classes = measure(work, seeds)
    tables = {key: fit(r) for key, r in rows.items() if any(t for t, _, _ in r)}
    for (kernel, core), table in sorted(tables.items()):
        errors = [(sum(table[n] * t.get(n, 0) for n in table) / c["lap"] - 1, c["lap"], name) for t, c, name in rows[kernel, core]]
        worst = max((e for e in errors if e[1] >= 1000), key=lambda e: abs(e[0]), default=(0, 0, ""))
        print(f"{kernel:28s} {core:6s} {len(errors):4d} layers, worst {100 * worst[0]:7.2f}% of {worst[1]} ({worst[2]})", file=sys.stderr)
    if not args.check:
        print(source(tables, classes))


def shares(counts):
    """Of all instructions of a kernel: loads that wait, further words, taken branches, divisions."""
    total = {k: sum(c[k] for c in counts) for k in counts[0]}
    return [x / total["lap"] for x in (total["load"] - total["chained"], total["more_words"], total["taken"], total["divide"])]


def source(tables, classes):
    lines = []
    for kernel in sorted({k for k, _ in tables}):
        terms = sorted({n for (k, _), t in tables.items() if k == kernel for n in t})
        for term in terms:
            values = ", ".join(f"{tables.get((kernel, core), {}).get(term, 0):.5g}" for core in CORES)
            lines.append(f'    {{"{kernel}", "{term}", {values}}},')
    cycles = [f'    {{"{k}", ' + ", ".join(f"{x:.4f}" for x in shares(c)) + "}," for k, c in sorted(classes.items())]
    return TEMPLATE.replace("@LINES@", "\n".join(lines)).replace("@CYCLES@", "\n".join(cycles)).rstrip()


TEMPLATE = """// Instructions per term of the portable kernels, per core: gcc 12.2 -O2, counted under QEMU. Written by
// scripts/fit_costs.py from random networks; do not edit. The columns are the cores m0, m3, m4, m55, riscv.
#include <algorithm>
#include <array>

#include "lib/device/cost.h"
#include "lib/device/cycles.h"

namespace tinyml {
namespace {

constexpr auto kCoefficients = std::to_array<CostCoefficient>({
    // clang-format off
@LINES@
    // clang-format on
});

constexpr auto kShares = std::to_array<CycleShares>({
    // clang-format off
@CYCLES@
    // clang-format on
});

}  // namespace

const CycleShares* find_cycle_shares(std::string_view kernel) {
  const auto* found =
      std::find_if(kShares.begin(), kShares.end(), [&](const CycleShares& s) { return s.kernel == kernel; });
  return found == kShares.end() ? nullptr : found;
}

const CostCoefficient* find_coefficient(std::string_view kernel, std::string_view term) {
  const auto* found = std::find_if(kCoefficients.begin(), kCoefficients.end(),
                                   [&](const CostCoefficient& c) { return c.kernel == kernel && c.term == term; });
  return found == kCoefficients.end() ? nullptr : found;
}

}  // namespace tinyml
"""

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Fits lib/device/cost_coefficients.cpp: instructions per term of every kernel, per core, and cycles per instruction.

Random networks, int8 and int16, small layers and large, are quantized and emitted; every layer is counted under QEMU
(scripts/cost_model.sh --laps), `inspect --json` says how often its kernel does what, and least squares without negative
coefficients, of relative errors, do the rest. Needs the oracles' Python (scripts/setup_oracles.sh) and the cross tools; takes
minutes. Nothing at run time needs it.
  usage: scripts/fit_costs.py [--work DIR] [--seed 1] [--models 6] [--kinds int8,int16] [--kernels REGEX]
    [--cores LIST] [--packed] [--check]    > lib/device/cost_coefficients.cpp
    --work DIR       keep and reuse networks and counts    --kernels REGEX  only these are fitted, the others stay as they are
    --cores m4,m55   only these                            --packed         only the kernels of a core, not the portable ones
    --check          no table: how far the tool's own predictions are off, per kernel and core; exit 1 if any layer of 1,000
                     instructions or more by more than 5 % (and 160 instructions)
"""
import argparse, json, os, pathlib, re, subprocess, sys, tempfile
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = os.environ.get("TINYML_BINARY", str(ROOT / "build" / "tinyml-opt"))
CORES = ["m0", "m3", "m4", "m55", "riscv"]
# Core, target for which the network was emitted, kernels that count: m0 and m3 have the portable ones.
RUNS = [("m0", "m0", ""), ("riscv", "m0", ""), ("m3", "m3", ""), ("m4", "m3", ""), ("m55", "m3", ""),
        ("m4", "m4", "_dsp"), ("m55", "m4", "_dsp"), ("m55", "m55", "_mve")]
TABLE = ROOT / "lib/device/cost_coefficients.cpp"
# Kernels that share the coefficients of another: they differ in a term.
SHARED = {"tml_conv2d_s8_dsp": "tml_conv2d_short_s8_dsp"}
# Counted in the assembler.
KNOWN = {
    "tml_conv2d_s8_mve": {"clamped_vector": 5, "added_four": 10},
    "tml_fully_connected_s8_mve": {"block": 20, "half_step": 18, "step": 17, "eight_steps": 2, "clamped_vector": 5, "copied_vector": 3},
    "tml_depthwise_conv2d_s8_mve": {"block": 16, "halved_block": 18, "line": 5, "vector": 4, "plane": 2, "clamped_vector": 5},
    "tml_conv2d_short_s8_dsp": {"block": 43, "long_block": 39, "step": 17, "eight_steps": 2, "expanded_row": 7, "expanded_word": 12,
                                "add": 60, "added": 8.5, "clamp": 10, "clamped": 8},
    "tml_depthwise3x3_s8_dsp": {"outputs": 52, "rest": 27, "filled_pair": 21},
    "tml_depthwise3x3_s16_dsp": {"outputs": 52, "rest": 27},
    "tml_depthwise3x3_stride2_s8_dsp": {"outputs": 57, "rest": 23, "filled_pair": 21},
    "tml_depthwise3x3_stride2_s16_dsp": {"outputs": 57, "rest": 23},
    "tml_conv2d_s16_dsp": {"step": 19, "eight_steps": 3, "expanded_word": 6},
    "tml_fully_connected_s16_dsp": {"step": 19, "four_steps": 2},
}
SAMPLES = 4


class Net:
    """A random graph: every node reads a tensor that is there already; what nobody reads becomes an output."""

    def __init__(self, seed, kind):
        self.rng = np.random.default_rng(seed)
        self.kind, self.small = kind, seed % 2 == 0
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
        if self.kind == "int16" and fan_in > 520:  # sums that 32 bits may not hold
            return self.const(np.sign(self.rng.standard_normal(shape)).astype(np.float32) / np.float32(np.sqrt(fan_in)))
        return self.const((self.rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32))

    def conv(self, kind):
        x, (n, c, h, w) = self.source(4)
        kh, kw = (self.pick((1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (4, 2), (10, 4)) if kind != "point" else (1, 1))
        if kind == "depthwise3":
            kh = kw = 3
        stride, dilation = self.pick(1, 1, 2, 3), self.pick(1, 1, 1, 2) if kh < 4 else 1
        pads = [self.between(0, (kh - 1) // 2), self.between(0, (kw - 1) // 2)] * 2 if kind != "point" else [0] * 4
        if kind == "point":
            stride = dilation = 1
        if kind == "depthwise3":
            stride, dilation = self.pick(1, 2), 1
        groups = c if kind.startswith("depthwise") else self.pick(1, 1, 1, 2) if c % 2 == 0 and kind == "conv" else 1
        out = c if kind == "depthwise3" else c * self.pick(1, 1, 1, 1, 2) if kind == "depthwise" else groups * self.between(1, 48 // groups)
        oh = (h + pads[0] + pads[2] - dilation * (kh - 1) - 1) // stride + 1
        ow = (w + pads[1] + pads[3] - dilation * (kw - 1) - 1) // stride + 1
        if oh < 1 or ow < 1 or out * oh * ow > 40000 or oh * ow * out * kh * kw * c / groups > 4e6:
            return
        y = self.add("Conv", [x, self.weights(out, c // groups, kh, kw), self.const(self.rng.standard_normal(out).astype(np.float32))],
                     (n, out, oh, ow), kernel_shape=[kh, kw], strides=[stride] * 2, dilations=[dilation] * 2, pads=pads, group=groups)
        if self.between(0, 2) == 0:
            self.add("Relu", [y], (n, out, oh, ow))

    def residual(self):
        """A convolution whose input is added to its output."""
        x, (n, c, h, w) = self.source(4)
        k = self.pick(1, 3)
        if c * c * h * w * k * k > 4e6:
            return
        y = self.add("Conv", [x, self.weights(c, c, k, k), self.const(self.rng.standard_normal(c).astype(np.float32))], (n, c, h, w),
                     kernel_shape=[k, k], pads=[k // 2] * 4)
        out = self.add("Add", [y, x], (n, c, h, w))
        if self.between(0, 1) == 0:
            self.add("Relu", [out], (n, c, h, w))

    def joined(self):
        """Convolutions of which one is clamped within the range of both."""
        x, (n, c, h, w) = self.source(4)
        k, parts = self.pick(1, 3), []
        for i in range(2):
            out, groups = (c, c) if i == 0 and k == 3 else (self.between(1, 24), 1)
            y = self.add("Conv", [x, self.weights(out, c // groups, k, k), self.const(self.rng.standard_normal(out).astype(np.float32))],
                         (n, out, h, w), kernel_shape=[k, k], pads=[k // 2] * 4, group=groups)
            parts.append(((self.add("Relu", [y], (n, out, h, w)) if i == 0 else y), out))
        self.add("Concat", [name for name, _ in parts], (n, sum(out for _, out in parts), h, w), axis=1)

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
        self.add("Softmax" if self.kind == "int16" else self.pick("Softmax", "LogSoftmax"), [x], shape, axis=self.pick(1, len(shape) - 1))

    def argmax(self):
        x, shape = self.source(4)
        out = self.add("ArgMax", [x], (shape[0],) + shape[2:], axis=1, keepdims=0)
        self.values.pop(out, None)

    def reduce(self):
        x, shape = self.source(4)
        axes = self.pick([2, 3], [1], [3], [1, 2])
        op = self.pick("ReduceMean", "ReduceSum", *([] if self.kind == "int16" else ["ReduceMax", "ReduceMin"]))
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
            self.add("Resize", [x, "", self.const(np.float32([1, 1, 2, 2]))], (n, c, 2 * h, 2 * w), mode="nearest" if self.kind == "int16" else self.pick("nearest", "linear"))

    def flat(self):
        x, shape = self.source(4)
        size = int(np.prod(shape))
        if size <= 1200:
            self.add("Flatten", [x], (1, size))

    def dense(self):
        x, (n, k) = self.source(2)
        out = self.pick(self.between(1, 130), 4 * self.between(1, 32), self.between(1, 16))
        self.add("Gemm", [x, self.weights(out, k), self.const(self.rng.standard_normal(out).astype(np.float32))], (n, out), transB=1)

    def matmul(self):
        x, (n, c, h, w) = self.source(4)
        names = [k for k, s in self.values.items() if len(s) == 4 and s[:2] == (n, c) and s[2] == w]
        if names and h * w * c <= 8000:
            y = names[self.between(0, len(names) - 1)]
            self.add("MatMul", [x, y], (n, c, h, self.values[y][3]))

    def build(self, size):
        low, high = (3, 12) if self.small else (12, 28)
        c, h, w = self.pick(1, 3, 4, 8), self.between(low, high), self.between(low, high)
        self.values["x"] = (1, c, h, w)
        steps = ([lambda: self.conv("conv")] * 8 + [lambda: self.conv("depthwise")] * 3 + [lambda: self.conv("depthwise3")] * 5 + [lambda: self.conv("point")] * 3 +
                 [self.dense] * 3 + [self.residual, self.residual, self.joined, self.unary, self.softmax, self.argmax, self.reduce, self.transpose, self.concat, self.slice,
                  self.pad, self.resize, self.flat, self.flat, self.global_pool] +
                 [lambda: self.pool("MaxPool"), lambda: self.pool("AveragePool")] * 2 +
                 [lambda op=op: self.binary(op) for op in ("Add", "Add", "Mul", "Min", "Max", "Sub")])
        if self.kind == "int8":
            steps += [self.conv_transpose, self.prelu, self.softmax, self.reduce, self.matmul, self.power, self.three,
                      lambda: self.binary("Div")]
        else:
            steps += [self.dense] * 2
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


def quantized(work, name, kind, seed, size):
    """The network's file, made if it is not there; None if the tool refuses it."""
    path, data, result = work / f"{name}.onnx", work / f"{name}.npy", work / f"{name}_quantized.onnx"
    if result.exists():
        return result
    model, shape = Net(seed, kind).build(size)
    onnx.save(model, path)
    np.save(data, np.random.default_rng(seed).standard_normal((SAMPLES, *shape)).astype(np.float32))
    # Every third network has some of its nodes in 16 bits, which takes conversions.
    mixed = ["--int16", "Conv_*", "--int16", "M*_?*"] if seed % 3 == 0 else ["--activations", "int16"]
    done = run(TOOL, "quantize", path, "--calib", data, *(mixed if kind == "int16" else []), "-o", result)
    if done.returncode:
        print(f"{name}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return result


def make(work, name, kind, seed, size, targets):
    """The folders of one network, one per target, and what `inspect` says of each; False if the tool refuses it."""
    model = quantized(work, name, kind, seed, size)
    if not model:
        return False
    for target in targets:
        folder, report = work / f"{name}_{target}", run(TOOL, "inspect", model, "--target", target, "--json", "-").stdout
        kernels = [layer["kernel"] for layer in json.loads(report)["device"]["layers"]]
        written = folder.parent / (folder.name + ".kernels")
        if not written.exists() or json.loads(written.read_text()) != kernels:  # new, or other kernels are chosen now
            emitted = run(TOOL, "emit", model, "-o", folder, "--name", name, "--target", target, "--golden", "1", "--data",
                          work / f"{name}.npy", "--trace")
            if emitted.returncode:
                print(f"{name}: {emitted.stderr.strip()[-300:]}", file=sys.stderr)
                return False
            written.write_text(json.dumps(kernels))
            for old in work.glob(f"laps_*/{folder.name}.laps"):
                old.unlink()
        (work / (folder.name + ".json")).write_text(report)
    return True


def measure(work, names, runs):
    """(kernel, core) -> rows of terms, counts by class, names, predictions; kernel -> counts by class on Cortex-M4."""
    rows, classes = {}, {}
    for core, target, ending in runs:
        folders = [work / f"{name}_{target}" for name in names]
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
                if ending and not layer["kernel"].endswith(ending):
                    continue
                own = layer["instructions"] if target == core else None
                rows.setdefault((SHARED.get(layer["kernel"], layer["kernel"]), core), []).append(
                    (layer.get("terms", {}), counts, folder.name + " " + layer["name"], own))
    return rows, classes


def fit(rows, known):
    """Coefficients >= 0 that minimize the sum of relative errors: terms that come out negative leave."""
    names = sorted({n for terms, *_ in rows for n in terms if n not in known and any(t.get(n, 0) for t, *_ in rows)})
    counts = np.array([c["lap"] for _, c, *_ in rows], float)
    wanted = 1 - np.array([sum(value * t.get(n, 0) for n, value in known.items()) for t, *_ in rows]) / counts
    matrix = np.array([[t.get(n, 0) for n in names] for t, *_ in rows], float) / counts[:, None]
    active = list(range(len(names)))
    while active:
        part = matrix[:, active]
        scale = np.maximum(np.abs(part).max(axis=0), 1e-12)
        weights = np.ones(len(rows))
        for _ in range(20):  # towards least absolute errors: what depends on data must not bend the rest
            # A little damping settles terms that always go together.
            solution = np.linalg.lstsq(np.vstack([part / scale * weights[:, None], 1e-4 * np.eye(len(active))]),
                                       np.concatenate([weights * wanted, np.zeros(len(active))]), rcond=None)[0] / scale
            weights = 1 / np.sqrt(np.maximum(np.abs(part @ solution - wanted), 0.01))
        if (solution >= 0).all():
            break
        active.remove(active[int(np.argmin(solution * scale))])
    result = dict.fromkeys(names, 0.0) | known
    for i, value in zip(active, solution):
        result[names[i]] = float(value)
    return result


def table_now():
    """The table as it stands: kernel -> term -> one number per core; kernel -> its line of shares."""
    text = TABLE.read_text()
    table, cycles = {}, {}
    for kernel, term, numbers in re.findall(r'\{"(\w+)", "(\w+)", ([^}]*)\}', text):
        table.setdefault(kernel, {})[term] = dict(zip(CORES, map(float, numbers.split(","))))
    for kernel, numbers in re.findall(r'\{"(\w+)", (0\.[^}]*)\}', text):
        cycles[kernel] = numbers
    return table, cycles


def show(kernel, core, errors):
    """Prints the errors of one kernel and returns how many layers are off."""
    held = [e for e in errors if e[1] >= 1000]
    off = [e for e in held if abs(e[0]) > 0.05 and abs(e[0]) * e[1] > 160]
    worst, small = (max(part, key=lambda e: abs(e[0]), default=(0, 0, "-")) for part in (held, [e for e in errors if e[1] < 1000]))
    print(f"{kernel:34s} {core:6s} {len(errors):4d} layers, {len(off):3d} off, worst {100 * worst[0]:7.2f}% of {worst[1]} ({worst[2]}); "
          f"of the small {100 * small[0]:.1f}% of {small[1]}", file=sys.stderr)
    return len(off)


def check(rows, pattern):
    """The tool's predictions: its formula's, or its terms times the table."""
    table, off = table_now()[0], 0
    for (kernel, core), layers in sorted(rows.items()):
        if not re.search(pattern, kernel):
            continue
        errors, unknown = [], 0
        for terms, counts, name, own in layers:
            if own is None and (not terms or kernel not in table):
                unknown += 1
                continue
            value = own if own is not None else sum(table[kernel].get(t, {}).get(core, 0) * n for t, n in terms.items())
            errors.append((value / counts["lap"] - 1, counts["lap"], name))
        if unknown:
            print(f"{kernel:34s} {core:6s} {unknown:4d} layers without a prediction", file=sys.stderr)
        off += show(kernel, core, errors) if errors else 0
    return off


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--size", type=int, default=60)
    parser.add_argument("--kinds", default="int8,int16")
    parser.add_argument("--kernels", default="")
    parser.add_argument("--cores", default=",".join(CORES))
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    work = pathlib.Path(args.work or tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    runs = [r for r in RUNS if r[0] in args.cores.split(",") and (r[2] or not args.packed)]
    targets = sorted({target for _, target, _ in runs})
    names = [f"{kind}_{seed}" for kind in args.kinds.split(",") for seed in range(args.seed, args.seed + args.models)
             if make(work, f"{kind}_{seed}", kind, seed, args.size, targets)]
    rows, classes = measure(work, names, runs)
    if args.check:
        sys.exit(check(rows, args.kernels) > 0)
    table, cycles = table_now()
    for key, layers in sorted(rows.items()):
        kernel, core = key
        if not re.search(args.kernels, kernel) or not any(t for t, *_ in layers):
            continue
        fitted = fit(layers, KNOWN.get(kernel, {}))
        show(kernel, core, [(sum(fitted[n] * t.get(n, 0) for n in fitted) / c["lap"] - 1, c["lap"], name) for t, c, name, _ in layers])
        for term, value in fitted.items():
            table.setdefault(kernel, {}).setdefault(term, dict.fromkeys(CORES, 0.0))[core] = value
    cycles.update({k: ", ".join(f"{x:.4f}" for x in shares(c)) for k, c in classes.items() if re.search(args.kernels, k)})
    print(source(table, cycles))


def shares(counts):
    """Of all instructions of a kernel: loads that wait, further words, taken branches, divisions."""
    total = {k: sum(c[k] for c in counts) for k in counts[0]}
    return [x / total["lap"] for x in (total["load"] - total["chained"], total["more_words"], total["taken"], total["divide"])]


def source(table, cycles):
    lines = [f'    {{"{kernel}", "{term}", ' + ", ".join(f"{table[kernel][term][core]:.5g}" for core in CORES) + "},"
             for kernel in sorted(table) for term in sorted(table[kernel])]
    shares_of = [f'    {{"{kernel}", {numbers}}},' for kernel, numbers in sorted(cycles.items())]
    return TEMPLATE.replace("@LINES@", "\n".join(lines)).replace("@CYCLES@", "\n".join(shares_of)).rstrip()


TEMPLATE = """// Instructions per term of the kernels, per core: gcc 12.2 -O2, counted under QEMU. Written by
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

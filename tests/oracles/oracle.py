"""What the oracle checks share: running the tool, feeding ONNX Runtime the same data, comparing outputs.

ONNX Runtime is the independent judge; the tool is met only through its command line. A check prints what it measured,
one line per fact, and exits 0 (agreed), 1 (a mismatch, said in one line) or 2 (wrong usage). The benchmarks use the
data and session helpers too.
"""
import argparse
import json
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort

TIMEOUT_SECONDS = 600
TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8, "tensor(double)": np.float64}


class Mismatch(Exception):
    """The tool and the oracle disagree, or the tool failed."""


def require(condition, message):
    if not condition:
        raise Mismatch(message)


def main(check, *positional):
    """Runs check(args, folder for temporary files) and turns a Mismatch into exit 1."""
    parser = argparse.ArgumentParser(description=sys.modules[check.__module__].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in positional:
        parser.add_argument(name)
    parser.add_argument("--scale", type=float, default=1.0, help="data are multiplied by this (as the tool's --scale)")
    parser.add_argument("--samples", type=int, help="use the first N samples only")
    parser.add_argument("--regression", action="store_true", help="judge by signal-to-noise ratio, not by top-1")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            check(args, folder)
    except Mismatch as error:
        print(f"MISMATCH: {error}", file=sys.stderr)
        sys.exit(1)


def run_tool(binary, *arguments):
    """The tool's stdout; a non-zero exit, silence on a failure or a hang is a Mismatch."""
    command = [binary, *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Mismatch(f"'{' '.join(command)}' still runs after {TIMEOUT_SECONDS} s") from None
    except OSError as error:
        raise Mismatch(f"cannot run '{binary}': {error.strerror}") from None
    require(done.returncode == 0, f"'{' '.join(command)}' exits {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def tool_json(binary, *arguments):
    text = run_tool(binary, *arguments, "--json", "-")
    try:
        return json.loads(text)
    except ValueError:
        raise Mismatch(f"'{arguments[0]} --json -' prints no JSON object: {text[:200]!r}") from None


def tool_output(args, model, data, engine, folder, *options):
    """The (dequantized) output of `run` as an array."""
    path = f"{folder}/{engine}.npy"
    scale = () if args.scale == 1.0 else ("--scale", args.scale)
    run_tool(args.binary, "run", model, "--data", data, "--output", path, "--engine", engine, *scale, *options)
    return np.load(path)


def load_samples(args, path, folder):
    """The array and the file to hand to the tool: the same one, or a shortened copy."""
    x = np.load(path)
    if args.samples is None or args.samples >= len(x):
        return x, path
    short = f"{folder}/samples.npy"
    np.save(short, x[:args.samples])
    return x[:args.samples], short


def arrange(x, shape):
    """Brings samples into the model's layout: as they are, NHWC to NCHW or back, or with unit dimensions adapted."""
    def fits(array):
        return array.ndim == len(shape) and all(not isinstance(m, int) or m == d
                                                for d, m in zip(array.shape[1:], shape[1:]))
    candidates = [x]
    if x.ndim == 4:
        candidates += [x.transpose(0, 3, 1, 2), x.transpose(0, 2, 3, 1)]
    if all(isinstance(d, int) for d in shape[1:]) and np.prod(shape[1:]) == np.prod(x.shape[1:]):
        if [d for d in x.shape[1:] if d != 1] == [d for d in shape[1:] if d != 1]:
            candidates.append(x.reshape(-1, *shape[1:]))
    for candidate in candidates:
        if fits(candidate):
            return np.ascontiguousarray(candidate)
    raise Mismatch(f"data of shape {list(x.shape)} do not fit the model's input {list(shape)}")


class OrtModel:
    """A one-input model in ONNX Runtime (CPU). optimize=False executes the graph as it is written."""

    def __init__(self, path, optimize=True, threads=0):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        if not optimize:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own exception types are not public
            raise Mismatch(f"ONNX Runtime refuses {path}: {str(error)[:300]}") from None
        self.input = self.session.get_inputs()[0]
        self.output = self.session.get_outputs()[0].name

    def prepare(self, x, scale=1.0):
        """Samples in the model's layout and type."""
        values = x.astype(np.float32) * np.float32(scale) if scale != 1.0 else x
        return arrange(values, self.input.shape).astype(TYPES[self.input.type])

    def run(self, x, scale=1.0, batch=32):
        fixed = self.input.shape[0]
        step = fixed if isinstance(fixed, int) else batch
        x = self.prepare(x, scale)
        outputs = [self.session.run([self.output], {self.input.name: x[i:i + step]})[0] for i in range(0, len(x), step)]
        return np.concatenate(outputs)


def same_shape(ours, theirs):
    require(ours.shape == theirs.shape, f"output shape {list(ours.shape)}, ONNX Runtime's is {list(theirs.shape)}")
    require(np.isfinite(ours).all(), "the output holds NaN or infinity")
    return ours.reshape(len(ours), -1).astype(np.float64), theirs.reshape(len(theirs), -1).astype(np.float64)


def top1_agreement(ours, theirs):
    """Fraction of samples whose first largest output is the same. Strict: a tie that falls differently counts against."""
    return float((ours.argmax(1) == theirs.argmax(1)).mean())


def sqnr_db(reference, other):
    noise = float(((reference - other) ** 2).sum())
    return float("inf") if noise == 0 else 10 * np.log10(float((reference ** 2).sum()) / noise)


def output_lsb(model_path):
    """Scale of the DequantizeLinear (or QuantizeLinear) that makes the graph's first output; None if it is float."""
    model = onnx.load(str(model_path))
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    constants.update({n.output[0]: onnx.numpy_helper.to_array(n.attribute[0].t)
                      for n in model.graph.node if n.op_type == "Constant" and n.attribute[0].name == "value"})
    for node in model.graph.node:
        if model.graph.output[0].name in node.output and node.op_type in ("DequantizeLinear", "QuantizeLinear"):
            scale = constants.get(node.input[1])
            return None if scale is None else float(np.ravel(scale)[0])
    return None


def histogram(ours, theirs, lsb):
    """Counts of the difference in output LSB, as text; beyond 4 LSB the rest is lumped together."""
    steps = np.rint((ours - theirs) / lsb).astype(np.int64)
    shown = [f"{d:+d}: {int((steps == d).sum())}" for d in range(-4, 5) if (steps == d).any()]
    beyond = int((np.abs(steps) > 4).sum())
    return ", ".join(shown) + (f", beyond: {beyond} (largest {int(np.abs(steps).max())})" if beyond else "")

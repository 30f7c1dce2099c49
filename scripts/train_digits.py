#!/usr/bin/env python3
"""Trains the embedded example: a small CNN for the UCI handwritten digits (8x8 grey, 0..16).

Writes the ONNX model as a PyTorch user would export it (BatchNormalization kept, symbolic axis
`batch`), calibration and test arrays, labels and a README into tests/data/digits. Those files are
committed; this script is how to make them again. One thread and fixed seeds: the same package
versions on the same kind of CPU give the same bytes.

Example: $(scripts/setup_oracles.sh --with-torch) scripts/train_digits.py
"""
import argparse
import hashlib
import pathlib
import platform
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import sklearn
import torch
from sklearn.datasets import load_digits
from torch import nn

OPSET = 17  # the newest that onnx 1.12 (Debian 12) knows
SEED = 7


def conv_bn(inputs, outputs, kernel, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Separable(nn.Module):
    """Depthwise 3x3 and pointwise 1x1; with equal widths the input is added before the last ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = conv_bn(inputs, inputs, 3, groups=inputs)
        self.pointwise = conv_bn(inputs, outputs, 1)
        self.relu = nn.ReLU()
        self.residual = inputs == outputs

    def forward(self, x):
        y = self.pointwise(self.relu(self.depthwise(x)))
        return self.relu(x + y if self.residual else y)


class DigitsNet(nn.Module):
    """Logits in training, probabilities in eval mode. The 2x2 map makes the order of flattening matter."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(1, 16, 3), nn.ReLU())
        self.block1 = Separable(16, 32)
        self.pool = nn.MaxPool2d(2)
        self.block2 = Separable(32, 32)
        self.average = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.classify = nn.Linear(32 * 2 * 2, 10)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        x = self.pool(self.block1(self.stem(x)))
        logits = self.classify(self.flatten(self.average(self.block2(x))))
        return logits if self.training else self.softmax(logits)


def split(images, labels):
    """Fixed rule: every fourth sample (index 3, 7, 11, ...) is for testing, the rest for training."""
    test = np.arange(len(labels)) % 4 == 3
    return images[~test], labels[~test], images[test], labels[test]


def shift(batch, rng):
    """Moves each picture by -1, 0 or 1 pixel in both directions; zeros come in at the edge."""
    padded = np.pad(batch, ((0, 0), (0, 0), (1, 1), (1, 1)))
    offsets = rng.integers(0, 3, size=(len(batch), 2))
    return np.stack([p[:, r:r + 8, c:c + 8] for p, (r, c) in zip(padded, offsets)])


def train(x, y, epochs, batch_size):
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    net = DigitsNet()
    steps = epochs * (len(y) // batch_size)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
    for _ in range(epochs):
        order = rng.permutation(len(y))
        for start in range(0, len(y) - batch_size + 1, batch_size):
            picked = order[start:start + batch_size]
            inputs = torch.from_numpy(shift(x[picked], rng).astype(np.float32))
            loss = nn.functional.cross_entropy(net(inputs), torch.from_numpy(y[picked]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def export(net, path):
    """training=PRESERVE keeps BatchNormalization; the net is in eval mode, so the nodes are inference ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(net, (torch.zeros(1, 1, 8, 8),), str(path), dynamo=False, opset_version=OPSET,
                          training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                          input_names=["input"], output_names=["output"],
                          dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
    onnx.checker.check_model(str(path), full_check=True)


def accuracy(path, x, y):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return float((session.run(None, {"input": x.astype(np.float32)})[0].argmax(1) == y).mean())


README = """# tests/data/digits

The embedded example: a small CNN that reads handwritten digits, and the data to calibrate and judge it.
Made by `scripts/train_digits.py` ({versions}).

Data: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning Repository (1998),
https://doi.org/10.24432/C50P49, licence CC BY 4.0; the 1,797 samples that scikit-learn ships (`load_digits`, the test part of
the UCI set: 13 writers). Changes: split as below and stored as uint8 [N,1,8,8], values 0..16 as in the source. The model is
a work of this project under the project's licence.

Split: index modulo 4 = 3 is the test set (449), the rest the training set (1,348). Each writer is in both. Calibration:
200 of the training samples, every sixth. Labels are the digits 0 to 9.

Model: opset {opset}, float32, input `input` [batch,1,8,8] = raw pixel values 0..16 (no scaling), output `output` [batch,10] = softmax.
{ops}. {parameters:,} parameters in the training form.
BatchNormalization nodes are kept, and a 2x2 map is flattened, so folding and the order of flattening are both exercised.

Measured with onnxruntime {ort}, CPU, float: {correct} of {total} test samples = {test:.2%}; calibration samples {calib:.2%}.

| file | bytes | sha256 |
| --- | ---: | --- |
{files}
"""


def describe(path):
    counts = {}
    for node in onnx.load(str(path)).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def write_readme(out, net, test_accuracy, calib_accuracy, total):
    rows = [f"| {f.name} | {f.stat().st_size} | `{hashlib.sha256(f.read_bytes()).hexdigest()}` |"
            for f in sorted(out.iterdir()) if f.suffix in (".onnx", ".npy", ".txt")]
    versions = (f"Python {platform.python_version()}, torch {torch.__version__}, onnx {onnx.__version__}, "
                f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    (out / "README.md").write_text(README.format(
        versions=versions, opset=OPSET, ops=describe(out / "digits.onnx"), ort=ort.__version__,
        parameters=sum(p.numel() for p in net.parameters()), correct=round(test_accuracy * total), total=total,
        test=test_accuracy, calib=calib_accuracy, files="\n".join(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default_out = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "digits"
    parser.add_argument("--out", type=pathlib.Path, default=default_out)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--min-accuracy", type=float, default=0.975, help="fail below this test accuracy")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    digits = load_digits()
    images = digits.images.astype(np.uint8).reshape(-1, 1, 8, 8)
    train_x, train_y, test_x, test_y = split(images, digits.target.astype(np.int64))
    calib = np.arange(200) * 6
    args.out.mkdir(parents=True, exist_ok=True)
    arrays = {"calib_x": train_x[calib], "calib_y": train_y[calib], "test_x": test_x, "test_y": test_y}
    for name, array in arrays.items():
        np.save(args.out / f"{name}.npy", array)
    (args.out / "labels.txt").write_text("\n".join("0123456789") + "\n")

    net = train(train_x, train_y, args.epochs, args.batch)
    path = args.out / "digits.onnx"
    export(net, path)
    test_accuracy = accuracy(path, test_x, test_y)
    write_readme(args.out, net, test_accuracy, accuracy(path, train_x[calib], train_y[calib]), len(test_y))
    print(f"{path}: test top-1 {test_accuracy:.4f}")
    if test_accuracy < args.min_accuracy:
        raise SystemExit(f"test accuracy {test_accuracy:.4f} is under {args.min_accuracy}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Small networks of random weights that join, split and pad channels, and calibration data for them: a SqueezeNet-like
(fire modules), a DenseNet-like, a U-Net-like, a ShuffleNet-like and one whose shortcuts pad channels. Used by
scripts/view_models.sh, which measures what views of channels save. Usage: make_view_models.py DIRECTORY"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper


class Net:
    def __init__(self, name, channels, side):
        self.name, self.random = name, np.random.default_rng(7)
        self.nodes, self.constants, self.count = [], [], 0
        self.channels = {"x": channels}
        self.input = [1, channels, side, side]

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def node(self, op, inputs, channels, **attributes):
        self.count += 1
        out = f"{op}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        self.channels[out] = channels
        return out

    def reals(self, *dims, scale=1.0):
        return self.constant((self.random.standard_normal(dims) * scale).astype(np.float32))

    def conv(self, x, channels, kernel=1, stride=1, relu=True):
        fan_in = self.channels[x] * kernel * kernel
        weights = self.reals(channels, self.channels[x], kernel, kernel, scale=(2 / fan_in) ** 0.5)
        y = self.node("Conv", [x, weights, self.reals(channels, scale=0.1)], channels, kernel_shape=[kernel] * 2,
                      strides=[stride] * 2, pads=[kernel // 2] * 4)
        return self.node("Relu", [y], channels) if relu else y

    def depthwise(self, x, stride=1):
        channels = self.channels[x]
        weights = self.reals(channels, 1, 3, 3, scale=0.3)
        return self.node("Conv", [x, weights, self.reals(channels, scale=0.1)], channels, kernel_shape=[3, 3],
                         strides=[stride] * 2, pads=[1] * 4, group=channels)

    def pool(self, x, kernel=2, stride=2, op="MaxPool"):
        return self.node(op, [x], self.channels[x], kernel_shape=[kernel] * 2, strides=[stride] * 2)

    def concat(self, *parts):
        return self.node("Concat", list(parts), sum(self.channels[p] for p in parts), axis=1)

    def head(self, x, classes=10):
        x = self.node("GlobalAveragePool", [x], self.channels[x])
        x = self.node("Flatten", [x], self.channels[x])
        return self.node("Gemm", [x, self.reals(self.channels[x], classes, scale=0.2), self.reals(classes)], classes)

    def save(self, directory, output, shape):
        graph = helper.make_graph(
            self.nodes, self.name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.input)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, directory / f"{self.name}.onnx")
        samples = self.random.standard_normal([20] + self.input[1:]).astype(np.float32)
        np.save(directory / f"{self.name}_x.npy", samples)


def fire(directory):
    net = Net("fire", 3, 48)
    x = net.pool(net.conv("x", 16, 3, 2))
    for squeeze, expand, pools in ((8, 32, False), (8, 32, True), (16, 64, False), (16, 64, True)):
        s = net.conv(x, squeeze)
        x = net.concat(net.conv(s, expand), net.conv(s, expand, 3))
        x = net.pool(x) if pools else x
    net.save(directory, net.head(x), [1, 10])


def dense(directory):
    net = Net("dense", 3, 32)
    x = net.conv("x", 16, 3, 2)
    for _ in range(2):
        for _ in range(4):
            x = net.concat(x, net.conv(net.conv(x, 32), 8, 3))
        x = net.pool(net.conv(x, net.channels[x] // 2), op="AveragePool")
    net.save(directory, net.head(x), [1, 10])


def unet(directory):
    net = Net("unet", 1, 48)
    skips, x = [], "x"
    for channels in (8, 16, 32):
        x = net.conv(net.conv(x, channels, 3), channels, 3)
        skips.append(x)
        x = net.pool(x)
    x = net.conv(x, 64, 3)
    for skip in reversed(skips):
        channels = net.channels[skip]
        weights = net.reals(net.channels[x], channels, 2, 2, scale=(1 / net.channels[x]) ** 0.5)
        x = net.node("ConvTranspose", [x, weights, net.reals(channels, scale=0.1)], channels, kernel_shape=[2, 2],
                     strides=[2, 2])
        x = net.conv(net.concat(skip, x), channels, 3)
    net.save(directory, net.conv(x, 2, relu=False), [1, 2, 48, 48])


def shuffle(directory):
    net = Net("shuffle", 3, 32)
    x = net.conv("x", 48, 3, 2)
    for _ in range(3):
        net.count += 1
        left, right = f"left_{net.count}", f"right_{net.count}"
        net.nodes.append(helper.make_node("Split", [x], [left, right], name=f"Split_{net.count}", axis=1))
        net.channels[left] = net.channels[right] = 24
        y = net.conv(net.depthwise(net.conv(right, 24)), 24)
        x = net.concat(left, y)
        for shape, perm in (([1, 2, 24, 16, 16], [0, 2, 1, 3, 4]), ([1, 48, 16, 16], None)):
            x = net.node("Reshape", [x, net.constant(np.array(shape, np.int64))], 48)
            x = net.node("Transpose", [x], 48, perm=perm) if perm else x
    net.save(directory, net.head(net.conv(x, 64)), [1, 10])


def widening(directory):
    net = Net("widening", 3, 32)
    x = net.conv("x", 16, 3)
    for channels in (32, 64):
        y = net.conv(net.conv(x, channels, 3, 2), channels, 3, relu=False)
        more = channels - net.channels[x]
        ends = [net.constant(np.array(list, np.int64)) for list in ([0, 0], [1 << 30] * 2, [2, 3], [2, 2])]
        half = net.node("Slice", [x] + ends, net.channels[x])
        pads = net.constant(np.array([0, more // 2, 0, 0, 0, more - more // 2, 0, 0], np.int64))
        x = net.node("Relu", [net.node("Add", [net.node("Pad", [half, pads], channels), y], channels)], channels)
    net.save(directory, net.head(x), [1, 10])


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (fire, dense, unet, shuffle, widening):
        make(folder)

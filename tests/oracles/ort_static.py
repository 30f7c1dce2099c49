"""ONNX Runtime's own static quantization as a function: the peer of `tinyml-opt quantize`, and a maker of QDQ models of
foreign origin. Used by check_quantize_static.py, make_fixtures.py and benchmarks/peers/ort_quantize.py."""
import logging
import pathlib

from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy,
           "percentile": CalibrationMethod.Percentile}
WEIGHTS = {"int8": QuantType.QInt8, "int4": QuantType.QInt4}
ACTIVATIONS = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}


class Batches(CalibrationDataReader):
    """One sample at a time, as ONNX Runtime's examples do."""

    def __init__(self, name, x):
        self.name, self.rows = name, iter(x[i:i + 1] for i in range(len(x)))

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {self.name: row}


def prepare(model, output):
    """The documented first step: shape inference and graph optimization."""
    logging.getLogger().setLevel(logging.ERROR)
    quant_pre_process(str(model), str(output))


def quantize_prepared(prepared, output, input_name, x, per_channel=True, activations="int8", method="minmax",
                      weights="int8"):
    """Calibrates on x and writes a QDQ model."""
    quantize_static(str(prepared), str(output), Batches(input_name, x), quant_format=QuantFormat.QDQ,
                    per_channel=per_channel, activation_type=ACTIVATIONS[activations], weight_type=WEIGHTS[weights],
                    calibrate_method=METHODS[method])


def quantize(model, output, *arguments):
    """Both steps; arguments as of quantize_prepared."""
    prepared = pathlib.Path(output).with_suffix(".prepared.onnx")
    prepare(model, prepared)
    quantize_prepared(prepared, output, *arguments)
    prepared.unlink()

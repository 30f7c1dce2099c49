#!/usr/bin/env python3
"""Makes tests/fixtures/ort: models and outputs of foreign origin that unit tests read without Python.

From tests/data/digits: the four QDQ forms that ONNX Runtime's quantize_static writes (per channel or per tensor weights,
uint8 or int8 activations), the outputs of each executed as written, and the float model's outputs, all on test_x.npy.
Example: $(scripts/setup_oracles.sh) tests/oracles/make_fixtures.py
"""
import pathlib

import numpy as np
import onnx
import onnxruntime

import oracle
import ort_static

TESTS = pathlib.Path(__file__).resolve().parent.parent
README = """# tests/fixtures/ort

Golden data of foreign origin, made by `tests/oracles/make_fixtures.py` with onnxruntime {ort} and onnx {onnx} from
`tests/data/digits`; licence and origin as there. Outputs are float32 [{count},10] (softmax) for `tests/data/digits/test_x.npy`.

- `digits_float_out.npy`: `tests/data/digits/digits.onnx`, float.
- `digits_<activations>_<weights>.onnx`: the same model through `quant_pre_process` and `quantize_static` (QDQ, minmax, calibrated on
  calib_x.npy): activations uint8 or int8, int8 weights per channel or per tensor.
- `digits_<activations>_<weights>_out.npy`: its output in ONNX Runtime without graph optimizations, which is the QDQ graph as written.

| model | test top-1 |
| --- | ---: |
{rows}
"""


def main():
    data, out = TESTS / "data" / "digits", TESTS / "fixtures" / "ort"
    out.mkdir(parents=True, exist_ok=True)
    calib, x, y = (np.load(data / f"{name}.npy") for name in ("calib_x", "test_x", "test_y"))
    source = oracle.OrtModel(data / "digits.onnx", threads=1)
    outputs = {"digits_float": source.run(x)}
    for per_channel in (True, False):
        for activations in ("uint8", "int8"):
            name = f"digits_{activations}_{'channel' if per_channel else 'tensor'}"
            path = out / f"{name}.onnx"
            ort_static.quantize(data / "digits.onnx", path, source.input.name, source.prepare(calib), per_channel,
                                activations)
            outputs[name] = oracle.OrtModel(path, optimize=False, threads=1).run(x)
    for name, output in outputs.items():
        np.save(out / f"{name}_out.npy", output)
    rows = "\n".join(f"| {name} | {(output.argmax(1) == y).mean():.2%} |" for name, output in outputs.items())
    (out / "README.md").write_text(README.format(ort=onnxruntime.__version__, onnx=onnx.__version__, count=len(x),
                                                 rows=rows))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Prepares the benchmark cases: cases.py SHARED OUT writes arrays and OUT/cases.json, from the models and data in SHARED.

Rules: kws01 and kws01b are calibrated on every tenth of their 1,000 samples and judged on all, and (_900) on the others; ic01 and ic01_large on
lossless_calib and lossless_test. vww01 has no labelled data here: CIFAR-10 pictures enlarged three times to 96x96, and
top-1 means "the same class as float". ad01: the synthetic golden inputs, even rows calibrate, odd rows judge by SQNR.
"""
import argparse
import json
import pathlib

import numpy as np


def enlarge(images):
    return images.repeat(3, axis=1).repeat(3, axis=2)


def arrays(shared):
    """Per data set: calibration samples, test samples, labels (None: compare with the float model), input scale."""
    data, golden = shared / "data", shared / "models" / "mlperf_tiny" / "golden"
    kws = np.load(data / "kws01" / "x.npy")
    cifar_calib, cifar_test = (np.load(data / "cifar10" / f"lossless_{part}_x.npy") for part in ("calib", "test"))
    machine = np.load(golden / "ad01_x.npy")
    words, others = np.load(data / "kws01" / "y.npy"), np.arange(len(kws)) % 10 != 0
    return {"kws": (kws[::10], kws, words, 1.0),
            "kws_900": (kws[::10], kws[others], words[others], 1.0),
            "ic": (cifar_calib, cifar_test, np.load(data / "cifar10" / "lossless_test_y.npy"), 1.0),
            "vww": (enlarge(cifar_calib[::5]), enlarge(cifar_test[:200]), None, 1 / 255),
            "ad": (machine[::2], machine[1::2], None, 1.0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sets = arrays(args.shared)
    for name, (calib, test, labels, _) in sets.items():
        np.save(args.out / f"{name}_calib.npy", calib)
        np.save(args.out / f"{name}_test.npy", test)
        if labels is not None:
            np.save(args.out / f"{name}_labels.npy", labels)
    cases = []
    for model, key in (("kws01b", "kws"), ("kws01b", "kws_900"), ("kws01", "kws"), ("kws01", "kws_900"), ("ic01", "ic"),
                       ("ic01_large", "ic"), ("vww01", "vww"), ("ad01", "ad")):
        labels = sets[key][2]
        cases.append({"name": model + ("_900" if key == "kws_900" else ""),
                      "model": str(args.shared / "models" / "mlperf_tiny" / f"{model}_nchw.onnx"),
                      "calib": str(args.out / f"{key}_calib.npy"),
                      "test": str(args.out / f"{key}_test.npy"),
                      "labels": None if labels is None else str(args.out / f"{key}_labels.npy"),
                      "scale": sets[key][3], "metric": "sqnr_db" if key == "ad" else "top1"})
    (args.out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()

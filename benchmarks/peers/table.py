#!/usr/bin/env python3
"""Prints the JSON reports of ort_quantize.py or ort_float.py as one Markdown table: table.py quantize|float FILE...

Ratios are ours divided by theirs; the column heads say which way is good. A dash: our binary was not measured.
"""
import json
import sys


def number(value, pattern):
    return "–" if value is None else format(value, pattern)


def ratio(ours, theirs):
    return None if ours is None or theirs is None else ours / theirs


def split(report, keys):
    """Pairs (theirs, ours) by the values of keys; ours may be {}."""
    groups = {}
    for entry in report["peers"]:
        slot = 1 if entry["peer"] == "tinyml-opt" else 0
        groups.setdefault(tuple(entry[k] for k in keys), [{}, {}])[slot] = entry
    return groups.items()


def quantize_rows(report):
    metric = report["metric"]
    show = ".2%" if metric == "top1" else ".1f"
    for (method,), (theirs, ours) in split(report, ["method"]):
        accuracy = [number(v, show) + (" dB" if metric == "sqnr_db" and v is not None else "")
                    for v in (theirs.get(metric), ours.get(metric), ours.get("in_ort", {}).get(metric))]
        base = number(theirs.get("top1_float"), ".2%") if metric == "top1" else "–"
        yield [report["name"], method, f"{theirs['seconds']:.2f}", f"{theirs['seconds_call']:.2f}",
               number(ours.get("seconds"), ".2f"), number(ratio(ours.get("seconds"), theirs["seconds"]), ".2f"),
               number(ratio(ours.get("seconds"), theirs["seconds_call"]), ".2f"),
               f"{theirs['peak_rss_kb'] / 1024:.0f}", number(ratio(ours.get("peak_rss_kb"), 1024), ".0f"),
               number(ratio(ours.get("peak_rss_kb"), theirs["peak_rss_kb"]), ".2f"), base, *accuracy]


def float_rows(report):
    for (batch,), (theirs, ours) in split(report, ["batch"]):
        mine = ours.get("samples_per_second")
        yield [report["name"], str(report["threads"]), str(batch), f"{theirs['samples_per_second']:.0f}", number(mine, ".0f"),
               number(ratio(mine, theirs["samples_per_second"]), ".2f")]


TABLES = {
    "quantize": (quantize_rows, ["model", "method", "ORT s (process)", "ORT s (calls)", "ours s (process)",
                                 "ours / ORT process (≤ 0.5)", "ours / ORT calls", "ORT peak MB", "ours peak MB",
                                 "ours / ORT (≤ 1)", "float", "ORT int8", "ours int8 (device)", "ours int8 (in ORT)"]),
    "float": (float_rows, ["model", "threads", "batch", "ORT samples/s", "ours samples/s", "ours / ORT (≥ 0.8)"]),
}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in TABLES:
        sys.exit(__doc__)
    rows, head = TABLES[sys.argv[1]]
    print("| " + " | ".join(head) + " |")
    print("| --- | " + " | ".join(["---:"] * (len(head) - 1)) + " |")
    for path in sys.argv[2:]:
        with open(path) as file:
            for row in rows(json.load(file)):
                print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()

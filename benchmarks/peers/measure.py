"""Runs a command and measures it from outside: wall seconds and peak resident memory of that one process.

Standard library only, on purpose: Linux counts the memory of the parent at the time of the fork into the child's peak, so
the measuring process must stay small (about 10 MB, the floor of every figure).
"""
import json
import os
import subprocess
import sys
import tempfile
import time


def run_measured(command, cpus=None):
    """(seconds, peak KiB, stdout); exits with the command's stderr if it fails. cpus: how many CPUs it may use."""
    available = sorted(os.sched_getaffinity(0))
    pin = None if cpus is None else lambda: os.sched_setaffinity(0, available[:cpus])
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], stdout=out, stderr=err, preexec_fn=pin)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} exits {child.returncode}: {err.read().strip()[-800:]}")
        return seconds, usage.ru_maxrss, out.read()


def run_json(command, cpus=None):
    """The same with stdout parsed as one JSON object."""
    seconds, peak, text = run_measured(command, cpus)
    try:
        return seconds, peak, json.loads(text)
    except ValueError:
        sys.exit(f"{' '.join(map(str, command))} prints no JSON object: {text[:200]!r}")


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

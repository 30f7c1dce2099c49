"""Makes the modules of tests/oracles importable from the benchmarks, which share its data layouts, its sessions and its
use of quantize_static. Import this first."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "oracles"))

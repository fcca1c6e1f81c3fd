"""The machine that a run was made on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "lossctl", "numpy", "pyarrow", "click", "rich", "isal",
    "pandas", "polars", "duckdb", "scikit-learn", "torch",
)  # fmt: skip


def describe() -> dict[str, Any]:
    """Cores, memory, processor, system, versions, and how fast memory is read.

    The load says whether others were at work: what is measured under them is not worth much.
    """
    return {
        "date": date.today().isoformat(),
        "load": round(os.getloadavg()[0], 1),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "processor": _processor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "bandwidth_gb_s": round(_bandwidth(), 1),
    }


def _processor() -> str:
    """As the kernel calls it."""
    file = Path("/proc/cpuinfo")
    for line in file.read_text("utf-8").split("\n") if file.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _bandwidth() -> float:
    """Measured by a process of its own, so that this one stays small."""
    script = str(Path(__file__).with_name("floor.py"))
    done = subprocess.run(
        [sys.executable, script, "--bandwidth"], stdout=subprocess.PIPE, check=True
    )
    return float(done.stdout)

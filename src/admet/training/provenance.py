"""What a run was made of: versions, hardware, the input's fingerprint, seconds of each phase."""

import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import admet
from admet.files import sha256_of

_LIBRARIES = ("chemprop", "lightning", "numpy", "pandas", "rdkit", "scikit-learn", "scipy", "torch")


class PhaseClock:
    """Measures the wall time of named phases, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time of the context to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)


def describe_run(data_path: Path, packages: Sequence[str] = ()) -> dict[str, Any]:
    """Lists versions, hardware, command line and the input's SHA-256.

    Args:
        data_path: The input.
        packages: Packages whose versions matter to this run, besides those of every run.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": {
            "admet": admet.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in dict.fromkeys((*_LIBRARIES, *packages))},
        },
        "hardware": {
            "machine": platform.machine(),
            "system": platform.system(),
            "processor": processor_name(),
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        "data": {"path": str(data_path), "sha256": sha256_of(data_path)},
    }


def peak_memory_mib() -> float | None:
    """Gives the largest resident size of this process so far, in MiB, where the system tells."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform != "darwin" else 1024**2), 1)


def processor_name() -> str:
    """Gives the model name of the CPU, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()

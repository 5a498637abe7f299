"""`admet make_demo_panel`: the simulated panel as a table."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import DemoCommand
from admet.files import check_replaces_nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(DemoCommand, _make, argv, "admet make_demo_panel")


def _make(command: DemoCommand) -> None:
    from admet.table_files import check_table, write_table

    check_table(command.output, "output")
    check_replaces_nothing({"output": [command.output]}, overwrite=command.overwrite)
    from admet.data.demo import make_demo_panel

    panel = make_demo_panel(command.n_molecules, command.missing, command.seed)
    write_table(command.output, panel)
    print(f"Simulated panel, {len(panel)} molecules: {command.output}")


if __name__ == "__main__":
    sys.exit(main())

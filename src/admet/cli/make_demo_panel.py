"""`admet make_demo_panel`: the simulated panel as a CSV file."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import DemoCommand
from admet.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(DemoCommand, _make, argv, "admet make_demo_panel")


def _make(command: DemoCommand) -> None:
    if command.output.exists() and not command.overwrite:
        raise ConfigError(
            f"`output` {str(command.output)!r} exists. Name another file, or add --overwrite."
        )
    from admet.data.demo import make_demo_panel

    panel = make_demo_panel(command.n_molecules, command.missing, command.seed)
    command.output.parent.mkdir(parents=True, exist_ok=True)
    panel.to_csv(command.output, index=False)
    print(f"Simulated panel, {len(panel)} molecules: {command.output}")


if __name__ == "__main__":
    sys.exit(main())

"""`admet make_demo_panel`: the simulated panel as a CSV file."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import DemoCommand
from admet.errors import ConfigError
from admet.files import atomic, check_output, check_replaces_nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(DemoCommand, _make, argv, "admet make_demo_panel")


def _make(command: DemoCommand) -> None:
    check_output(command.output, "output")
    check_replaces_nothing({"output": [command.output]})
    if command.output.exists() and not command.overwrite:
        raise ConfigError(
            f"`output` {str(command.output)!r} exists. Name another file, or add --overwrite."
        )
    from admet.data.demo import make_demo_panel

    panel = make_demo_panel(command.n_molecules, command.missing, command.seed)
    with atomic(command.output) as partial:
        panel.to_csv(partial, index=False)
    print(f"Simulated panel, {len(panel)} molecules: {command.output}")


if __name__ == "__main__":
    sys.exit(main())

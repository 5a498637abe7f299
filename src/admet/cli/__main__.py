"""`admet COMMAND …`: hands the words over to the command's own module."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "inspect": "show what a table holds, read as a training would read it",
    "train": "measure the affinity, group the tasks, train the network, test it",
    "study": "compare ways of training on folds, and give a verdict per endpoint",
    "compute_task_affinity": "measure the affinity and group the tasks, without training",
    "evaluate": "test a trained model on a labelled table",
    "compare_models": "compare models molecule by molecule with the first one",
    "predict": "predict every row of a table",
    "serve": "a page and a JSON interface for a trained model",
    "make_demo_panel": "write the simulated demo panel",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; dashes and underscores in its name are alike."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0].replace("-", "_") if words else "--help"
    if name in COMMANDS:
        return int(importlib.import_module(f"admet.cli.{name}").main(words[1:]))
    if name == "__version":
        from admet import __version__

        print(f"admet {__version__}")
        return 0
    listing = "\n".join(f"  {command:<24}{text}" for command, text in COMMANDS.items())
    usage = f"usage: admet COMMAND [OPTIONS]\n\n{listing}\n\nadmet COMMAND --help tells more."
    if name in {"--help", "_h", "__help", "help"}:
        print(usage)
        return 0
    from admet.errors import near_names

    print(f"error: unknown command {words[0]!r}. {near_names(name, COMMANDS)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

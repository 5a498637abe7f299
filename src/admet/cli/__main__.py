"""`admet COMMAND …`: hands the words over to the command's own module."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "inspect": "show what a table holds, read as a training would read it",
    "train": "measure the affinity, group the tasks, train the network, test it",
    "study": "compare ways of training on folds, and give a verdict per endpoint",
    "tune": "search for better settings of a training, out of fold",
    "compute_task_affinity": "measure the affinity and group the tasks, without training",
    "evaluate": "test a trained model on a labelled table",
    "compare_models": "compare models molecule by molecule with the first one",
    "predict": "predict every row of a table",
    "show": "show what a run directory or a study holds",
    "report": "show what a training or a study found as one page",
    "export": "write a trained model as checkpoints of Chemprop",
    "import_chemprop": "make a run directory of Chemprop's model files",
    "serve": "a page and a JSON interface for a trained model",
    "make_demo_panel": "write the simulated demo panel",
}

_MORE = "admet COMMAND --help tells more, --help-all all."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; dashes and underscores in its name are alike."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0].replace("-", "_") if words else "--help"
    if name in COMMANDS:
        return int(importlib.import_module(f"admet.cli.{name}").main(words[1:]))
    if name in {"__tyro_print_completion", "__tyro_write_completion"}:
        from admet.cli._completion import complete

        return complete(words, COMMANDS)
    if name == "__version":
        from admet import __version__

        print(f"admet {__version__}")
        return 0
    listing = "\n".join(f"  {command:<24}{text}" for command, text in COMMANDS.items())
    usage = f"usage: admet COMMAND [OPTIONS]\n\n{listing}\n\n{_MORE}"
    if name in {"--help", "_h", "__help", "help", "__help_all"}:
        print(usage)
        return 0
    from admet.errors import near_names

    print(f"error: unknown command {words[0]!r}. {near_names(name, COMMANDS)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

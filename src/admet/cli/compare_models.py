"""`admet compare_models`: paired differences from the first model."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import CompareCommand, LabelReading, warn_of_idle_keys
from admet.errors import ConfigError
from admet.files import check_replaces_nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(CompareCommand, _compare, argv, "admet compare_models")


def _compare(command: CompareCommand) -> None:
    from admet.table_files import check_table, write_table

    if bool(command.model_dirs) == bool(command.result_files):
        raise ConfigError(
            "Name either --model-dirs (with --test-data) or --result-files; got "
            f"{'both' if command.model_dirs else 'neither'}."
        )
    if command.model_dirs and command.test_data is None:
        raise ConfigError("--model-dirs needs --test-data: the labelled table to compare on.")
    n_models = len(command.model_dirs) + len(command.result_files)
    if n_models < 2:
        raise ConfigError(f"A comparison needs at least two models; got {n_models}. Name more.")
    if command.result_files and (command.test_data or command.split != "all"):
        raise ConfigError(
            "--test-data and --split go with --model-dirs; --result-files hold predictions "
            "already. Remove them, or evaluate with --split."
        )
    if command.output:
        check_table(command.output, "output")
        read = [command.test_data, *command.result_files]
        check_replaces_nothing({"output": [command.output]}, read)
    warn_of_idle_keys(command.idle_keys())
    from admet.cli._tables import print_comparison
    from admet.inference import compare_results, compare_runs
    from admet.model.chemprop.device import resolve_device

    if command.model_dirs and command.test_data is not None:
        comparison = compare_runs(
            command.model_dirs,
            command.test_data,
            smiles_column=command.smiles_column,
            split=command.split,
            n_bootstrap=command.n_bootstrap,
            seed=command.seed,
            device=resolve_device(command.device),
            batch_size=command.batch_size,
            reading=command.only(LabelReading),
        )
    else:
        comparison = compare_results(
            command.result_files, n_bootstrap=command.n_bootstrap, seed=command.seed
        )
    if command.output:
        write_table(command.output, comparison.frame)
    print_comparison(comparison)
    if command.output:
        print(f"All metrics: {command.output}")


if __name__ == "__main__":
    sys.exit(main())

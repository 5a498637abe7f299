"""`admet evaluate`: metrics of a trained model on a labelled table."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import EvaluateCommand, LabelReading, warn_of_idle_keys
from admet.files import check_replaces_nothing


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(EvaluateCommand, _evaluate, argv, "admet evaluate")


def _evaluate(command: EvaluateCommand) -> None:
    from admet.table_files import check_table, write_table

    if command.output:
        check_table(command.output, "output")
        check_replaces_nothing({"output": [command.output]}, [command.data_path])
    warn_of_idle_keys(command.idle_keys())
    from admet.cli._tables import print_metrics
    from admet.inference import evaluate_run
    from admet.model.chemprop.device import resolve_device
    from admet.run_directory import load_model, write_json

    device = resolve_device(command.device)
    model = load_model(command.model_dir, device, command.batch_size)
    evaluation = evaluate_run(
        command.model_dir,
        model,
        command.data_path,
        smiles_column=command.smiles_column,
        id_column=command.id_column,
        split=command.split,
        n_bootstrap=command.n_bootstrap,
        seed=command.seed,
        reading=command.only(LabelReading),
    )
    if command.output:
        if command.output.suffix.lower() == ".json":
            write_json(command.output, evaluation.to_json())
        else:
            write_table(command.output, evaluation.frame)
    title = f"{command.model_dir} on {command.data_path} ({command.split})"
    print_metrics(evaluation.scores, title)
    if command.output:
        print(f"Result: {command.output}")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env bash
# Trains with several numbers of groups, tests each model, and compares them with the first.
# Reads data/admet_train.csv and data/admet_test.csv.
# Usage: scripts/find_optimal_groups.sh [epochs] [number of groups …]   (30 epochs; 2 3 4 5)
#
# The comparison chooses on the table it is given: choose on validation data, and keep another table
# for the final test.
set -euo pipefail
[ $# -ge 1 ] || set -- 30 2 3 4 5
[ $# -ge 2 ] || set -- "$1" 2 3 4 5
epochs=$1
shift

for n_groups in "$@"; do
  echo "Training with $n_groups groups..."
  python -m admet.cli.train \
    --config configs/chemprop_task_affinity.yaml \
    --data-path data/admet_train.csv \
    --task-affinity.n-groups "$n_groups" \
    --training.epochs "$epochs" \
    --save-dir "models/group_search/n${n_groups}" \
    --seed 42

  echo "Evaluating model with $n_groups groups..."
  python -m admet.cli.evaluate \
    --model-dir "models/group_search/n${n_groups}" \
    --data-path data/admet_test.csv \
    --output "results/eval_n${n_groups}.json"
done

python -m admet.cli.compare_models \
  --result-files results/eval_n*.json \
  --output results/group_comparison.csv

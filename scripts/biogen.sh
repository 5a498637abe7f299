#!/usr/bin/env bash
# The Biogen ADME panel in three arms on one scaffold split: single-task, multi-task, task-affinity;
# then evaluate, predict, and the paired comparison on the test side.
# Usage: scripts/biogen.sh path/to/biogen_adme_3521.csv [output folder] [seed]
set -euo pipefail
data=${1:?name the CSV file of the panel}
out=${2:-results/biogen}
seed=${3:-42}
config=$(dirname "$0")/../configs/biogen_adme.yaml
admet=("${PYTHON:-python}" -m admet.cli)
mkdir -p "$out"

common=(--config "$config" --data-path "$data" --seed "$seed" --data.split-seed 42 --task-affinity.seed "$seed")
"${admet[@]}" train "${common[@]}" --task-affinity.enabled true --save-dir "$out/task_affinity"
"${admet[@]}" train "${common[@]}" --save-dir "$out/multi_task"
"${admet[@]}" train "${common[@]}" --model.groups single_task --save-dir "$out/single_task"
"${admet[@]}" evaluate --model-dir "$out/task_affinity" --data-path "$data" --split test --output "$out/eval_task_affinity.json"
"${admet[@]}" predict --model-dir "$out/task_affinity" --data-path "$data" --output "$out/predictions.csv"
"${admet[@]}" compare_models --model-dirs "$out/single_task" "$out/multi_task" "$out/task_affinity" --test-data "$data" --split test --output "$out/comparison.csv"

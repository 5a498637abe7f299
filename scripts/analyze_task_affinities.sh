#!/usr/bin/env bash
# Measures the affinity of several datasets: data/NAME.csv → results/NAME_affinity.{npz,csv,png}.
# Usage: scripts/analyze_task_affinities.sh [NAME …]
set -euo pipefail
[ $# -ge 1 ] || set -- "admet_small" "admet_large" "admet_diverse"

for dataset in "$@"; do
  echo "Analyzing dataset: $dataset"
  python -m admet.cli.compute_task_affinity \
    --data-path "data/${dataset}.csv" \
    --smiles-column SMILES \
    --target-columns LogD KSOL PAMPA hERG CLint \
    --affinity-epochs 2 \
    --affinity-batch-size 64 \
    --save-path "results/${dataset}_affinity.npz" \
    --plot-heatmap "results/${dataset}_affinity.png"
  echo "Results saved to results/${dataset}_affinity.*"
  echo "---"
done

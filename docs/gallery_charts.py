"""What `make_gallery.py` draws itself: charts of stored numbers, a terminal, a notebook."""

import base64
import csv
import html
import json
import re
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import nbformat
from matplotlib.figure import Figure
from nbclient import NotebookClient

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8c8c8c"
CELLS = (5, 6, 7, 16)
"""Of the notebook: an affinity, its picture, groups, a verdict."""


def charts(root: Path, run: Path) -> dict[str, Figure]:
    """Draws speed, sameness, recipe and losses."""
    results = root / "benchmarks" / "results"
    return {
        "speed.png": speed(results),
        "sameness.png": sameness(root / "faults" / "results" / "sameness.json"),
        "recipe.png": recipe(results / "recipe.md"),
        "losses.png": losses(run / "history.csv"),
    }


def rows(text: str) -> list[list[str]]:
    """Gives the cells of the tables of a Markdown text, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set(row[0]) <= set("-: ")]


def speed(results: Path) -> Figure:
    """Draws molecules a second, beside Chemprop's modules."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.6), constrained_layout=True)
    for axis, name in zip(axes, ("training_step.md", "prediction.md"), strict=True):
        table = rows((results / name).read_text(encoding="utf-8"))
        names = [row[0].replace(", start-up included", "") for row in table[1:]]
        rates = [float(row[1]) for row in table[1:]]
        colours = [GREY if "chemprop" in name else BLUE for name in names]
        axis.barh(names, rates, color=colours)
        for place, rate in enumerate(rates):
            axis.text(rate, place, f" {rate:,.0f}", va="center", fontsize=8)
        axis.invert_yaxis()
        axis.set_xlim(0, max(rates) * 1.25)
        axis.set_xlabel("molecules a second", fontsize=8)
        axis.set_title(table[0][0].split(",")[0], fontsize=9)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def sameness(path: Path) -> Figure:
    """Draws how much each variant moves a prediction."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    found = stored["largest_difference_of_a_test_prediction_in_standard_deviations"]
    figure, axis = plt.subplots(figsize=(7.5, 2.6), constrained_layout=True)
    least = 1e-8  # where 0 is drawn
    for place, value in enumerate(found.values()):
        axis.plot(max(value, least), place, "o", color=ORANGE if value > 0.01 else BLUE)
        said = f"{value:.2g}" if value else "0"
        axis.text(max(value, least) * 1.7, place, said, va="center", fontsize=8)
    axis.set_yticks(range(len(found)), list(found), fontsize=8)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(least / 2, 10)
    axis.set_xlabel(
        "largest difference of a prediction, in standard deviations (0 stands at the left)",
        fontsize=8,
    )
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def recipe(path: Path) -> Figure:
    """Draws what each change of a multi-task network was worth."""
    text = path.read_text(encoding="utf-8").partition("**multi_task**")[2]
    table = rows(re.split(r"\n\*\*\w", text)[0])
    panels, changes = table[0][1:], table[2:]
    figure, axis = plt.subplots(figsize=(8, 0.27 * len(changes) + 1), constrained_layout=True)
    marks = zip(panels, (BLUE, ORANGE, "#009e73"), "osD", strict=True)
    for column, (panel, colour, mark) in enumerate(marks):
        points = [
            (float(row[column + 1].split()[0].replace("−", "-")), place)
            for place, row in enumerate(changes)
            if row[column + 1][0] in "+-"
        ]
        axis.plot(*zip(*points, strict=True), mark, color=colour, label=panel, markersize=5)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(changes)), [row[0] for row in changes], fontsize=7)
    axis.invert_yaxis()
    axis.grid(axis="x", linewidth=0.3)
    axis.tick_params(axis="x", labelsize=8)
    axis.set_xlabel("points of the relative error; left of 0 is better", fontsize=8)
    axis.legend(fontsize=7, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def losses(path: Path) -> Figure:
    """Draws the losses of each epoch."""
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    figure, axis = plt.subplots(figsize=(6, 2.8), constrained_layout=True)
    epochs = [int(row["epoch"]) for row in table]
    for name, colour, line in (("train_loss", GREY, "--"), ("val_loss", BLUE, "-")):
        axis.plot(epochs, [float(row[name]) for row in table], line, color=colour, label=name)
    axis.set_xlabel("epoch", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.legend(fontsize=8, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def terminal_page(command: str, said: str) -> str:
    """Gives a page that looks like a terminal."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)
    return (
        "<!DOCTYPE html><meta charset='utf-8'><body style='margin:0;background:#1e2430'>"
        "<pre style='margin:0;padding:14px 18px;color:#e6e6e6;"
        'font:14px/1.25 "DejaVu Sans Mono",monospace\'>'
        f"<span style='color:#8fd0ff'>$ {html.escape(command)}</span>\n{html.escape(plain)}</pre>"
    )


def notebook_page(path: Path) -> str:
    """Runs a notebook, and gives some of its cells as a page."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    parts = []
    for place in CELLS:
        cell = notebook.cells[place]
        parts.append(f"<pre class='in'>{html.escape(cell.source)}</pre>")
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                picture = data["image/png"].replace("\n", "")
                base64.b64decode(picture, validate=True)
                parts.append(f"<img src='data:image/png;base64,{picture}' style='max-width:420px'>")
            elif "text/html" in data:
                parts.append(re.sub(r"/tmp/\w+/", "", data["text/html"]))
    style = (
        "body{margin:20px;font:14px sans-serif} table{border-collapse:collapse}"
        "td,th{padding:3px 9px;text-align:right;border-bottom:1px solid #ddd}"
        ".in{background:#f4f4f4;border:1px solid #ddd;padding:8px;margin:14px 0 8px}"
    )
    return f"<!DOCTYPE html><meta charset='utf-8'><style>{style}</style>" + "\n".join(parts)

"""Run directories of strangers: hostile, and with checksums that fit.

Whoever changes a file of a run directory can change its sum, so nothing may rest on the sums alone.
Each case is a run directory with one thing wrong and `SHA256SUMS` written anew. Opening it must end
in the error that is meant for it, within seconds. Then bits are flipped at random and the sums are
written anew: the directory must be refused, or open and give finite predictions.

Usage: python faults/strangers.py [flips] [seed]
Writes faults/results/strangers.json; ends with 1 where a case had another outcome.
"""

import hashlib
import json
import logging
import os
import random
import re
import shutil
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from corpus import time_limit
from safetensors.torch import load_file, save_file

from admet.config import TrainConfig
from admet.data import read_split
from admet.data.demo import make_demo_panel
from admet.errors import AdmetError, NumericalError, RunDirectoryError
from admet.files import read_sealed, write_sealed
from admet.run_directory import Files, load_model
from admet.training import as_before, train
from admet.training.checkpoint import Keeper

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
MOLECULES = ["CCO", "c1ccccc1", "CC(=O)N"]
SECONDS = 30

Change = Callable[[Path], object]


def write_sums(run_dir: Path) -> None:
    """Sums up what is a file, as whoever made it hostile would."""
    files = sorted(p for p in run_dir.iterdir() if p.is_file() and not p.is_symlink())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in files
        if path.name != Files.CHECKSUMS
    ]
    (run_dir / Files.CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def model(**values: Any) -> Change:
    """Sets keys of model.json; a key with dots reaches inside."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.MODEL
        content = json.loads(path.read_text(encoding="utf-8"))
        for name, value in values.items():
            *way, last = name.split("__")
            place = content
            for step in way:
                place = place[int(step) if step.isdigit() else step]
            place[int(last) if last.isdigit() else last] = value
        path.write_text(json.dumps(content), encoding="utf-8")

    return change


def without(name: str) -> Change:
    """Removes a key of model.json."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.MODEL
        content = json.loads(path.read_text(encoding="utf-8"))
        del content[name]
        path.write_text(json.dumps(content), encoding="utf-8")

    return change


def raw(name: str, content: bytes) -> Change:
    """Puts other bytes in the place of a file."""
    return lambda run_dir: (run_dir / name).write_bytes(content)


def weights(change_one: Callable[[dict[str, Any], str], object]) -> Change:
    """Changes the weights, given all and the name of one."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.WEIGHTS
        tensors = load_file(path)
        change_one(tensors, sorted(tensors)[0])
        save_file(tensors, path)

    return change


def cast(kind: str) -> Change:
    """Gives one weight another type."""
    import torch

    def change_one(tensors: dict[str, Any], name: str) -> None:
        tensors[name] = tensors[name].to(getattr(torch, kind))

    return weights(change_one)


def filled(value: float) -> Change:
    """Puts a value into one weight."""

    def change_one(tensors: dict[str, Any], name: str) -> None:
        tensors[name].view(-1)[0] = value

    return weights(change_one)


def header(change_it: Callable[[dict[str, Any]], object]) -> Change:
    """Changes the header of the weights' file and leaves the rest."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.WEIGHTS
        content = path.read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        entries = json.loads(content[8 : 8 + size])
        change_it(entries)
        made = json.dumps(entries).encode()
        path.write_bytes(struct.pack("<Q", len(made)) + made + content[8 + size :])

    return change


def _first(entries: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = entries[sorted(k for k in entries if k != "__metadata__")[0]]
    return found


def sums(change_it: Callable[[str], str]) -> Change:
    """Changes the list of sums after it was written."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.CHECKSUMS
        path.write_bytes(change_it(path.read_text(encoding="utf-8")).encode("utf-8", "replace"))

    return change


def linked(name: str, target: str) -> Change:
    """Puts a link in the place of a file."""

    def change(run_dir: Path) -> None:
        (run_dir / name).unlink(missing_ok=True)
        (run_dir / name).symlink_to(target)

    return change


def piped(name: str) -> Change:
    """Puts a pipe, which never ends, in the place of a file."""

    def change(run_dir: Path) -> None:
        (run_dir / name).unlink(missing_ok=True)
        os.mkfifo(run_dir / name)

    return change


def folder(name: str) -> Change:
    """Puts a folder in the place of a file."""

    def change(run_dir: Path) -> None:
        (run_dir / name).unlink()
        (run_dir / name).mkdir()

    return change


def gone(name: str) -> Change:
    """Removes a file."""
    return lambda run_dir: (run_dir / name).unlink()


def plan_of_network(*groups: list[str]) -> dict[str, Any]:
    """Gives a network of groups as `model.json` holds it."""
    names = dict.fromkeys(name for group in groups for name in group)
    return {"tasks": list(names), "groups": [{"tasks": g, "serves": g} for g in groups]}


def cases() -> dict[str, tuple[Change, str]]:
    """Gives each case: what is changed before the sums are written, and what must be said."""
    deep = b"[" * 200_000 + b"]" * 200_000
    many = {"name": "x", "kind": "regression", "mean": 0.0, "scale": 1.0}
    task = "tasks__0__"
    size = "model__message_passing__"
    return {
        "model.json: empty": (raw(Files.MODEL, b""), "JSON"),
        "model.json: a list": (raw(Files.MODEL, b"[]"), "object"),
        "model.json: an empty object": (raw(Files.MODEL, b"{}"), "schema_version"),
        "model.json: nested 200,000 deep": (raw(Files.MODEL, deep), "deep"),
        "model.json: UTF-16": (raw(Files.MODEL, '{"a": 1}'.encode("utf-16")), "JSON"),
        "model.json: NUL bytes": (raw(Files.MODEL, b"\0" * 4096), "JSON"),
        "model.json: a number of 10,000 digits": (raw(Files.MODEL, b'{"d_v": ' + b"9" * 10_000 + b"}"), "JSON|d_v"),
        "schema: newer": (model(schema_version=99), "Update admet"),
        "schema: text": (model(schema_version="3"), "schema_version|integer|damaged"),
        "schema: a fraction": (model(schema_version=3.5), "schema_version"),
        "schema: none": (model(schema_version=None), "schema_version"),
        "schema: true": (model(schema_version=True), "schema_version"),
        "schema: below zero": (model(schema_version=-1), "schema_version"),
        "a key that is not known": (model(code="import os"), "Unknown key"),
        "a key that is missing": (without("tasks"), "required"),
        "arm: unknown": (model(plan__arm="best"), "arm"),
        "d_v: zero": (model(d_v=0), "d_v"),
        "d_v: below zero": (model(d_v=-5), "d_v"),
        "d_v: 10^15": (model(d_v=10**15), "shape|d_v"),
        "d_v: not that of these features": (model(d_v=71), "shape|d_v"),
        "d_e: text": (model(d_e="fourteen"), "d_e"),
        "hidden size: 10^12": (model(**{size + "hidden_size": 10**12}), "cannot be built|hidden_size"),
        "hidden size: 10^30": (model(**{size + "hidden_size": 10**30}), "hidden_size"),
        "d_v: 10^30": (model(d_v=10**30), "d_v"),
        "a task name of half a character": (model(**{task + "name": "\ud800"}), "UTF-8"),
        "a column name with NUL": (model(smiles_column="a\0b"), "NUL"),
        "hidden size: zero": (model(**{size + "hidden_size": 0}), "hidden_size"),
        "depth: 10^9": (model(**{size + "depth": 10**9}), "depth"),
        "dropout: 2": (model(**{size + "dropout": 2}), "dropout"),
        "activation: a call": (model(**{size + "activation": "__import__('os')"}), "activation"),
        "aggregation: unknown": (model(model__aggregation="exec"), "aggregation|Unknown"),
        "layers: 10^9": (model(model__ffn__num_layers=10**9), "num_layers"),
        "mean: NaN": (model(**{task + "mean": float("nan")}), "mean"),
        "mean: infinite": (model(**{task + "mean": float("inf")}), "mean"),
        "mean: 10^400": (raw_number("mean", "1e400"), "mean"),
        "scale: zero": (model(**{task + "scale": 0}), "scale"),
        "scale: below zero": (model(**{task + "scale": -1}), "scale"),
        "scale: 10^-400": (raw_number("scale", "1e-400"), "scale"),
        "scale: text": (model(**{task + "scale": "x"}), "scale"),
        "kind: unknown": (model(**{task + "kind": "poetry"}), "kind"),
        "tasks: none": (model(tasks=[]), "tasks"),
        "networks: 3,000": (model(tasks=[many | {"name": f"t{i}"} for i in range(3000)], plan__networks=[plan_of_network([f"t{i}"]) for i in range(3000)]), "unknown|fit|damaged"),
        "tasks: no list": (model(tasks={"a": 1}), "tasks"),
        "tasks: 100,000": (model(tasks=[many | {"name": f"t{i}"} for i in range(100_000)]), "plan"),
        "tasks: one twice": (model(tasks__1=many | {"name": "LogD"}), "plan"),
        "tasks: a name that is a number": (model(**{task + "name": 7}), "name"),
        "networks: none": (model(plan__networks=[]), "networks"),
        "networks: an unknown task": (model(plan__networks=[plan_of_network(["LogD", "KSOL", "../../x"])]), "plan"),
        "networks: a task is missing": (model(plan__networks=[plan_of_network(["LogD"])]), "plan"),
        "networks: an empty group": (model(plan__networks=[plan_of_network(["LogD", "KSOL"], [])]), "tasks"),
        "networks: one more head": (model(plan__networks=[plan_of_network(["LogD", "KSOL"], ["LogD"])]), "One group must serve"),
        "served by: no group": (model(plan__networks__0__groups__0__serves=[]), "One group must serve"),
        "served by: a group without it": (model(plan__networks__0__groups__0__serves=["LogD", "KSOL", "x"]), "must hold the tasks"),
        "networks: no plan": (model(plan=None), "plan"),
        "networks: of version 3": (model(schema_version=3), "damaged"),
        "smiles column: a list": (model(smiles_column=["SMILES"]), "smiles_column"),
        "weights: empty": (raw(Files.WEIGHTS, b""), "damaged"),
        "weights: a header of 2^63 bytes": (raw(Files.WEIGHTS, struct.pack("<Q", 2**63) + b"{}"), "damaged"),
        "weights: no header": (raw(Files.WEIGHTS, struct.pack("<Q", 0)), "damaged"),
        "weights: a header that is no JSON": (raw(Files.WEIGHTS, struct.pack("<Q", 4) + b"\x80\x04N."), "damaged"),
        "weights: a zip of torch": (raw(Files.WEIGHTS, b"PK\x03\x04" + b"\0" * 200), "damaged"),
        "weights: none": (raw(Files.WEIGHTS, struct.pack("<Q", 2) + b"{}"), "fit|Missing"),
        "weights: one missing": (weights(lambda t, n: t.pop(n)), "fit|Missing|missing"),
        "weights: one too many": (weights(lambda t, n: t.update({n + ".more": t[n].clone()})), "fit|Unexpected|unknown"),
        "weights: a network too many": (weights(lambda t, n: t.update({"networks.7.x": t[n].clone()})), "fit|Unexpected|unknown"),
        "weights: float64": (cast("float64"), "type"),
        "weights: float16": (cast("float16"), "type"),
        "weights: bfloat16": (cast("bfloat16"), "type"),
        "weights: int64": (cast("int64"), "type"),
        "weights: NaN": (filled(float("nan")), "NaN"),
        "weights: infinite": (filled(float("-inf")), "infinity"),
        "weights: another shape": (weights(lambda t, n: t.update({n: t[n].flatten()[:-1].clone()})), "shape"),
        "weights: offsets beyond the file": (header(lambda h: _first(h).update(data_offsets=[0, 10**15])), "damaged"),
        "weights: offsets that overlap": (header(lambda h: _first(h).update(data_offsets=[0, 4])), "damaged"),
        "weights: an unknown type": (header(lambda h: _first(h).update(dtype="OBJECT")), "damaged"),
        "weights: a shape below zero": (header(lambda h: _first(h).update(shape=[-1])), "damaged"),
        "weights: a link out of the folder": (linked(Files.WEIGHTS, "/etc/passwd"), "link"),
        "split: empty": (raw(Files.SPLIT, b""), "cannot be read"),
        "split: other columns": (raw(Files.SPLIT, b"a,b\n1,2\n"), "cannot be read"),
        "split: a side that there is not": (raw(Files.SPLIT, b"line,smiles,split\n2,CCO,secret\n"), "split"),
        "split: not UTF-8": (raw(Files.SPLIT, b"line,smiles,split\n2,\xff\xfe,train\n"), "cannot be read"),
        "split: an unclosed quote": (raw(Files.SPLIT, b'line,smiles,split\n2,"CCO,train\n'), "cannot be read"),
        "split: a pipe": (piped(Files.SPLIT), "neither"),
        "model.json: a pipe": (piped(Files.MODEL), "neither"),
        "metrics: a link to a device": (linked(Files.METRICS, "/dev/zero"), "link"),
        "model.json: a link in a circle": (linked(Files.MODEL, Files.MODEL), "not a run directory|link"),
        "a further pipe": (piped("more"), "neither"),
        "weights: a folder": (folder(Files.WEIGHTS), "does not list|damaged|cannot be read"),
        "model.json: a folder": (folder(Files.MODEL), "cannot be read"),
        "model.json: gone": (gone(Files.MODEL), "not a run directory"),
        "weights: gone": (gone(Files.WEIGHTS), "does not list"),
        "run.json: no keys": (raw(Files.RUN, b"{}"), "data"),
        "run.json: a list": (raw(Files.RUN, b"[]"), "run.json"),
        "run.json: nested deep": (raw(Files.RUN, deep), "deep"),
        "run.json: threads below zero": (raw(Files.RUN, b'{"data": {"sha256": "x"}, "hardware": {"processor": "x", "threads": -3}, "versions": {}}'), "threads"),
        "run.json: threads without end": (raw(Files.RUN, b'{"data": {"sha256": "x"}, "hardware": {"processor": "x", "threads": 1e300}, "versions": {}}'), "threads"),
    }  # fmt: skip


def raw_number(key: str, text: str) -> Change:
    """Writes a number into the first task that Python's floats do not hold."""

    def change(run_dir: Path) -> None:
        path = run_dir / Files.MODEL
        content = path.read_text(encoding="utf-8")
        path.write_text(re.sub(rf'("{key}": )[-0-9.e]+', rf"\g<1>{text}", content, count=1))

    return change


def sums_cases() -> dict[str, tuple[Change, str]]:
    """Gives each case whose list of sums is what is wrong."""
    nothing = "0" * 64
    return {
        "sums: gone": (gone(Files.CHECKSUMS), "SHA256SUMS"),
        "sums: empty": (sums(lambda _: ""), "does not list"),
        "sums: a way out": (sums(lambda t: f"{t}{nothing}  ../../etc/passwd\n"), "damaged in line"),
        "sums: a way out on Windows": (sums(lambda t: f"{t}{nothing}  ..\\x\n"), "damaged in line"),
        "sums: an absolute name": (sums(lambda t: f"{t}{nothing}  /etc/passwd\n"), "damaged in"),
        "sums: the folder above": (sums(lambda t: f"{t}{nothing}  ..\n"), "cannot be read|damaged"),
        "sums: a file that is not there": (sums(lambda t: f"{t}{nothing}  more\n"), "has no more"),
        "sums: no sum": (sums(lambda t: t.replace("  ", " ")), "damaged in line 1"),
        "sums: capitals": (sums(str.upper), "damaged"),
        "sums: without the weights": (
            sums(lambda t: "\n".join(x for x in t.splitlines() if Files.WEIGHTS not in x) + "\n"),
            "does not list",
        ),
        "sums: a pickle": (sums(lambda _: "\x80\x04N."), "damaged"),
        "sums: a link": (linked(Files.CHECKSUMS, "/dev/zero"), "link"),
        "sums: a pipe": (piped(Files.CHECKSUMS), "neither"),
        "sums: 10^6 lines of nothing": (sums(lambda t: t + "\n" * 10**6), "damaged in line"),
    }


def checkpoint_cases() -> dict[str, tuple[Change, str]]:
    """Gives each case of an unfinished run whose seals fit."""

    def sealed(name: str, change_it: Callable[[bytes], bytes]) -> Change:
        def change(run_dir: Path) -> None:
            path = run_dir / Files.CHECKPOINTS / name
            content = read_sealed(path)
            assert content is not None
            write_sealed(path, change_it(content))

        return change

    def keys(name: str, **values: Any) -> Change:
        def change_it(content: bytes) -> bytes:
            found = json.loads(content)
            for key, value in values.items():
                if value is None:
                    del found[key]
                else:
                    found[key] = value
            return json.dumps(found).encode()

        return sealed(name, change_it)

    def state(change_it: Callable[[dict[str, Any], dict[str, Any]], object]) -> Change:
        """Changes tensors and the JSON of the state."""
        from safetensors.torch import load, save

        def remade(content: bytes) -> bytes:
            (size,) = struct.unpack("<Q", content[:8])
            stored = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["admet"])
            tensors = load(content)
            change_it(tensors, stored)
            return save(tensors, {"admet": json.dumps(stored)})

        return sealed(Files.STATE, remade)

    def network(tensors: dict[str, Any]) -> str:
        return min(name for name in tensors if name.startswith("network."))

    return {
        "checkpoint: a pickle": (sealed(Files.STATE, lambda _: b"\x80\x04N."), "damaged"),
        "checkpoint: empty": (sealed(Files.STATE, lambda _: b""), "damaged"),
        "checkpoint: not sealed": (lambda f: (f / Files.CHECKPOINTS / Files.STATE).write_bytes(b"x" * 99), "damaged"),
        "checkpoint: another format": (state(lambda _, s: s.update(format=99)), "another version"),
        "checkpoint: no epoch": (state(lambda _, s: s.pop("epoch")), "damaged"),
        "checkpoint: epoch text": (state(lambda _, s: s.update(epoch="x")), "damaged"),
        "checkpoint: epoch below zero": (state(lambda _, s: s.update(epoch=-3)), "does not fit"),
        "checkpoint: beyond the last epoch": (state(lambda _, s: s.update(epoch=10**9)), "damaged|does not fit"),
        "checkpoint: networks that there are not": (state(lambda _, s: s.update(n_finished=10**9)), "damaged|does not fit"),
        "checkpoint: history of numbers": (state(lambda _, s: s.update(history=[1, 2])), "damaged|does not fit"),
        "checkpoint: meta a list": (state(lambda _, s: s.update(meta=[1])), "damaged"),
        "checkpoint: meta empty": (state(lambda _, s: s.update(meta={})), "does not fit"),
        "checkpoint: weights of another shape": (state(lambda t, _: t.update({network(t): t[network(t)].flatten()[:-1].clone()})), "does not fit"),
        "checkpoint: a weight missing": (state(lambda t, _: t.pop(network(t))), "does not fit"),
        "checkpoint: a weight NaN": (state(lambda t, _: t[network(t)].view(-1).__setitem__(0, float("nan"))), "does not fit|damaged|NaN|nan"),
        "checkpoint: random state of another shape": (state(lambda t, _: t.update(random=t["random"][:10].clone())), "does not fit"),
        "checkpoint: no random state": (state(lambda t, _: t.pop("random")), "does not fit"),
        "checkpoint: Adam of another shape": (state(lambda t, _: t.update({"adam.0.exp_avg": t["adam.0.exp_avg"].flatten()[:-1].clone()})), "does not fit"),
        "checkpoint: Adam of no weight": (state(lambda t, _: t.update({"adam.x.exp_avg": t["adam.0.exp_avg"].clone()})), "does not fit"),
        "run of the checkpoint: no keys": (keys("run.bin", config=None), "damaged"),
        "run of the checkpoint: a list": (sealed("run.bin", lambda _: b"[]"), "damaged"),
        "plan of the checkpoint: an unknown task": (keys("plan.bin", networks=[plan_of_network(["LogD", "../../x"])]), "damaged"),
        "plan of the checkpoint: no list": (keys("plan.bin", networks=5), "damaged"),
        "plan of the checkpoint: unknown arm": (keys("plan.bin", arm="best"), "damaged"),
        "plan of the checkpoint: a pickle": (sealed("plan.bin", lambda _: b"\x80\x04N."), "damaged"),
    }  # fmt: skip


def opened(run_dir: Path, data: Path) -> None:
    """Does what opens a run directory: predict, evaluate with its split, repeat."""
    loaded = load_model(run_dir)
    predicted = loaded.predict(MOLECULES)[[f"{name}_pred" for name in loaded.task_names]]
    if not np.isfinite(predicted).all(axis=None):
        raise ValueError("a prediction is not finite")
    read_split(run_dir)
    if (run_dir / Files.RUN).exists():
        as_before(TrainConfig(data_path=data, save_dir=run_dir.with_name("new")), run_dir)


def one_by_one(
    good: Path,
    found: dict[str, tuple[Change, str]],
    attempt: Callable[[Path], object],
    *,
    summed: bool,
) -> dict[str, str]:
    """Tries each case on a copy of a good directory; the cases that came out otherwise."""
    faults = {}
    for name, (change, says) in found.items():
        copy = good.with_name("copy")
        shutil.copytree(good, copy)
        change(copy)
        if summed:
            write_sums(copy)
        if fault := judged(lambda copy=copy: attempt(copy), says):  # type: ignore[misc]
            faults[name] = fault
            print(f"{name}: {fault}", flush=True)
        shutil.rmtree(copy)
    return faults


def judged(attempt: Callable[[], object], says: str) -> str | None:
    """Runs an attempt that must fail as stated; what is wrong, or None."""
    try:
        with time_limit(SECONDS):
            attempt()
    except RunDirectoryError as error:
        said = str(error)
        if len(said) > 3000:
            return f"the message is {len(said)} characters long"
        return None if re.search(says, said) else f"must say {says!r}, said: {said[:300]}"
    except TimeoutError:
        return f"took more than {SECONDS} s"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "was not refused"


def flipped(run_dir: Path, data: Path, n_flips: int, rng: random.Random) -> dict[str, Any]:
    """Flips bits and writes the sums anew."""
    names = [Files.MODEL, Files.WEIGHTS, Files.SPLIT, Files.RUN]
    count: Counter[str] = Counter()
    faults = []
    for _ in range(n_flips):
        path = run_dir / rng.choice(names)
        content = path.read_bytes()
        damaged = bytearray(content)
        place = rng.randrange(min(len(content), 4000))  # the weights' header lies in front
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(damaged))
        write_sums(run_dir)
        try:
            with time_limit(SECONDS):
                opened(run_dir, data)
            count["opened, finite"] += 1
        except NumericalError:
            count["refused to write a number that is none"] += 1
        except AdmetError:
            count["refused"] += 1
        except Exception as error:
            faults.append(f"{path.name}, byte {place}: {type(error).__name__}: {error}"[:300])
        path.write_bytes(content)
    write_sums(run_dir)
    return {"tried": n_flips, **count, "faults": faults}


def main() -> int:
    """Tries, prints and writes."""
    n_flips = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        data = home / "panel.csv"
        make_demo_panel(200).to_csv(data, index=False)

        def config(name: str) -> TrainConfig:
            return TrainConfig(
                data_path=data,
                save_dir=home / name,
                data={"target_columns": ["LogD", "KSOL"], "split_type": "random"},
                model={"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16}},
                task_affinity={"enabled": True, "n_groups": 2},
                training={"epochs": 2, "warmup_epochs": 0},
            )

        good = home / "run"
        train(config("run"))
        opened(good, data)
        first, second, third = cases(), sums_cases(), checkpoint_cases()
        tried = len(first) + len(second) + len(third)
        faults = one_by_one(good, first, lambda run: opened(run, data), summed=True)
        faults |= one_by_one(good, second, lambda run: opened(run, data), summed=False)
        unfinished = stopped(config("cut"))

        def resumed(folder: Path) -> None:
            """Puts the checkpoints where they are looked for, and goes on."""
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.rmtree(home / "cut", ignore_errors=True)
            shutil.copytree(folder, unfinished)
            train(config("cut"), resume=True)

        kept = home / "kept"
        unfinished.rename(kept)
        faults |= one_by_one(kept, third, resumed, summed=False)
        flips = flipped(good, data, n_flips, rng)
    report = {
        "hostile_run_directories": tried,
        "refused_as_stated": tried - len(faults),
        "faults": faults,
        "flips_with_sums_that_fit": flips,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "strangers.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{tried - len(faults)} of {tried} hostile run directories refused as stated")
    print(f"flips with sums that fit: {flips}")
    return 1 if faults or flips["faults"] else 0


def stopped(config: TrainConfig) -> Path:
    """Trains for one epoch and stops; the hidden folder of the unfinished run."""
    keep = Keeper.on_train_epoch_end

    def dies(self: Keeper, *arguments: Any) -> None:
        keep(self, *arguments)
        raise InterruptedError

    Keeper.on_train_epoch_end = dies  # type: ignore[method-assign, assignment]
    try:
        train(config)
    except InterruptedError:
        pass
    finally:
        Keeper.on_train_epoch_end = keep  # type: ignore[method-assign]
    return config.save_dir.with_name(f".{config.save_dir.name}.part")


if __name__ == "__main__":
    sys.exit(main())

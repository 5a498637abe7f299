"""How to do it again."""

import json
import shlex

from admet.report.content import Block, Code, Points, Section, Words
from admet.report.folders import Origin


def section(origin: Origin | None, what: str) -> Section:
    """Shows command, table, seed, versions and configuration.

    Args:
        origin: Where the model came from; None where it was not kept.
        what: "train" or "study".
    """
    title = "How to repeat it"
    if origin is None:
        why = "This study stopped before its model was written; the same command goes on with it."
        return Section("repeat", title, [Words(why, "doubt")])
    run = origin.run
    if origin.imported:
        files = tuple(f"{own['file']}, SHA-256 {own['sha256']}" for own in origin.imported)
        why = "It was imported: `admet import_chemprop` makes it again of these files."
        return Section("repeat", title, [Words(why), Points(files)])
    data, words = run.get("data"), run.get("command")
    sha256 = data.get("sha256") if isinstance(data, dict) else None
    blocks: list[Block] = []
    if isinstance(words, list) and words:
        blocks.append(Code("The command as it was given", _command([str(w) for w in words], what)))
    blocks.append(
        Words(
            f"Or save the configuration below as config.yaml: `admet {what} --config config.yaml`. "
            f"The table must have the SHA-256 {sha256 or '(not kept)'}. Other versions "
            "of the packages, other hardware or another number of threads may change the last "
            "digits."
        )
    )
    kept = ("created", "seed", "precision", "data", "versions", "hardware", "seconds")
    facts = {key: run[key] for key in kept if key in run}
    blocks.append(
        Code("Versions, hardware, seconds", json.dumps(facts, indent=2, ensure_ascii=False), True)
    )
    blocks.append(Code("Configuration", origin.config, True))
    return Section("repeat", title, blocks)


def _command(words: list[str], what: str) -> str:
    """Gives the command line as one would type it; the first word is the path of a program."""
    rest = words[1:]
    if rest[:1] == [what]:
        rest = rest[1:]
    return shlex.join(["admet", what, *rest])

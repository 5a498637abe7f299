"""What Chemprop wrote beside a model: how it read molecules, which its file does not say."""

import re
from pathlib import Path

from admet.errors import ConfigError

_NAME = "config.toml"
_LINE = re.compile(r"\s*([a-z-]+)\s*=\s*(.*?)\s*")
_OTHER_GRAPHS = {
    "keep-h": "keeps hydrogen atoms",
    "add-h": "adds hydrogen atoms",
    "ignore-stereo": "ignores stereo marks",
}
"""Flags of a training whose molecules have other graphs than ours, though as many features."""


def check_recipe(path: Path) -> None:
    """Looks for the configuration of the training that wrote a file, and refuses other graphs.

    `chemprop train` writes it two folders above `best.pt`, or one above with older versions. A file
    that was moved away from it cannot be checked so.

    Raises:
        ConfigError: If the training read molecules otherwise.
    """
    for folder in path.resolve().parents[:3]:
        found = _read(folder / _NAME)
        if not found:
            continue
        for flag, what in _OTHER_GRAPHS.items():
            if found.get(flag, "false").lower() == "true":
                raise ConfigError(
                    f"{str(path)!r} was trained with --{flag} ({str(folder / _NAME)!r} says so), "
                    f"which {what}; admet does not. Name a model that was trained without."
                )
        return


def _read(path: Path) -> dict[str, str]:
    """Reads `key = value` lines, which are not quite TOML; empty where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    lines = (_LINE.fullmatch(line) for line in text.splitlines()[:1000])
    return {match[1]: match[2] for match in lines if match}

"""Which study a folder holds, and whether its fits can be gone on with."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admet.config.averaging import AveragingConfig
from admet.config.study import StudyRun
from admet.errors import RunDirectoryError
from admet.files import REPORT, atomic
from admet.study.outputs import FITS, FOLDERS, SCHEMA_VERSION, STUDY, TABLES

log = logging.getLogger(__name__)

# What may change between two runs of one study without making other fits.
_FREE = {
    "save_dir", "study.arms", "study.workers", "study.scheduler", "study.time_budget",
    "study.equivalence", "study.learning_curve", "data.cache", "data.cache_dir",
    "training.logger", "training.log_to",
}  # fmt: skip
# Older studies know nothing of these; they count only where they are not as usual.
_LATER = (
    "model.extra_inputs", "model.init_from", "study.groups", "study.kernel.joint_up_to",
    "study.informed_heads",
)  # fmt: skip


def identity_of(config: StudyRun, sha256: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Gives what must be the same for kept fits to be of use.

    Args:
        config: The study.
        sha256: That of its panel.
        origin: What `origin_of` says of the file that encoders start from.
    """
    plain = config.only(StudyRun)  # the same by command and from Python
    content = plain.model_dump(mode="json", exclude={"data_path"}) | dict(origin)
    usual = StudyRun(data_path=plain.data_path).model_dump(mode="json")
    for key in _LATER:
        *sections, name = key.split(".")
        own, others = content, usual
        for section in sections:
            own, others = own[section], others[section]
        if own[name] == others[name]:
            del own[name]
    for section in (content["training"], content["study"]["frozen_mlp"]):
        if section["weight_averaging"] == "none":  # older studies know nothing of it
            for key in AveragingConfig.model_fields:
                del section[key]
    for key in _FREE:
        section, _, name = key.rpartition(".")
        (content[section] if section else content).pop(name, None)
    text = json.dumps(content, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()
    return {"schema_version": SCHEMA_VERSION, "panel": sha256, "key": key, "config": content}


def claimed(folder: Path, identity: dict[str, Any], overwrite: bool) -> bool:
    """Tells whether the folder holds this very study; nothing is written yet.

    Raises:
        RunDirectoryError: If it holds something else that must not be replaced.
    """
    path = folder / STUDY
    if path.is_file():
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
            known = {name: earlier[name] for name in ("panel", "key")}
        except (OSError, ValueError, KeyError, TypeError):
            earlier, known = {}, {}
        if known == {name: identity[name] for name in ("panel", "key")}:
            log.info("Going on with the study in %s", folder)
            return True
        if not overwrite:
            what = "table" if known.get("panel") != identity["panel"] else "configuration"
            other = _differing(earlier.get("config"), identity["config"])
            raise RunDirectoryError(
                f"`save_dir` {str(folder)!r} holds a study of another {what}"
                f"{other and f' ({other})'}. Name another folder, or add --overwrite to begin anew."
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunDirectoryError(
            f"`save_dir` {str(folder)!r} exists and is no study. Name another folder."
        )
    return False


def begin(folder: Path, identity: dict[str, Any], goes_on: bool) -> None:
    """Makes the folder, without what another study has left there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not goes_on:
        for name in (FITS, *FOLDERS):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (*TABLES, REPORT):
            (folder / name).unlink(missing_ok=True)
    with atomic(folder / STUDY) as partial:
        partial.write_text(json.dumps(identity, indent=1, ensure_ascii=False), encoding="utf-8")


def _differing(earlier: Any, now: Mapping[str, Any], prefix: str = "") -> str:
    """Says which key comes first that an earlier configuration had otherwise; empty for none."""
    if not isinstance(earlier, Mapping):
        return ""
    for key, value in now.items():
        before = earlier.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if found := _differing(before, value, f"{prefix}{key}."):
                return found
        elif key in earlier and before != value:
            return f"{prefix}{key} was {before}, is {value}"
    return ""

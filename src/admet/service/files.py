"""Files that were accepted: what waits, what is being predicted, and results until they expire.

Each has a folder of its own, whose name the server made up, with `job.json`, the file and its
result. The folder is all that is needed to go on after a restart.
"""

import json
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from admet.errors import ConfigError
from admet.files import atomic, check_folder

State = Literal["queued", "running", "done", "failed"]


@dataclass
class Job:
    """A file that was accepted.

    Attributes:
        id: Its name, made of 128 random bits.
        source: Ending of the file.
        output: Ending of its result.
        options: What the caller asked for, checked.
        bytes: Size of the file.
        state: Where it stands.
        created: When it was accepted, in seconds since 1970.
        finished: When it was done or failed.
        rows: Rows of the table; None while nobody knows.
        done: Rows that are predicted.
        without_prediction: Rows that got none.
        error: Why it failed.
        kind: What kind of fault that was.
        notes: What was recognised while the file was read.
        preview: SMILES of its first rows.
        fetched: Whether the result was sent.
    """

    id: str
    source: str
    output: str
    options: dict[str, Any]
    bytes: int = 0
    state: State = "queued"
    created: float = field(default_factory=time.time)
    finished: float | None = None
    rows: int | None = None
    done: int = 0
    without_prediction: int | None = None
    error: str = ""
    kind: str = ""
    notes: list[str] = field(default_factory=list)
    preview: list[str] = field(default_factory=list)
    fetched: bool = False

    @property
    def finite(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in {"done", "failed"}


class Spool:
    """The folder with a folder for each file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        self._lock = FileLock(folder / ".lock", blocking=False)

    def open(self) -> list[Job]:
        """Makes the folder, or reads what an earlier server left; gives what is still to do.

        A file that was not wholly received was not accepted; it is removed.

        Raises:
            ConfigError: If it cannot be written to, or another server uses it.
        """
        check_folder(self.folder.absolute(), "spool_dir")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire()
        except Timeout:
            raise ConfigError(
                f"`spool_dir` {str(self.folder)!r} is used by another server. Name another."
            ) from None
        known = {f.name for f in fields(Job)}
        for place in sorted(self.folder.glob("job-*")):
            try:
                content = json.loads((place / "job.json").read_text(encoding="utf-8"))
                job = Job(**{key: value for key, value in content.items() if key in known})
                if place != self._place(job) or not self.source(job).is_file():
                    raise ValueError("it is not whole")
            except (OSError, ValueError, TypeError):
                shutil.rmtree(place, ignore_errors=True)
                continue
            if job.state == "running":
                job.state = "queued"
            self.jobs[job.id] = job
        waiting = [job for job in self.jobs.values() if job.state == "queued"]
        return sorted(waiting, key=lambda job: job.created)

    def close(self) -> None:
        """Lets another server use the folder."""
        self._lock.release()

    def new(self, source: str, output: str, options: dict[str, Any]) -> Job:
        """Makes the folder of a file that is being received."""
        job = Job(secrets.token_hex(16), source, output, options)
        self._place(job).mkdir(mode=0o700)
        return job

    def accept(self, job: Job) -> None:
        """Takes in a file that was wholly received; from now on it is not lost."""
        self.save(job)
        self.jobs[job.id] = job

    def save(self, job: Job) -> None:
        """Writes down where a file stands."""
        with atomic(self._place(job) / "job.json") as partial:
            partial.write_text(json.dumps(asdict(job)), encoding="utf-8")

    def drop(self, job: Job) -> None:
        """Removes a file and its result."""
        self.jobs.pop(job.id, None)
        shutil.rmtree(self._place(job), ignore_errors=True)

    def expire(self, seconds: float) -> None:
        """Removes what was finished so long ago."""
        now = time.time()
        for job in list(self.jobs.values()):
            if job.finished is not None and now - job.finished > seconds:
                self.drop(job)

    def source(self, job: Job) -> Path:
        """Gives the path of the file."""
        return self._place(job) / f"input{job.source}"

    def result(self, job: Job) -> Path:
        """Gives the path of its result."""
        return self._place(job) / f"predictions{job.output}"

    def _place(self, job: Job) -> Path:
        return self.folder / f"job-{job.id}"

"""What `admet serve` takes."""

from pathlib import Path

from pydantic import Field

from admet.config.commands import Predicting

_GIB = 2**30


class ServeCommand(Predicting):
    """Serve a trained model: a page for a browser, and a JSON interface."""

    model_dir: Path = Field(description="Run directory of the model.")
    fast: bool = Field(
        False,
        description="Of the mixture of a study, leave the members out that read pretrained inputs; "
        "there are no intervals then.",
    )
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on. One that other machines reach needs a token.",
    )
    port: int = Field(8765, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    token_file: Path | None = Field(
        None,
        description="File that holds the token which callers must send; empty: the environment "
        "variable ADMET_SERVE_TOKEN, or none.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Names by which callers may address the server, beside its address."
    )
    spool_dir: Path | None = Field(
        None,
        description="Folder for files that were accepted and their results; what is in it survives "
        "a restart. Empty: a temporary one.",
    )
    max_mib: int = Field(256, ge=1, le=65536, description="Largest file, in MiB.")
    max_rows: int = Field(1_000_000, ge=1, le=10**9, description="Most rows of a file.")
    max_molecules: int = Field(
        10_000, ge=1, le=10**6, description="Most molecules of one JSON request."
    )
    max_waiting: int = Field(256, ge=1, le=10**5, description="Most JSON requests that wait.")
    max_files: int = Field(16, ge=1, le=10**4, description="Most files that wait.")
    request_seconds: float = Field(
        60, gt=0, le=86400, description="Longest time to answer a JSON request."
    )
    file_seconds: float = Field(
        3600, gt=0, le=10**6, description="Longest time to predict one file."
    )
    idle_seconds: float = Field(
        15, gt=0, le=3600, description="Longest silence of a caller in the middle of a request."
    )
    keep_seconds: float = Field(
        3600, gt=0, le=10**8, description="How long results of files are kept."
    )
    stop_seconds: float = Field(
        30,
        ge=0,
        le=86400,
        description="When stopped: how long results of files wait to be fetched.",
    )
    memory_gib: float = Field(
        6, gt=0.1, le=4096, description="Most memory of a process that predicts, in GiB."
    )

"""Routes for files: in, their state, their results, and away."""

import asyncio
import logging
import shutil
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from admet.config.reading import TableReading
from admet.errors import ConfigError
from admet.files import explained
from admet.service.core import Core
from admet.service.files import Job
from admet.service.refusal import STATUS_OF_KIND, RefusedError
from admet.service.schema import (
    MEDIA_TYPES,
    USUAL_OUTPUT,
    Fault,
    FileState,
    OutputEnding,
    Share,
    SourceEnding,
)

log = logging.getLogger(__name__)

_SPARE = 2**28  # bytes that stay free on the disk
_GROWTH = 6  # how many times as large as the file its result and what is between may be
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str | None, Query(min_length=1, max_length=200)]


def add_file_routes(app: FastAPI, core: Core, faults: dict[int | str, dict[str, Any]]) -> None:
    """Adds the routes to an application."""
    some: dict[int | str, dict[str, Any]] = {k: faults[k] for k in (401, 422)}
    some[404] = {"model": Fault, "description": "It is not known, or has expired."}

    @app.post(
        "/api/v1/files",
        tags=["files"],
        status_code=202,
        responses=faults
        | {200: {"description": "With `wait`: the result.", "content": {"*/*": {}}}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            }
        },
        response_model=FileState,
    )
    async def send(
        request: Request,
        source: Annotated[SourceEnding, Query(alias="format", description="What it is.")],
        output: Annotated[OutputEnding | None, Query(description="What comes back.")] = None,
        smiles_column: Name = None,
        structure_column: Name = None,
        intervals: Annotated[Share | None, Query()] = None,
        nearest: bool = False,
        wait: Annotated[bool, Query(description="Answer with the result itself.")] = False,
        sheet: Name = None,
        delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto",
        quoting: Literal["auto", "quoted", "none"] = "auto",
        encoding: Name = None,
        units_row: Literal["auto", "present", "absent"] = "auto",
    ) -> Response:
        """Takes a file, the body of the request, and predicts every row of it.

        The result has all its columns, and behind them what `admet predict` adds. The answer says
        under which id to ask for it.
        """
        core.require_ready()
        reading = _reading(
            sheet=sheet, delimiter=delimiter, quoting=quoting, encoding=encoding,
            units_row=units_row,
        )  # fmt: skip
        options = {
            "smiles_column": smiles_column, "structure_column": structure_column,
            "intervals": intervals, "nearest": nearest, "reading": reading.model_dump(),
        }  # fmt: skip
        if (intervals is not None or nearest) and not core.about["intervals"]:
            raise RefusedError(422, "This model knows neither intervals nor nearest molecules.")
        ending = output or USUAL_OUTPUT.get(source, "csv")
        job = await _receive(core, request, f".{source}", f".{ending}", options)
        if not wait:
            headers = {"Location": f"/api/v1/files/{job.id}"}
            return JSONResponse(FileState.of(job).model_dump(), 202, headers)
        await core.files.finished(job)
        return _result(core, job)

    @app.get("/api/v1/files/{id}", tags=["files"], responses=some)
    async def state(id: Id) -> FileState:  # noqa: A002 - the name in the address
        """Tells where a file stands."""
        return FileState.of(_known(core, id))

    @app.get(
        "/api/v1/files/{id}/result",
        tags=["files"],
        response_class=FileResponse,
        responses=some | {409: {"model": Fault, "description": "It is not done yet."}},
    )
    async def result(id: Id) -> Response:  # noqa: A002
        """Gives the result of a file."""
        return _result(core, _known(core, id))

    @app.delete("/api/v1/files/{id}", tags=["files"], status_code=204, responses=some)
    async def away(id: Id) -> Response:  # noqa: A002
        """Removes a file that is done, and its result."""
        job = _known(core, id)
        if not job.finite:
            raise RefusedError(409, f"The file is {job.state}. Wait until it is done.", 1)
        core.files.spool.drop(job)
        return Response(status_code=204)


def _reading(**given: str | None) -> TableReading:
    """Checks how a table is to be read.

    Raises:
        RefusedError: If it cannot be.
    """
    try:
        return TableReading(**given)
    except ConfigError as error:
        raise RefusedError(422, str(error)) from None


def _known(core: Core, name: str) -> Job:
    job = core.files.spool.jobs.get(name)
    if job is None:
        raise RefusedError(404, "There is no such file, or it has expired.")
    return job


def _result(core: Core, job: Job) -> Response:
    """Streams a result.

    Raises:
        RefusedError: If there is none.
    """
    if job.state == "failed":
        raise RefusedError(STATUS_OF_KIND[job.kind], job.error)
    if job.state != "done":
        raise RefusedError(409, f"The file is {job.state}. Ask again.", 1)
    path = core.files.spool.result(job)
    headers = {
        "X-Admet-File": job.id,
        "X-Admet-Without-Prediction": str(job.without_prediction),
        "Content-Disposition": "attachment",  # without a name: the page gives the one it knows
    }
    return _Fetched(
        job,
        path=path,
        media_type=MEDIA_TYPES[job.output.lstrip(".")],
        headers=headers,
    )


class _Fetched(FileResponse):
    """A file that notes when it was sent as a whole."""

    def __init__(self, job: Job, **given: Any) -> None:
        super().__init__(**given)
        self._job = job

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        self._job.fetched = True


async def _receive(
    core: Core, request: Request, source: str, output: str, options: dict[str, Any]
) -> Job:
    """Writes a file to the disk while it comes in, and lets it wait for its turn.

    Raises:
        RefusedError: If too many wait, or the disk is full.
        HTTPException: If it is too large or too slow.
    """
    files = core.files
    if files.full:
        raise RefusedError(429, "Too many files wait. Try again later.", 5)
    length = request.headers.get("content-length", "")
    expected = int(length) if length.isdecimal() else core.max_upload
    if shutil.disk_usage(files.spool.folder).free < _GROWTH * expected + _SPARE:
        raise RefusedError(503, "The server's disk has no room for the file.", 60)
    files.receiving += 1
    job = files.spool.new(source, output, options)
    path = files.spool.source(job)
    kept = False
    try:
        with explained(path), path.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
                job.bytes += len(chunk)
        files.spool.accept(job)
        kept = True
    finally:
        files.receiving -= 1
        if not kept:
            await asyncio.to_thread(files.spool.drop, job)
    core.metrics.file("accepted")
    await files.put(job)
    return job

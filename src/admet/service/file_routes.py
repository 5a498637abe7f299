"""Routes for files: in, their state, their results, and away."""

import asyncio
import shutil
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from admet.errors import ConfigError
from admet.files import explained
from admet.service.core import Core
from admet.service.files import Job
from admet.service.refusal import STATUS_OF_KIND, RefusedError
from admet.service.schema import MEDIA_TYPES, Fault, FileRequest, FileState

_SPARE = 2**28  # bytes that stay free on the disk
_GROWTH = 6  # how many times as large as the file its result and what is between may be
_BODY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Responses = dict[int | str, dict[str, Any]]
"""Status → how the OpenAPI document describes it."""


def add_file_routes(app: FastAPI, core: Core, faults: Responses) -> None:
    """Adds the routes to an application.

    Args:
        app: The application.
        core: What they share with the others.
        faults: Status → how a refusal is described.
    """
    _add_sending(app, core, faults)
    some: Responses = {k: faults[k] for k in (401, 422)}
    some[404] = {"model": Fault, "description": "It is not known, or has expired."}
    _add_asking(app, core, some)


def _add_sending(app: FastAPI, core: Core, faults: Responses) -> None:
    done: Responses = {200: {"description": "With `wait`: the result.", "content": {"*/*": {}}}}

    @app.post(
        "/api/v1/files",
        tags=["files"],
        status_code=202,
        responses=faults | done,
        openapi_extra={"requestBody": {"required": True, "content": _BODY}},
        response_model=FileState,
    )
    async def send(request: Request, asked: Annotated[FileRequest, Query()]) -> Response:
        """Takes a file, the body of the request, and predicts every row of it.

        The result has all its columns, and behind them what `admet predict` adds. The answer says
        under which id to ask for it.
        """
        core.require_ready()
        try:
            options = asked.options()
        except ConfigError as error:
            raise RefusedError(422, str(error)) from None
        if (asked.intervals is not None or asked.nearest) and not core.about["intervals"]:
            raise RefusedError(422, "This model knows neither intervals nor nearest molecules.")
        job = await _receive(core, request, f".{asked.format}", f".{asked.ending}", options)
        if not asked.wait:
            headers = {"Location": f"/api/v1/files/{job.id}"}
            return JSONResponse(FileState.of(job).model_dump(), 202, headers)
        await core.files.finished(job)
        return _result(core, job)


def _add_asking(app: FastAPI, core: Core, faults: Responses) -> None:
    @app.get("/api/v1/files/{id}", tags=["files"], responses=faults)
    async def state(id: Id) -> FileState:  # noqa: A002 - the name in the address
        """Tells where a file stands."""
        return FileState.of(_known(core, id))

    @app.get(
        "/api/v1/files/{id}/result",
        tags=["files"],
        response_class=FileResponse,
        responses=faults | {409: {"model": Fault, "description": "It is not done yet."}},
    )
    async def result(id: Id) -> Response:  # noqa: A002
        """Gives the result of a file."""
        return _result(core, _known(core, id))

    @app.delete("/api/v1/files/{id}", tags=["files"], status_code=204, responses=faults)
    async def away(id: Id) -> Response:  # noqa: A002
        """Removes a file that is done, and its result."""
        job = _known(core, id)
        if not job.finite:
            raise RefusedError(409, f"The file is {job.state}. Wait until it is done.", 1)
        core.files.spool.drop(job)
        return Response(status_code=204)


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

"""The application: routes, and the parts that they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from admet import __version__
from admet.service.core import Core
from admet.service.file_routes import add_file_routes
from admet.service.refusal import RefusedError
from admet.service.schema import (
    About,
    Drawings,
    DrawRequest,
    Fault,
    Health,
    Predictions,
    PredictRequest,
)

PAGE = Path(__file__).parent / "page"
FAULTS: dict[int | str, dict[str, Any]] = {
    401: {"model": Fault, "description": "The token is missing or wrong."},
    403: {"model": Fault, "description": "It comes from a page of another origin."},
    408: {"model": Fault, "description": "It was not sent in time."},
    413: {"model": Fault, "description": "It is too large."},
    422: {"model": Fault, "description": "It cannot be answered as it stands."},
    429: {"model": Fault, "description": "Too many wait; see Retry-After."},
    503: {"model": Fault, "description": "Stopping, starting, or it took too long."},
}


def make_app(core: Core) -> FastAPI:
    """Makes the application of a server."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await core.start()
        yield
        await core.stop()

    app = FastAPI(
        title="admet",
        summary="Predictions of a trained ADMET model",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere; `/docs` is our own
        redoc_url=None,
        openapi_url="/api/openapi.json",
        # A slash too many is no reason to build an address from the request.
        redirect_slashes=False,
    )
    _add_errors(app)
    _add_pages(app)
    _add_state(app, core)
    _add_molecules(app, core)
    add_file_routes(app, core, FAULTS)
    return app


def _fault(status: int, message: str, retry: int | None = None) -> JSONResponse:
    headers = {} if retry is None else {"Retry-After": str(retry)}
    return JSONResponse({"error": message, "status": status}, status, headers)


def _add_errors(app: FastAPI) -> None:
    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as registered
        return _fault(error.status_code, str(error.detail))

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)  # noqa: S101 - as registered
        return _fault(error.status, str(error), error.retry)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
        lines = [
            f"`{'.'.join(str(part) for part in fault['loc'][1:])[:80]}`: {fault['msg']}"
            for fault in error.errors()[:5]
        ]
        return _fault(422, " ".join(lines))

    async def bug(_: Request, __: Exception) -> Response:
        return _fault(500, "A fault of the server.")

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, bug)


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", media_type="text/html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html", media_type="text/html")

    app.mount("/static", StaticFiles(directory=PAGE / "static"))


def _add_state(app: FastAPI, core: Core) -> None:
    @app.get("/health", tags=["server"], responses={503: {"model": Health}})
    async def health() -> Health:
        """Tells whether the server takes requests: 200, or 503 while it starts or stops."""
        if core.status != "ok":
            return JSONResponse({"status": core.status}, 503)  # type: ignore[return-value]
        return Health(status="ok")

    @app.get("/metrics", tags=["server"], response_class=Response)
    async def metrics() -> Response:
        """Gives counts in the text format of Prometheus."""
        text = core.metrics.text(core.gauges())
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/api/v1/model", tags=["molecules"], responses={k: FAULTS[k] for k in (401, 503)})
    async def model() -> About:
        """Describes the model and the limits of this server."""
        core.require_ready()
        command = core.command
        return About(
            **core.about,
            version=__version__,
            max_molecules=command.max_molecules,
            max_rows=command.max_rows,
            max_bytes=core.max_upload,
        )


def _add_molecules(app: FastAPI, core: Core) -> None:
    @app.post(
        "/api/v1/predict", tags=["molecules"], responses=FAULTS | {200: {"model": Predictions}}
    )
    async def predict(body: PredictRequest) -> Response:
        """Predicts molecules, as `admet predict` does."""
        if len(body.smiles) > core.command.max_molecules:
            raise RefusedError(
                413,
                f"The request has {len(body.smiles):,} molecules; this server takes "
                f"{core.command.max_molecules:,}. Send a file.",
            )
        content = await core.predict(body.smiles, body.intervals, body.nearest, body.structures)
        return Response(content, media_type="application/json")

    @app.post("/api/v1/drawings", tags=["molecules"], responses=FAULTS | {200: {"model": Drawings}})
    async def drawings(body: DrawRequest) -> Response:
        """Draws molecules as SVG."""
        return Response(await core.draw(body.smiles), media_type="application/json")


__all__ = ["FAULTS", "make_app"]

"""`admet serve`: a page and a JSON interface for a trained model."""

import logging
import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config.serve import ServeCommand
from admet.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(ServeCommand, _serve, argv, "admet serve", stopped="the server has ended")


def _serve(command: ServeCommand) -> None:
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"`admet serve` needs packages that are not installed ({error.name}). Install the "
            "extra `service`: pip install 'admet-grouping[service]'."
        ) from None
    from admet.service.server import serve

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    serve(command)


if __name__ == "__main__":
    sys.exit(main())

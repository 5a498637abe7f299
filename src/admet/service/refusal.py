"""Requests that are not answered as they stand."""

from admet.errors import AdmetError


class RefusedError(AdmetError):
    """A request is refused.

    Attributes:
        status: The HTTP status.
        retry: Seconds after which it may be tried again; None where that would not help.
    """

    def __init__(self, status: int, message: str, retry: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry = retry


STATUS_OF_KIND = {"input": 422, "memory": 413, "time": 503, "died": 503, "bug": 500}
"""What a process that predicts says was wrong → the status of the answer."""

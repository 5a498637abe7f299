"""Messages between the process that listens and those that predict.

A message is a line of JSON, then parts of as many bytes as its `sizes` say.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import IO, Any

Message = tuple[dict[str, Any], list[bytes]]

LONGEST_LINE = 2**24


def packed(header: dict[str, Any], parts: Sequence[bytes] = ()) -> bytes:
    """Writes a message."""
    line = json.dumps({**header, "sizes": [len(part) for part in parts]})
    return b"".join([line.encode(), b"\n", *parts])


def read_frame(file: IO[bytes]) -> Message | None:
    """Reads a message; None at the end."""
    line = file.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    return header, [file.read(size) for size in header["sizes"]]


async def receive_frame(stream: asyncio.StreamReader) -> Message:
    """Reads a message.

    Raises:
        EOFError: If the stream ends before it does.
    """
    line = await stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    return header, [await stream.readexactly(size) for size in header["sizes"]]

"""Names of devices."""

import re
from typing import Annotated

from pydantic import AfterValidator


def check_device_name(value: str) -> str:
    """Checks the form of a device name, not whether the device is there.

    Args:
        value: What the user wrote.

    Returns:
        The same string.

    Raises:
        ValueError: If it is none of `auto`, `cpu`, `cuda`, `cuda:N`.
    """
    if value in {"auto", "cpu", "cuda"} or re.fullmatch(r"cuda:[0-9]{1,3}", value):
        return value
    raise ValueError(f"`device` must be auto, cpu, cuda or cuda:N; got {value!r}.")


DeviceName = Annotated[str, AfterValidator(check_device_name)]

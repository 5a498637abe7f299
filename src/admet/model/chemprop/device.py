"""From the name of a device to the device."""

import torch

from admet.errors import DeviceError


def resolve_device(name: str, key: str = "device") -> torch.device:
    """Finds the device.

    Args:
        name: auto (CUDA where there is one, else the CPU), cpu, cuda or cuda:N.
        key: The key that named it, for the message.

    Returns:
        The device.

    Raises:
        DeviceError: If it is not there.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise DeviceError(
            f"`{key}` is {name!r}, but this machine has {count} CUDA device(s) that torch can use. "
            "Set it to auto or cpu."
        )
    return device

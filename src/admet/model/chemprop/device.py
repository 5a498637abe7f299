"""From the name of a device to the device, and to the precision that suits it."""

from typing import Any, Literal

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


Precision = Literal["32-true", "bf16-mixed"]

_NARROW = 128  # hidden width below which casting costs as much as the faster products gain


def resolve_precision(name: str, device: torch.device, width: int) -> Precision:
    """Finds the precision of a training.

    `auto` is bf16-mixed where the hardware multiplies bfloat16 itself, since only there is it
    faster: on an x86 CPU with AMX-BF16 or AVX512-BF16, or an NVIDIA GPU of compute capability 8.0
    or higher. The hidden width must also be at least 128. Everywhere else `auto` is 32. Weights,
    optimiser, the sum of a molecule's atoms, losses and predictions are float32 in both.

    Args:
        name: auto, 32 or bf16-mixed.
        device: The device.
        width: Hidden width of the encoder.

    Returns:
        Lightning's name of the precision.
    """
    if name != "auto":
        return "32-true" if name == "32" else "bf16-mixed"
    return "bf16-mixed" if width >= _NARROW and has_fast_bfloat16(device) else "32-true"


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tells whether a device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16"))

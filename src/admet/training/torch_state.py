"""Leaves a caller's torch as it was: a training has threads and random numbers of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def own_torch_state(threads: int | None, device: torch.device) -> Iterator[None]:
    """Sets torch's threads while the context lasts, then puts threads and random states back.

    Args:
        threads: CPU threads of torch; None keeps those that there are.
        device: Where the training runs; a GPU has a random state, too.
    """
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            if threads is not None:
                torch.set_num_threads(threads)
            yield
        finally:
            torch.set_num_threads(before)

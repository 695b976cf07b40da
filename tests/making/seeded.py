"""A source of random numbers that gives the same ones each time."""

import torch


def generator(seed: int = 0) -> torch.Generator:
    """Return a new generator."""
    return torch.Generator().manual_seed(seed)

"""Loads torch so that its threads sleep while they wait for each other. Import this module before torch.

GNU OpenMP's threads spin at the end of every operator. If other processes use the same cores, that makes
training many times slower (measured on 2 shared cores: a training step of 5 s instead of 0.2 s). The variable
is read when torch is loaded, and removed right after. A process that is started later, above all one that is
timed, keeps the system's default.
"""

import importlib
import os

VARIABLE = "OMP_WAIT_POLICY"


def load_torch() -> None:
    """Import torch with passive OpenMP threads, unless the user's environment sets a policy."""
    if VARIABLE in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ[VARIABLE] = "passive"
    try:
        importlib.import_module("torch")
    finally:
        del os.environ[VARIABLE]


load_torch()

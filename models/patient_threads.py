"""torch, loaded so that its threads sleep while they wait for each other. Import it before torch.

GNU OpenMP's threads spin at the end of every operator. Where other processes want the same cores, that makes
training many times slower (measured on 2 shared cores: a training step of 5 s instead of 0.2 s). The variable
is read once, when torch is loaded, and taken back at once, so that a process started later, above all one
that is timed, keeps the system's own default.
"""

import importlib
import os

VARIABLE = "OMP_WAIT_POLICY"


def load_torch() -> None:
    """Import torch with patient threads, unless the user's environment decides otherwise."""
    if VARIABLE in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ[VARIABLE] = "passive"
    try:
        importlib.import_module("torch")
    finally:
        del os.environ[VARIABLE]


load_torch()

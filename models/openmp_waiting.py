"""Loads torch so that its threads soon sleep while they wait for each other. Import this module before torch.

GNU OpenMP's threads spin at the end of every operator. If they sleep at once, waking them takes longer than
many an operator: five epochs of PneumoniaMNIST at 96 pixels took 73 s, and 49 s with this number of spins (2
cores of an AMD EPYC with VNNI). If they spin for long, as by default, and other processes use the same cores,
they wait for one that does not run, and a step takes seconds. The variables are read when torch is loaded,
and removed right after. A process that is started later, above all one that is timed, keeps the system's
default.
"""

import importlib
import os

VARIABLES = {
    "GOMP_SPINCOUNT": "1000",  # about 10 to 40 µs
    "KMP_BLOCKTIME": "0",  # LLVM's OpenMP, in some builds of torch: milliseconds
}
_POLICY = "OMP_WAIT_POLICY"


def load_torch() -> None:
    """Import torch with these variables, unless the user's environment says how OpenMP's threads wait."""
    if any(name in os.environ for name in (_POLICY, *VARIABLES)):
        return
    os.environ.update(VARIABLES)
    try:
        importlib.import_module("torch")
    finally:
        for name in VARIABLES:
            del os.environ[name]


load_torch()

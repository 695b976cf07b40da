"""How often Python looks for garbage in a process that loads large modules, keeps them, and ends.

torch and torchvision make 700,000 objects. Looking through them again and again took a quarter of the time in
which they are loaded, and a second at the end of `edgefit finetune` (2 cores of an AMD EPYC). Only objects in
cycles wait for it: all others are freed at once.
"""

import atexit
import gc

# New objects until the next search; Python's own number is 700 to 2,000.
_OBJECTS = 200_000


def collect_rarely() -> None:
    """Search seldom while this process runs, and not at its end, when the system takes all memory back."""
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)

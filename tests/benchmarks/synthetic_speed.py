"""How many generated radiographs one core draws in a second, at several sizes. It asserts nothing on time.

Run as `python -m tests.benchmarks.synthetic_speed`, or as a file with the repository on PYTHONPATH.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is imported

import time

from models.synthetic.radiograph import CHECKPOINT_SEEDS, render_many

FILMS = 300
SIZES = (96, 128, 224)


def main() -> None:
    """Pin to one core, warm up, and print both times: on a busy machine only processor time is the film's."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for size in SIZES:
        render_many(CHECKPOINT_SEEDS[:20], size)
        wall, processor = time.perf_counter(), time.process_time()
        render_many(CHECKPOINT_SEEDS[20 : 20 + FILMS], size)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        by_clock, by_processor = FILMS / wall, FILMS / processor
        print(f"{size:3d} px: {by_clock:.0f} images/s by the clock, {by_processor:.0f} of processor time")


if __name__ == "__main__":
    main()

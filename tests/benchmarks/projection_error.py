"""How far a projection between devices can be trusted: each published cell projected from the others.

    python tests/benchmarks/projection_error.py

ncnn on MobileNetV2 at 224×224, as the profiles hold it. Printed are each cell's published milliseconds, the
projected 80 % range, whether that holds it, and how wide it is: from all other cells; from those of other
devices alone; and, counted only, from each single cell of each other device, as a single published run has to
serve for a projection. Then the step between networks: MobileNetV2 from YOLO, of which nothing is fitted.
"""

import math
from collections.abc import Sequence

from bench.devices.projection.from_published import between_networks
from bench.devices.projection.publications import MOBILENET_V2, MOBILENET_V2_WORK, cells_of_scaling, work_of
from bench.devices.projection.scaling import LeftOut, fit, from_each_other_device, leave_one_out
from device_profiles.loading import shipped_profiles


def between_devices(title: str, found: Sequence[LeftOut], listed: bool = True) -> None:
    """Print a table and how many of its ranges hold what was published."""
    print(title)
    if listed:
        print(f"{'device':<22}{'threads':>8}{'ms':>9}{'low':>9}{'middle':>9}{'high':>9}{'width':>8}  inside")
    for one in found if listed else ():
        print(
            f"{one.cell.device:<22}{one.cell.threads:>8}{one.cell.ms:>9.2f}{one.low:>9.2f}"
            f"{one.middle:>9.2f}{one.high:>9.2f}{one.high / one.low:>7.2f}×"
            f"  {'yes' if one.is_inside else 'NO'}"
        )
    inside, widest = sum(one.is_inside for one in found), max(one.high / one.low for one in found)
    print(f"{inside} of {len(found)} inside ({inside / len(found):.0%}), widest {widest:.2f}×\n")


def between_two_networks() -> None:
    """Print MobileNetV2 projected from YOLO on each device that has both, with as many threads."""
    print("MobileNetV2 from YOLO on the same device")
    for profile in shipped_profiles():
        ncnn = [one for one in profile.published if (one.runtime, one.provider) == ("ncnn", "cpu")]
        yolos = [one for one in ncnn if one.network != MOBILENET_V2]
        mobilenets = [one for one in ncnn if one.network == MOBILENET_V2]
        for yolo in yolos:
            truth = max(mobilenets, key=lambda one: one.threads or 0)
            work = work_of(yolo)
            assert work is not None
            factor = between_networks(work, MOBILENET_V2_WORK)
            middle = yolo.ms * factor.value
            low, high = middle / factor.reach, middle * factor.reach
            print(
                f"{profile.name:<22}{yolo.network:>9}{yolo.ms:>9.2f} ms: {low:.1f} to {high:.1f} ms, "
                f"published {truth.ms:g}  {'inside' if low <= truth.ms <= high else 'OUTSIDE'}"
            )


def main() -> None:
    """Print all tables."""
    cells = cells_of_scaling(shipped_profiles())
    between_devices("from all other cells", list(leave_one_out(MOBILENET_V2_WORK, cells)))
    alone = list(leave_one_out(MOBILENET_V2_WORK, cells, by_device=True))
    between_devices("from other devices alone", alone)
    pairs = list(from_each_other_device(MOBILENET_V2_WORK, cells))
    between_devices("from each single cell of another device", pairs, listed=False)
    scaling = fit(MOBILENET_V2_WORK, cells)
    print(f"fitted to all: B {scaling.bytes_weight:.2f}, range ×÷ {math.exp(scaling.reach):.2f}\n")
    between_two_networks()


if __name__ == "__main__":
    main()

"""How far a projection between devices can be trusted: each published cell projected from the others.

    python tests/benchmarks/projection_error.py

ncnn on MobileNetV2 at 224×224, as the profiles hold it. Printed are each cell's published milliseconds, the
projected 80 % range, whether that holds it, and how wide it is; once from all other cells, and once from
those of other devices alone.
"""

import math

from bench.projection.publications import MOBILENET_V2_WORK, cells_of_scaling
from bench.projection.scaling import fit, leave_one_out
from device_profiles.loading import shipped_profiles


def main() -> None:
    """Print both tables."""
    cells = cells_of_scaling(shipped_profiles())
    for by_device in (False, True):
        print("from other devices alone" if by_device else "from all other cells")
        print(f"{'device':<22}{'threads':>8}{'ms':>9}{'low':>9}{'middle':>9}{'high':>9}{'width':>8}  inside")
        found = list(leave_one_out(MOBILENET_V2_WORK, cells, by_device))
        for one in found:
            print(
                f"{one.cell.device:<22}{one.cell.threads:>8}{one.cell.ms:>9.2f}{one.low:>9.2f}"
                f"{one.middle:>9.2f}{one.high:>9.2f}{one.high / one.low:>7.2f}×"
                f"  {'yes' if one.is_inside else 'NO'}"
            )
        inside, widest = sum(one.is_inside for one in found), max(one.high / one.low for one in found)
        print(f"{inside} of {len(found)} inside ({inside / len(found):.0%}), widest {widest:.2f}×\n")
    scaling = fit(MOBILENET_V2_WORK, cells)
    print(f"fitted to all: B {scaling.bytes_weight:.2f}, range ×÷ {math.exp(scaling.reach):.2f}")


if __name__ == "__main__":
    main()

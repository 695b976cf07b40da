"""What a case would take on the device itself: a range, and what it is made of; or why there is none.

Pure: values in, values out.
"""

from bench.devices.projection.from_calibration import from_calibration
from bench.devices.projection.from_published import from_published
from bench.devices.projection.projected import Measured, NoBasis, Projected, Target


def project(case: Measured, target: Target) -> Projected | NoBasis:
    """Return what a case would take on the target's device.

    A device that was calibrated in the same runtime is projected to from this host, by the rates of both;
    any other from what somebody has published.
    """
    if target.emulated is not None:
        return NoBasis(reason="an emulated machine tells nothing of speed")
    if case.executed is None or any(None in (one.macs, one.elements) for one in case.executed.operators):
        return NoBasis(reason="the executed graph does not tell how much is computed and moved")
    return from_calibration(case, target) or from_published(case, target)

"""What a case would take on the device itself: a range with its steps, or why there is none.

Pure: it takes values and returns values.
"""

from bench.devices.projection.from_calibration import from_calibration
from bench.devices.projection.from_published import from_published
from bench.devices.projection.projected import Measured, NoBasis, Projected, ProjectionTarget


def project(case: Measured, target: ProjectionTarget) -> Projected | NoBasis:
    """Return what a case would take on the target's device.

    If the device was calibrated in the same runtime, the projection uses its rates and this host's. Otherwise
    it starts from a published latency.
    """
    if target.emulated is not None:
        return NoBasis(reason="this machine is emulated, so its speed says nothing about the device")
    if case.executed is None or any(
        None in (operator.macs, operator.elements) for operator in case.executed.operators
    ):
        return NoBasis(reason="the executed graph does not report how much is computed and moved")
    return from_calibration(case, target) or from_published(case, target)

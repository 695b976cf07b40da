"""Projection of a latency of this host to a calibrated device, by the rates of both.

Pure: it takes values and returns values.
"""

import math
from collections.abc import Sequence

from bench.devices.projection.measured_rates import Convolutions, convolutions, copying
from bench.devices.projection.projected import (
    ANOTHER_RUN,
    Factor,
    Measured,
    Projected,
    ProjectionTarget,
    between,
    projected,
)
from bench.measurements import Executed
from device_profiles.facts import Rate

# Calibration does not measure half precision, which is scaled like fp32.
_WIDER = {"bf16": "fp32", "fp16": "fp32"}


def from_calibration(case: Measured, target: ProjectionTarget) -> Projected | None:
    """Return the projection; None if a rate of either machine is missing in this runtime."""
    if case.executed is None:
        return None
    here_rates = convolutions(target.host_rates, case.runtime)
    there_rates = convolutions(target.device.rates, case.runtime, target.threads)
    here, there = _computing(case.executed, here_rates), _computing(case.executed, there_rates)
    copied_here, copied_there = copying(target.host_rates), copying(target.device.rates)
    if here is None or there is None or copied_here is None or copied_there is None:
        return None
    by_rate, by_bandwidth = there / here, copied_here.value / copied_there.value
    value, reach = between(by_rate, by_bandwidth)
    # No such projection was compared with a measurement yet: it is no narrower than one from published data.
    reach = max(reach, math.exp(target.scaling.reach))
    range_factor = _range_factor([*here_rates.values(), *there_rates.values(), copied_here, copied_there])
    what = (
        f"from this host to {target.device.name}: {by_rate:.2g}× by convolutions in the precisions that ran, "
        f"{by_bandwidth:.2g}× by copying, both measured"
    )
    source = next(iter(there_rates.values())).source
    basis = f"proxy latency of {case.runtime} on this host; rates of the device: {source}"
    factors = [Factor(what=what, value=value, reach=reach), ANOTHER_RUN]
    if range_factor > 1:
        factors.append(
            Factor(what="the relative range of the samples of these rates", value=1.0, reach=range_factor)
        )
    return projected(basis, case.there.value, case.ms, factors)


def _range_factor(rates: Sequence[Rate]) -> float:
    """Return the factor that a quotient of rates may be wrong by: half the relative range of each one."""
    return math.exp(math.hypot(*(math.log1p((rate.relative_range or 0) / 2) for rate in rates)))


def _computing(executed: Executed, rates: Convolutions) -> float | None:
    """Return the time of all operators by their precisions' rates; None if a rate is missing."""
    total = 0.0
    for operator in executed.operators:
        precision = _WIDER.get(operator.precision, operator.precision)
        if precision not in rates:
            return None
        total += (operator.macs or 0) / rates[precision].value
    return total or None

"""The energy pass: a case runs for two seconds in a process of its own while a meter is read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, Plan
from bench.measurements import Energy, NoEnergy, Stage
from bench.system.power import EnergyCounter, Meter, NoMeter, PowerSensor

_SECONDS_TO_RUN = 2.0
_SECONDS_IDLE = 1.0
_SECONDS_BETWEEN_READINGS = 0.02


@dataclass(frozen=True)
class Clock:
    """Time as the pass sees it: `now` in seconds, and `sleep`."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def energy_of(case: Case, plan: Plan, meter: Meter | NoMeter, clock: Clock) -> Energy | NoEnergy:
    """Measure the energy of one case; may raise CaseEndedError, as any stage of a case."""
    if isinstance(meter, NoMeter):
        return NoEnergy(reason=meter.reason)
    with CaseWorker(case, plan.sampling.hang_limit_s) as worker:
        process = worker.start(str(plan.pack), 0, 0, plan.sampling)
        count = max(1, int(_SECONDS_TO_RUN * 1e9 / median(process.warm_up_ns)))
        try:
            idle, idle_s = joules_while(meter, _until(_SECONDS_IDLE, clock), clock)
            in_time = _until(plan.sampling.hang_limit_s, clock)
            worker.begin_inference(count, Stage.ENERGY)
            joules, seconds = joules_while(meter, lambda: not worker.has_answered and in_time(), clock)
        except OSError as error:
            return NoEnergy(reason=f"the {meter.method} failed: {error}")
        worker.end_inference(Stage.ENERGY)
    return Energy(
        method=meter.method,
        domain=meter.domain,
        inferences=count,
        seconds=seconds,
        joules=joules,
        idle_watts=idle / idle_s,
    )


def _until(seconds: float, clock: Clock) -> Callable[[], bool]:
    """Return what tells whether so many seconds from now are still to end."""
    end = clock.now() + seconds
    return lambda: clock.now() < end


def joules_while(meter: Meter, goes_on: Callable[[], bool], clock: Clock) -> tuple[float, float]:
    """Return the joules drawn while something goes on, and the seconds that it took.

    A counter is read before and after; a sensor every 20 ms, each reading standing for the time since the
    last.
    """
    begin = clock.now()
    match meter:
        case EnergyCounter():
            before = meter.read_uj()
            while goes_on():
                clock.sleep(_SECONDS_BETWEEN_READINGS)
            return meter.joules_between(before, meter.read_uj()), clock.now() - begin
        case PowerSensor():
            joules, last = 0.0, begin
            while goes_on():
                clock.sleep(_SECONDS_BETWEEN_READINGS)
                now = clock.now()
                joules += meter.read_watts() * (now - last)
                last = now
            return joules, last - begin

"""The energy pass: each case runs for two seconds in a process of its own while a meter is read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, Plan
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import Energy, NoEnergy, Stage
from bench.system.power import EnergyCounter, Meter, NoMeter, PowerSensor

_RUN_S = 2.0
_IDLE_S = 1.0
_READING_INTERVAL_S = 0.02
# So much of the time of a run may pass unseen; more makes its energy wrong.
_LONGEST_GAP_S = 0.5


@dataclass(frozen=True)
class Clock:
    """The clock of an energy pass; tests replace it."""

    now: Callable[[], float] = time.monotonic
    """Returns the time in seconds."""
    sleep: Callable[[float], None] = time.sleep
    """Waits for a number of seconds."""


class GapError(Exception):
    """The meter was not read for some time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def measure_energy(
    case: Case, plan: Plan, meter: Meter | NoMeter, clock: Clock, expected: ExpectedOutputs | None = None
) -> Energy | NoEnergy:
    """Measure the energy of one case. Raises CaseEndedError if the case ends early.

    `expected`: see CaseWorker.
    """
    if isinstance(meter, NoMeter):
        return NoEnergy(reason=meter.reason)
    with CaseWorker(case, plan.sampling.hang_limit_s, expected=expected) as worker:
        process = worker.start(plan.pack_of(case), 0, 0, plan.sampling)
        count = max(1, int(_RUN_S * 1e9 / median(process.warm_up_ns)))
        try:
            idle_joules, idle_s = joules_while(meter, _time_left(_IDLE_S, clock), clock)
            in_time = _time_left(plan.sampling.hang_limit_s, clock)
            worker.begin_inference(count, Stage.ENERGY)
            joules, seconds = joules_while(meter, lambda: not worker.has_answered and in_time(), clock)
        except OSError as error:
            return NoEnergy(reason=f"the {meter.method} failed: {error}")
        except GapError as gap:
            return NoEnergy(reason=f"the {meter.method} was not read for {gap.seconds:.1f} s; measure again")
        worker.block_of(worker.end_inference(Stage.ENERGY), Stage.ENERGY, 0, 0)
    return Energy(
        method=meter.method,
        domain=meter.domain,
        inferences=count,
        seconds=seconds,
        joules=joules,
        idle_watts=idle_joules / idle_s,
    )


def _time_left(seconds: float, clock: Clock) -> Callable[[], bool]:
    """Return a function that returns whether fewer than `seconds` have passed since now."""
    end = clock.now() + seconds
    return lambda: clock.now() < end


def joules_while(meter: Meter, is_running: Callable[[], bool], clock: Clock) -> tuple[float, float]:
    """Return the joules used while `is_running` returns true, and the seconds that this took.

    An energy counter is read before and after. A power sensor is read every 20 ms, and each reading counts
    for the time since the previous one. Raises GapError if a reading came late, as after Ctrl-Z.
    """
    begin = previous = clock.now()

    def wait() -> float:
        nonlocal previous
        clock.sleep(_READING_INTERVAL_S)
        now = clock.now()
        waited_s, previous = now - previous, now
        if waited_s > _LONGEST_GAP_S:
            raise GapError(waited_s)
        return waited_s

    match meter:
        case EnergyCounter():
            before = meter.read_uj()
            while is_running():
                wait()
            return meter.joules_between(before, meter.read_uj()), clock.now() - begin
        case PowerSensor():
            joules = 0.0
            while is_running():
                waited_s = wait()
                joules += meter.read_watts() * waited_s
            return joules, previous - begin

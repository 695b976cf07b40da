"""Calibration: every rate on one core and on all, at rest and after a minute of load. It knows the order.

`measure_rates` is the short form, of one number of threads at rest, that a proxy is projected with.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.errors import MissingRuntimeError
from bench.harness.rate_meter import Cores, RateMeter, RateSample, copy_memory
from bench.progress import Progress
from bench.runtimes.table import RUNTIMES, RuntimeRow, is_installed
from bench.runtimes.workloads import WORKLOADS, Workload
from bench.system.cpu_time import read_clock_khz
from bench.system.host import cpus_for, one_cpu_per_core
from bench.system.thermal import read_temperatures
from device_profiles.facts import Rate

_SECONDS_OF_A_SHORT_RATE = 1.0
_TURNS = 8
_LOAD = WORKLOADS[0]
_CONVOLUTIONS = [workload for workload in WORKLOADS if workload.operation == "convolution"]


@dataclass(frozen=True)
class Durations:
    """Seconds: of each rate, and of the load on all cores."""

    rate_s: float
    load_s: float


FULL = Durations(rate_s=1.0, load_s=60.0)


def calibrate(source: str, emulated: bool, progress: Progress, durations: Durations) -> list[Rate]:
    """Measure this machine in about a minute and a half; `source`, `emulated`: what each rate says of itself.

    The first runtime that is installed takes every rate; any other its convolutions at rest, so that it can
    be projected too.

    Raises MissingRuntimeError if no runtime is installed that runs the workloads, CalibrationError if one
    fails.
    """
    one, every = _cores(1), _cores(len(one_cpu_per_core()))
    kinds = [one] if every.threads == 1 else [one, every]
    row, *others = _rows()
    progress.begin("rates at rest", len(kinds) * (len(WORKLOADS) + 1 + len(others) * len(_CONVOLUTIONS)))
    rates = [
        taken
        for other in others
        for taken in _convolutions_in(other, kinds, source, durations.rate_s, progress)
    ]
    with RateMeter(row) as meter:
        taker = _Taker(meter, source, durations.rate_s, progress)
        rates += [rate for cores in kinds for rate in taker.take(cores, WORKLOADS)]
        _load(meter, every, durations.load_s, progress)
        progress.begin("rates after load", len(kinds) * (len(WORKLOADS) + 1))
        # All cores first: one core alone lets the chip cool.
        rates += [
            rate for cores in reversed(kinds) for rate in taker.take(cores, WORKLOADS, durations.load_s)
        ]
    return [rate.model_copy(update={"emulated": emulated}) for rate in rates]


def measure_rates(formats: Sequence[str], threads: int, source: str, progress: Progress) -> list[Rate]:
    """Measure convolutions in each format's runtime that can, and copying, with so many threads.

    A runtime's two precisions take turns, for it is their ratio that a projection needs.
    """
    rows = [RUNTIMES[name] for name in formats if RUNTIMES[name].reads_onnx and is_installed(RUNTIMES[name])]
    cores = _cores(threads)
    progress.begin("rates of this machine, for projections", len(rows) * len(_CONVOLUTIONS) + 1)
    rates: list[Rate] = []
    for row in rows:
        rates += _in_turns(row, _CONVOLUTIONS, cores, source)
        progress.advance(len(_CONVOLUTIONS), note=row.needs)
    rates.append(_copy(cores, source, _SECONDS_OF_A_SHORT_RATE, 0))
    progress.advance(note="copy")
    return rates


def _in_turns(row: RuntimeRow, workloads: Sequence[Workload], cores: Cores, source: str) -> list[Rate]:
    """Return the rate of each workload in one runtime, each in a worker of its own, from short turns."""
    with ExitStack() as stack:
        meters = [stack.enter_context(RateMeter(row)) for _ in workloads]
        ones_s = [meter.load(workload, cores) for meter, workload in zip(meters, workloads, strict=True)]
        turns = [
            [
                meter.run(workload, one_s, _SECONDS_OF_A_SHORT_RATE / _TURNS)
                for meter, workload, one_s in zip(meters, workloads, ones_s, strict=True)
            ]
            for _ in range(_TURNS)
        ]
    return [
        _rate(workload, meter.runtime, cores, _middle(reached), source, 0)
        for workload, meter, reached in zip(workloads, meters, zip(*turns, strict=True), strict=True)
    ]


def _middle(turns: Sequence[RateSample]) -> RateSample:
    value, relative_range = median(one.value for one in turns), median(one.relative_range for one in turns)
    return RateSample(value, relative_range, turns[-1].clock_khz)


def _cores(threads: int) -> Cores:
    return Cores(threads, cpus_for(threads))


def _convolutions_in(
    row: RuntimeRow, kinds: Sequence[Cores], source: str, seconds: float, progress: Progress
) -> list[Rate]:
    with RateMeter(row) as meter:
        taker = _Taker(meter, source, seconds, progress)
        return [taker.workload(workload, cores, 0) for cores in kinds for workload in _CONVOLUTIONS]


def _rows() -> list[RuntimeRow]:
    able = [row for row in RUNTIMES.values() if row.reads_onnx]
    found = [row for row in able if is_installed(row)]
    if not found:
        ways = " or ".join(f"pip install 'edgefit[{row.extra}]'" for row in able)
        raise MissingRuntimeError(f"calibration needs a runtime that runs ONNX files; install one: {ways}")
    return found


@dataclass(frozen=True)
class _Taker:
    """Takes rates, one after the other."""

    meter: RateMeter
    source: str
    seconds: float
    progress: Progress

    def take(self, cores: Cores, workloads: Sequence[Workload], after_load_s: float = 0) -> Iterator[Rate]:
        """Yield the rate of each workload, then that of copying."""
        for workload in workloads:
            yield self.workload(workload, cores, after_load_s)
        yield _copy(cores, self.source, self.seconds, after_load_s)
        self.progress.advance(note="copy")

    def workload(self, workload: Workload, cores: Cores, after_load_s: float) -> Rate:
        """Return the rate of one workload."""
        one_s = self.meter.load(workload, cores)
        reached = self.meter.run(workload, one_s, self.seconds)
        self.progress.advance(note=workload.name)
        return _rate(workload, self.meter.runtime, cores, reached, self.source, after_load_s)


def _copy(cores: Cores, source: str, seconds: float, after_load_s: float) -> Rate:
    return _rate(None, None, cores, copy_memory(cores, seconds), source, after_load_s)


def _rate(
    workload: Workload | None,
    runtime: str | None,
    cores: Cores,
    reached: RateSample,
    source: str,
    after_load_s: float,
) -> Rate:
    """Return a rate with its conditions: of a workload in a runtime, or of copying."""
    return Rate(
        operation="copy" if workload is None else workload.operation,
        precision=None if workload is None else workload.precision,
        cores=cores.threads,
        runtime=runtime,
        after_load_s=after_load_s,
        value=float(f"{reached.value:.4g}"),
        relative_range=round(reached.relative_range, 3),
        kind="measured",
        source=source,
        clock_mhz=None if reached.clock_khz is None else reached.clock_khz / 1e3,
        temperature_c=_hottest(),
    )


def _load(meter: RateMeter, cores: Cores, load_s: float, progress: Progress) -> None:
    """Keep all cores busy for `load_s` seconds."""
    progress.begin("load on all cores", round(load_s))
    one_s = meter.load(_LOAD, cores)
    begin, told = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < load_s:
        meter.run(_LOAD, one_s, min(1.0, load_s))
        if (whole := min(round(load_s), round(passed))) > told:
            progress.advance(whole - told, note=_meanwhile(cores))
            told = whole
    progress.advance(round(load_s) - told, note=_meanwhile(cores))


def _meanwhile(cores: Cores) -> str:
    clock, heat = _clock_mhz(cores), _hottest()
    said = [f"{clock:.0f} MHz"] if clock is not None else []
    said += [f"{heat:.0f} °C"] if heat is not None else []
    return ", ".join(said) or "no clock or temperature is told"


def _clock_mhz(cores: Cores) -> float | None:
    clock = read_clock_khz(cores.cpus)
    return None if clock is None else clock / 1e3


def _hottest() -> float | None:
    return max(read_temperatures().values(), default=None)

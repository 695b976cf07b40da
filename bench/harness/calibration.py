"""Calibration: every rate on one core and on all cores, without load and after a minute of load.

`measure_rates` is the short form for projections from a proxy: one number of threads, without load.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.errors import MissingRuntimeError
from bench.harness.rate_meter import Cores, RateMeter, RateSample, copy_memory
from bench.progress import Progress
from bench.run_config import RunOptions
from bench.runtimes.formats import FORMATS, FormatRow
from bench.runtimes.installed import is_installed
from bench.runtimes.workloads import WORKLOADS, Workload
from bench.system.cpu_time import read_clock_khz
from bench.system.cpus import cpus_for, cpus_here
from bench.system.thermal import read_temperatures
from device_profiles.facts import Rate

_SHORT_RATE_S = 1.0
_BLOCKS = 8
_LOAD = WORKLOADS[0]
_CONVOLUTIONS = [workload for workload in WORKLOADS if workload.operation == "convolution"]


@dataclass(frozen=True)
class Durations:
    """How long a calibration takes."""

    rate_s: float
    """Seconds for each rate."""
    load_s: float
    """Seconds of load on all cores."""


FULL = Durations(rate_s=1.0, load_s=60.0)


def calibrate(source: str, emulated: bool, progress: Progress, durations: Durations) -> list[Rate]:
    """Measure one core and all fast cores in about a minute and a half.

    Each rate states `source` and `emulated`.

    Every rate is measured in the first installed runtime. In each other runtime only convolutions without
    load are measured, so that its latencies can be projected too.

    Raises MissingRuntimeError if no installed runtime can run the workloads, and CalibrationError if a
    workload fails.
    """
    one_core, all_cores = _cores(1), _cores(cpus_here().threads)
    settings = [one_core] if all_cores.threads == 1 else [one_core, all_cores]
    row, *others = _installed_rows()
    steps = len(settings) * (len(WORKLOADS) + 1 + len(others) * len(_CONVOLUTIONS))
    progress.begin("rates without load", steps)
    rates = [
        rate
        for other in others
        for rate in _convolution_rates(other, settings, source, durations.rate_s, progress)
    ]
    with RateMeter(row) as meter:
        series = _RateSeries(meter, source, durations.rate_s, progress)
        rates += [rate for cores in settings for rate in series.measure(cores, WORKLOADS)]
        _run_load(meter, all_cores, durations.load_s, progress)
        progress.begin("rates after load", len(settings) * (len(WORKLOADS) + 1))
        # All cores come first, because the chip cools down while only one core works.
        rates += [
            rate
            for cores in reversed(settings)
            for rate in series.measure(cores, WORKLOADS, durations.load_s)
        ]
    return [rate.model_copy(update={"emulated": emulated}) for rate in rates]


def measure_rates(formats: Sequence[str], options: RunOptions, source: str, progress: Progress) -> list[Rate]:
    """Measure convolutions in the runtime of each format, where it can run them, and copies of memory.

    The blocks of a runtime's two precisions alternate, because a projection needs their ratio.
    """
    rows = [FORMATS[name] for name in formats if FORMATS[name].reads_onnx and is_installed(FORMATS[name])]
    cores = _cores(options.threads)
    progress.begin("rates of this machine, for projections", len(rows) * len(_CONVOLUTIONS) + 1)
    rates: list[Rate] = []
    for row in rows:
        rates += _interleaved_rates(row, _CONVOLUTIONS, cores, source, options.variables)
        progress.advance(len(_CONVOLUTIONS), note=row.needs)
    rates.append(_copy_rate(cores, source, _SHORT_RATE_S, 0))
    progress.advance(note="copy")
    return rates


def _interleaved_rates(
    row: FormatRow, workloads: Sequence[Workload], cores: Cores, source: str, variables: str
) -> list[Rate]:
    """Return the rate of each workload in one runtime. Each has a worker; their short blocks alternate."""
    with ExitStack() as stack:
        meters = [stack.enter_context(RateMeter(row, variables)) for _ in workloads]
        inferences_s = [
            meter.load(workload, cores) for meter, workload in zip(meters, workloads, strict=True)
        ]
        passes = [
            [
                meter.run(workload, inference_s, _SHORT_RATE_S / _BLOCKS)
                for meter, workload, inference_s in zip(meters, workloads, inferences_s, strict=True)
            ]
            for _ in range(_BLOCKS)
        ]
    return [
        _rate(workload, meter.runtime, cores, _median_sample(samples), source, 0)
        for workload, meter, samples in zip(workloads, meters, zip(*passes, strict=True), strict=True)
    ]


def _median_sample(samples: Sequence[RateSample]) -> RateSample:
    value = median(sample.value for sample in samples)
    relative_range = median(sample.relative_range for sample in samples)
    return RateSample(value, relative_range, samples[-1].clock_khz)


def _cores(threads: int) -> Cores:
    return Cores(threads, cpus_for(threads))


def _convolution_rates(
    row: FormatRow, settings: Sequence[Cores], source: str, seconds: float, progress: Progress
) -> list[Rate]:
    with RateMeter(row) as meter:
        series = _RateSeries(meter, source, seconds, progress)
        return [
            series.measure_workload(workload, cores, 0) for cores in settings for workload in _CONVOLUTIONS
        ]


def _installed_rows() -> list[FormatRow]:
    """Return the installed runtimes that can run the workloads."""
    suitable = [row for row in FORMATS.values() if row.reads_onnx]
    installed = [row for row in suitable if is_installed(row)]
    if not installed:
        commands = " or ".join(row.install_hint for row in suitable)
        raise MissingRuntimeError(
            "calibration needs a runtime that runs ONNX files, and none is installed; "
            f"install one: {commands}"
        )
    return installed


@dataclass(frozen=True)
class _RateSeries:
    """Measures rates in one runtime, one after the other."""

    meter: RateMeter
    source: str
    seconds: float
    progress: Progress

    def measure(self, cores: Cores, workloads: Sequence[Workload], after_load_s: float = 0) -> Iterator[Rate]:
        """Yield the rate of each workload, then the rate of copying memory."""
        for workload in workloads:
            yield self.measure_workload(workload, cores, after_load_s)
        yield _copy_rate(cores, self.source, self.seconds, after_load_s)
        self.progress.advance(note="copy")

    def measure_workload(self, workload: Workload, cores: Cores, after_load_s: float) -> Rate:
        """Return the rate of one workload."""
        inference_s = self.meter.load(workload, cores)
        sample = self.meter.run(workload, inference_s, self.seconds)
        self.progress.advance(note=workload.name)
        return _rate(workload, self.meter.runtime, cores, sample, self.source, after_load_s)


def _copy_rate(cores: Cores, source: str, seconds: float, after_load_s: float) -> Rate:
    return _rate(None, None, cores, copy_memory(cores, seconds), source, after_load_s)


def _rate(
    workload: Workload | None,
    runtime: str | None,
    cores: Cores,
    sample: RateSample,
    source: str,
    after_load_s: float,
) -> Rate:
    """Return the record of a rate: of a workload in a runtime, or without a workload of copying memory."""
    return Rate(
        operation="copy" if workload is None else workload.operation,
        precision=None if workload is None else workload.precision,
        cores=cores.threads,
        runtime=runtime,
        after_load_s=after_load_s,
        value=float(f"{sample.value:.4g}"),
        relative_range=round(sample.relative_range, 3),
        kind="measured",
        source=source,
        clock_mhz=None if sample.clock_khz is None else sample.clock_khz / 1e3,
        temperature_c=_highest_temperature(),
    )


def _run_load(meter: RateMeter, cores: Cores, load_s: float, progress: Progress) -> None:
    """Keep the cores busy for `load_s` seconds."""
    progress.begin("load on all cores", round(load_s))
    inference_s = meter.load(_LOAD, cores)
    begin, reported_s = time.monotonic(), 0
    while (elapsed_s := time.monotonic() - begin) < load_s:
        meter.run(_LOAD, inference_s, min(1.0, load_s))
        if (whole_s := min(round(load_s), round(elapsed_s))) > reported_s:
            progress.advance(whole_s - reported_s, note=_clock_and_temperature(cores))
            reported_s = whole_s
    progress.advance(round(load_s) - reported_s, note=_clock_and_temperature(cores))


def _clock_and_temperature(cores: Cores) -> str:
    clock_mhz, temperature_c = _clock_mhz(cores), _highest_temperature()
    readings = [f"{clock_mhz:.0f} MHz"] if clock_mhz is not None else []
    readings += [f"{temperature_c:.0f} °C"] if temperature_c is not None else []
    return ", ".join(readings) or "clock and temperature not available"


def _clock_mhz(cores: Cores) -> float | None:
    clock_khz = read_clock_khz(cores.cpus)
    return None if clock_khz is None else clock_khz / 1e3


def _highest_temperature() -> float | None:
    return max(read_temperatures().values(), default=None)

"""In what the conditions of two rows differ, and latencies compared through control workloads. Pure.

Each number depends on other conditions: a latency on the whole machine, a memory peak on less of it, a size
on none.
"""

from bench.bundle.model_set import ModelFileRecord
from bench.bundle.variants import CONTROL_VARIANT
from bench.report.comparability import batch_of, input_words
from bench.report.schema import Report, Run
from bench.run_config import RunConfig
from bench.statistics import processes
from bench.statistics.replication import Estimate
from bench.system.host import Host

_NOT_RECORDED = "not recorded"


def differing_conditions(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> list[str]:
    """Return, in words, the differences between the conditions of two rows."""
    return [
        *differing_machines(candidate, baseline),
        *_differing(
            ("provenance", baseline_run.provenance, candidate_run.provenance),
            ("runtime", baseline_run.runtime, candidate_run.runtime),
        ),
        *differing_options(candidate_run.config, baseline_run.config),
        *_differing_inferences(candidate, baseline, candidate_run, baseline_run),
    ]


def differing_memory_conditions(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> list[str]:
    """Return, in words, the differences that change a process's memory peak, whatever its artifact is.

    The CPU's name, speed and cores are not among them: the process holds the interpreter, the runtime's
    libraries, the artifact and buffers, and the options say how many threads have buffers.
    """
    here, there = candidate.host, baseline.host
    return [
        *_differing(
            ("architecture", there.architecture, here.architecture),
            ("emulator", there.emulated, here.emulated),
            ("runtime", baseline_run.runtime, candidate_run.runtime),
            ("how the peak was read", _peak_by(baseline_run), _peak_by(candidate_run)),
        ),
        *differing_options(candidate_run.config, baseline_run.config),
        *_differing_inferences(candidate, baseline, candidate_run, baseline_run),
    ]


def differing_instructions(candidate: Report, baseline: Report) -> tuple[str, ...]:
    """Return the instruction set extensions that only one of two machines has."""
    here, there = set(candidate.host.cpu_features), set(baseline.host.cpu_features)
    return tuple(sorted(here ^ there))


def differing_systems(candidate: Report, baseline: Report) -> list[str]:
    """Return, in words, the differences between two systems for which the control workload compensates."""
    here, there = candidate.host, baseline.host
    return _differing(("operating system", there.os, here.os), ("Python", there.python, here.python))


def _peak_by(run: Run) -> str | None:
    if run.completed is None:
        return None
    return "after loading" if run.completed.memory.peak_bytes is None else "high-water mark"


def _differing_inferences(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> list[str]:
    """Return how two rows were run with inputs that are others by choice, not by what the networks take."""
    if candidate.bundle is not None and baseline.bundle is not None:
        return _differing(("images in one inference", batch_of(baseline.bundle), batch_of(candidate.bundle)))
    after, before = candidate.model_of(candidate_run), baseline.model_of(baseline_run)
    if after is None or before is None or not (_has_open_inputs(after) or _has_open_inputs(before)):
        return []
    return _differing(("shape of inputs", input_words(before), input_words(after)))


def _has_open_inputs(model: ModelFileRecord) -> bool:
    """Tell whether a file leaves sizes or types of its inputs open, which the run then set."""
    stated = [(tensor.dtype, tensor.shape) for tensor in model.signature.inputs]
    return stated != [(tensor.dtype, tensor.shape) for tensor in model.inputs]


def differing_options(candidate: RunConfig, baseline: RunConfig) -> list[str]:
    """Return, in words, the differences between the options of two rows."""
    return _differing(*((name, before, after) for name, after, before in candidate.differences(baseline)))


def differing_machines(candidate: Report, baseline: Report) -> list[str]:
    """Return, in words, the differences between two machines that a control workload cannot compensate for.

    The host's name and kernel are not among them: they change without changing the machine's speed.
    """
    here, there = candidate.host, baseline.host
    return _differing(
        ("CPU", there.cpu, here.cpu),
        ("architecture", there.architecture, here.architecture),
        ("board", there.board, here.board),
        ("cores", there.physical_cores, here.physical_cores),
        ("usable CPUs", there.usable_cpus, here.usable_cpus),
        ("kinds of cores", *_where_both_known(there, here)),
        ("limit on CPUs", *_limits(there, here)),
        ("governor", there.governor, here.governor),
        ("emulator", there.emulated, here.emulated),
        ("accelerators", ", ".join(there.accelerators), ", ".join(here.accelerators)),
        ("profile", baseline.profile.name, candidate.profile.name),
        ("control workload's runtime", _control_runtime(baseline), _control_runtime(candidate)),
    )


def _where_both_known(before: Host, after: Host) -> tuple[str | None, str | None]:
    """Return the usable kinds of cores, which the CPU's name does not tell; None where a report has none."""
    if not before.cores or not after.cores:
        return None, None
    there, here = (
        " + ".join(f"{kind.cores}× {kind.name}" for kind in host.cores if kind.name != host.cpu)
        for host in (before, after)
    )
    return there, here


def _limits(before: Host, after: Host) -> tuple[str | None, str | None]:
    """Return how much of the usable CPUs two containers may use; None if that is all of it.

    Older reports have no limit, which is said beside one that is known.
    """
    limits = [f"{host.cpu_quota:g}" if host.is_limited else None for host in (before, after)]
    if limits == [None, None]:
        return None, None
    there, here = (
        _NOT_RECORDED if host.online_cpus is None and limit is None else limit
        for host, limit in zip((before, after), limits, strict=True)
    )
    return there, here


def _differing(*pairs: tuple[str, object, object]) -> list[str]:
    return [
        f"{what} {_quoted(after)}, was {_quoted(before)}" for what, before, after in pairs if before != after
    ]


def control_of(report: Report) -> Run | None:
    """Return the control workload's row; None if it did not complete."""
    rows = (run for run in report.runs if run.variant == CONTROL_VARIANT and run.completed is not None)
    return next(rows, None)


def ratio_through_controls(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> Estimate | str:
    """Return the estimate of the logarithm of candidate ÷ baseline, each relative to its control workload.

    Return a sentence instead, where a report has no control workload or too few processes.
    """
    relative = []
    for report, run in ((candidate, candidate_run), (baseline, baseline_run)):
        control = control_of(report)
        if run.completed is None or control is None or control.completed is None:
            return f"the report '{report.name}' has no control workload to compare latencies through"
        ratio = processes.ratio(run.completed.processes, control.completed.processes)
        if ratio is None or ratio.estimate is None:
            return (
                f"not decided: the report '{report.name}' has too few processes for an interval; "
                "measure without --quick"
            )
        relative.append(ratio.estimate)
    return relative[0].less(relative[1])


def _control_runtime(report: Report) -> str | None:
    control = control_of(report)
    return None if control is None else control.runtime


def _quoted(value: object) -> str:
    return "none" if value is None or value == "" else f"'{value}'"

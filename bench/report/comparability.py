"""Whether latencies of two reports can be compared by their control workloads, and the result. Pure."""

from bench.bundle.variants import CONTROL_VARIANT
from bench.report.schema import Report, Run
from bench.statistics import processes
from bench.statistics.replication import Estimate


def differing_conditions(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> list[str]:
    """Return, in words, the conditions under which a row was measured twice that are not the same."""
    return [
        *differing_machines(candidate, baseline),
        *_differing(
            ("provenance", baseline_run.provenance, candidate_run.provenance),
            ("runtime", baseline_run.runtime, candidate_run.runtime),
            ("provider", baseline_run.provider, candidate_run.provider),
            ("threads", baseline_run.threads, candidate_run.threads),
        ),
    ]


def differing_machines(candidate: Report, baseline: Report) -> list[str]:
    """Return, in words, in what the machines of two reports differ that no control workload makes up for.

    Not the host's name or kernel: those of one machine may change, and say nothing of its speed.
    """
    here, there = candidate.host, baseline.host
    return _differing(
        ("CPU", there.cpu, here.cpu),
        ("architecture", there.architecture, here.architecture),
        ("board", there.board, here.board),
        ("cores", there.physical_cores, here.physical_cores),
        ("usable CPUs", there.usable_cpus, here.usable_cpus),
        ("governor", there.governor, here.governor),
        ("emulator", there.emulated, here.emulated),
        ("accelerators", ", ".join(there.accelerators), ", ".join(here.accelerators)),
        ("profile", baseline.profile.name, candidate.profile.name),
        ("control workload's runtime", _control_runtime(baseline), _control_runtime(candidate)),
    )


def _differing(*pairs: tuple[str, object, object]) -> list[str]:
    return [f"{what} {_told(after)}, was {_told(before)}" for what, before, after in pairs if before != after]


def control_of(report: Report) -> Run | None:
    """Return the control workload's row, if it ran."""
    rows = (run for run in report.runs if run.variant == CONTROL_VARIANT and run.raw is not None)
    return next(rows, None)


def ratio_through_controls(
    candidate: Report, baseline: Report, candidate_run: Run, baseline_run: Run
) -> Estimate | str:
    """Return the estimate of the logarithm of candidate ÷ baseline, each by its control workload.

    In words why there is none, where a report lacks a control workload or has too few processes.
    """
    both = []
    for report, run in ((candidate, candidate_run), (baseline, baseline_run)):
        control = control_of(report)
        if run.raw is None or control is None or control.raw is None:
            return f"the report '{report.name}' has no control workload, through which latencies are compared"
        found = processes.ratio(run.raw.processes, control.raw.processes)
        if found is None or found.estimate is None:
            return (
                f"not decided: the report '{report.name}' has too few processes for an interval; "
                "measure without --quick"
            )
        both.append(found.estimate)
    return both[0].less(both[1])


def _control_runtime(report: Report) -> str | None:
    control = control_of(report)
    return None if control is None else control.runtime


def _told(value: object) -> str:
    return "none" if value is None or value == "" else f"'{value}'"

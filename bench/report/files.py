"""Reports as files: written whole, and refused where a summary is not that of its raw values."""

import json
import math
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from bench.devices.projection.projected import range_of
from bench.errors import InputError, ReportMismatchError
from bench.filesystem.whole_files import refuse_to_replace, write_whole
from bench.report.schema import Report, Run
from bench.report.schema1 import to_schema_2
from bench.report.summaries import References, Summary, precision_ran, summarise
from device_profiles.validation import explain

# Summaries are sums and order statistics in double precision: other machines round the last digits otherwise.
_RELATIVE_TOLERANCE = 1e-6
_NS_PER_MS = 1e6
# No interval reaches to so many times its median.
_NS_FOR_SURE = 1e4


def to_json(report: Report) -> str:
    """Return the report as one JSON document."""
    return report.model_dump_json(by_alias=True)


def write_report(path: Path, report: Report) -> None:
    """Write a report, whole or not at all; only an earlier report may stand in its place."""
    refuse_to_replace(path, was_a_report, "--out")
    write_whole(path, to_json(report) + "\n")


def was_a_report(content: bytes) -> bool:
    """Tell whether any edgefit, an older one too, wrote a file's content."""
    try:
        document = json.loads(content)
    except ValueError:
        return False
    return isinstance(document, dict) and {"schema", "tool", "bundle", "runs"} <= document.keys()


def read_report(path: Path) -> Report:
    """Read a report's file; raises what parse_report raises, and InputError if there is none to read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such report; make one with: edgefit bench BUNDLE --out {path}"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return parse_report(content, path)


def parse_report(content: bytes, path: Path) -> Report:
    """Read a report's content and derive its summaries anew. `path`: where it lay, for the sentence.

    Raises InputError if it is no report, ReportMismatchError if a stored summary differs.
    """
    try:
        report = Report.model_validate_json(_upgraded(content))
    except ValidationError as error:
        raise InputError(explain(path, error, Report)) from None
    report = _in_milliseconds(report)
    raws = {(run.variant, run.provider): run.raw for run in report.runs}
    for run in report.runs:
        try:
            _check_projection(path, run)
            _check(path, report, run, References.of(run.format, run.provider, raws))
        except (ValueError, IndexError) as error:
            raise ReportMismatchError(
                f"{path}: {run.variant}: raw values do not fit together ({error})"
            ) from None
    return report


def _upgraded(content: bytes) -> bytes:
    """Return a report's content as schema 2 has it; what is no report of schema 1 is left as it is."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        document = json.loads(content)
        if isinstance(document, dict) and document.get("schema") == 1:
            return json.dumps(to_schema_2(document)).encode()
    return content


def _in_milliseconds(report: Report) -> Report:
    """Return a report with the interval of the median in ms: before 27 November 2026 it was written in ns."""

    def mended(run: Run) -> Run:
        latency = run.latency_ms
        if latency is None or latency.p50_ci95 is None or latency.p50_ci95[1] < _NS_FOR_SURE * latency.p50:
            return run
        ends = (latency.p50_ci95[0] / _NS_PER_MS, latency.p50_ci95[1] / _NS_PER_MS)
        return run.model_copy(update={"latency_ms": latency.model_copy(update={"p50_ci95": ends})})

    return report.model_copy(update={"runs": tuple(mended(run) for run in report.runs)})


def _check_projection(path: Path, run: Run) -> None:
    """Refuse a projected range that is not what its own basis and factors give."""
    if (found := run.projected_ms) is None:
        return
    ends = range_of(found.basis_ms, found.factors)
    if not all(map(_is_close, (found.low, found.high), ends)):
        raise ReportMismatchError(
            f"{path}: {run.variant}: 'projected_ms' is not what its basis and factors give; the file was "
            "changed by hand"
        )


def _is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE_TOLERANCE)


def _check(path: Path, report: Report, run: Run, references: References) -> None:
    if (run.status == "completed") != (run.raw is not None):
        raise ReportMismatchError(
            f"{path}: {run.variant}: 'status' is {run.status}, which its raw values belie"
        )
    stored = {key: value for key, value in run.model_dump().items() if key in Summary.model_fields}
    requested = None if run.precision_ran is None else run.precision_ran.requested
    if run.raw is None:
        nothing = {
            "precision_ran": None if requested is None else precision_ran(requested, None).model_dump()
        }
        if any(value != nothing.get(key) for key, value in stored.items()):
            raise ReportMismatchError(f"{path}: {run.variant}: is {run.status}, and yet has figures")
        return
    derived = summarise(run.raw, requested, report.evaluation, references).model_dump()
    if (key := _differs(stored, derived)) is not None:
        raise ReportMismatchError(
            f"{path}: {run.variant}: '{key}' is not what its raw values give; the file was changed by hand"
        )


def _differs(stored: object, derived: object, key: str = "") -> str | None:
    """Return the first key at which two values differ, or None."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        inner = (_differs(stored.get(name), value, f"{key}.{name}") for name, value in derived.items())
        return next((found for found in inner if found is not None), None)
    if isinstance(stored, float | int) and isinstance(derived, float | int):
        same = stored == derived or _is_close(stored, derived)
    elif isinstance(stored, tuple) and isinstance(derived, tuple) and len(stored) == len(derived):
        same = all(_differs(one, other, key) is None for one, other in zip(stored, derived, strict=True))
    else:
        same = stored == derived
    return None if same else key.removeprefix(".")

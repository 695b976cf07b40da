"""Reports as files: written whole, and refused if a summary does not match its measurements."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from bench.devices.projection.projected import range_of
from bench.errors import InputError, ReportMismatchError, first_sentence
from bench.filesystem.disk_errors import why_unread
from bench.filesystem.whole_files import refuse_to_replace, write_whole
from bench.measurements import Completed, Outcome
from bench.report.figures import with_independent_labels
from bench.report.schema import Evaluation, Report, Run, Summary
from bench.report.schema1 import to_schema_2
from bench.report.summaries import References, summarise
from bench.runtimes.providers import case_id
from device_profiles.validation import explain
from user_files.contents import LARGEST_RESULT, ContentError, content_of
from user_files.faults import why_replaced
from user_files.json_text import json_of
from user_files.missing_paths import missing_hint
from user_files.path_kinds import path_kind, wrong_path
from user_files.text import utf8_of
from user_files.versions import is_schema_1, newer_schema

# Summaries are computed in double precision, and other machines round the last digits differently.
_RELATIVE_TOLERANCE = 1e-6
# No object of a report has nearly as many; the largest have a key for each sensor, or for each option.
_MOST_KEYS = 1000
# The newest schema, which files are written in.
_SCHEMA = 2
_MAKE_ONE = "make one with: edgefit bench MODEL|BUNDLE --out REPORT.json"
_OF_A_REPORT = {"schema", "tool", "runs"}
# The figures that take the labels of one image together, which they did not in older reports.
_PAIRED = ("retention", "mcnemar_p")


def to_json(report: Report) -> str:
    """Return the report as one JSON document."""
    return report.model_dump_json(by_alias=True)


def write_report(path: Path, report: Report) -> None:
    """Write a report, whole or not at all. It replaces only an earlier report."""
    refuse_to_replace(path, was_a_report, "--out")
    write_whole(path, to_json(report) + "\n")


def was_a_report(content: bytes) -> bool:
    """Tell whether any version of edgefit wrote a file's content."""
    try:
        document = json_of(content)
    except ContentError:
        return False
    return isinstance(document, dict) and {"schema", "tool", "bundle", "runs"} <= document.keys()


def read_report(path: Path) -> Report:
    """Read a report's file. Raises the errors of parse_report, and InputError if it cannot be read."""
    return parse_report(read_content(path), path)


def read_content(path: Path) -> bytes:
    """Return the content of a report's file. Raises InputError if it cannot be read."""
    if path.is_dir():
        raise InputError(f"{path}: {wrong_path(path, 'a report', _MAKE_ONE)}")
    try:
        return content_of(path, LARGEST_RESULT)
    except ContentError as error:
        raise InputError(f"{path} {error}; {_MAKE_ONE}") from None
    except (FileNotFoundError, NotADirectoryError):
        remedy = missing_hint(path) or f"make one with: edgefit bench BUNDLE --out {path}"
        raise InputError(f"{path}: no such report; {remedy}") from None
    except OSError as error:
        raise InputError(why_unread(error, path)) from None


def parse_report(content: bytes, path: Path) -> Report:
    """Read a report's content and derive its summaries again. Messages name `path`.

    Raises InputError if it is not a report, ReportMismatchError if a stored summary differs.
    """
    report = parse_unchecked(content, path)
    outcomes = {run.case: run.outcome for run in report.runs}
    runs = tuple(checked_row(path, report, run, outcomes) for run in report.runs)
    return report.model_copy(update={"runs": runs})


def parse_unchecked(content: bytes, path: Path) -> Report:
    """Read a report's content, and derive nothing. Raises InputError if it is not a report."""
    content = utf8_of(content)
    if path.suffix != ".json" and not content.lstrip().startswith(b"{"):
        wrong = wrong_path(path, "a report, which is a JSON document", _MAKE_ONE)
        raise InputError(why_replaced(path) or f"{path}: {wrong}")
    try:
        report = Report.of_json(*_in_schema_2(content, path))
    except ValidationError as error:
        raise InputError(explain(path, error, Report, content)) from None
    _refuse_repeated_rows(path, report)
    return report


def checked_row(path: Path, report: Report, run: Run, outcomes: Mapping[str, Outcome]) -> Run:
    """Return a row of a report with the figures that it had not when it was written.

    `outcomes`: the outcome of each of its rows by case. Raises ReportMismatchError if a stored summary is not
    that of its measurements.
    """
    _check_identity(path, report, run)
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):  # numpy warns of it otherwise
            _check_projection(path, run)
            return _with_present_figures(run, _checked_summary(path, report, run, outcomes))
    except (ValueError, IndexError, ArithmeticError) as error:
        why = first_sentence(str(error))
        raise ReportMismatchError(
            f"{path}: {run.case}: the measurements do not fit together ({why}); measure again"
        ) from None


def _in_schema_2(content: bytes, path: Path) -> tuple[bytes, Any]:
    """Return a report's content in schema 2, and its document. Only a report of schema 1 is changed."""
    try:
        document = json_of(content, _MOST_KEYS)
    except ContentError as error:
        raise InputError(
            why_replaced(path) or f"{path} {error}; use the original, or measure again"
        ) from None
    if not isinstance(document, dict):
        return content, document
    if not document.keys() >= _OF_A_REPORT and (kind := path_kind(path)) is not None and kind.remedy:
        raise InputError(f"{path}: is {kind.what}, not a report; {kind.remedy}")
    if (newer := newer_schema(document, _SCHEMA)) is not None:
        raise InputError(f"{path} {newer}; or measure again")
    if not is_schema_1(document):
        return content, document
    try:
        renamed = json.dumps(to_schema_2(document)).encode()
        return renamed, json_of(renamed)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise InputError(
            f"{path}: this report of schema 1 is damaged ({type(error).__name__}: {error}); measure again"
        ) from None


def _refuse_repeated_rows(path: Path, report: Report) -> None:
    """Refuse a case with two rows, because one of them would be ignored."""
    for case, rows in Counter(run.case for run in report.runs).items():
        if rows > 1:
            raise InputError(f"{path}: {case} has {rows} rows; use the original, or measure again")


def _check_identity(path: Path, report: Report, run: Run) -> None:
    """Refuse a row whose case id does not match its variant and provider, or that is of no model file."""
    expected = case_id(run.variant, run.config.provider)
    if run.case != expected:
        raise ReportMismatchError(
            f"{path}: {run.case}: 'case' must be '{expected}' for its variant and provider"
        )
    if report.models is not None and run.is_variant and report.model_of(run) is None:
        raise ReportMismatchError(
            f"{path}: {run.case}: no model file of 'models' has the name '{run.variant}'; measure again"
        )


def _check_projection(path: Path, run: Run) -> None:
    """Refuse a projected range that does not follow from its own basis and factors."""
    if (projected := run.projected) is None:
        return
    ends = range_of(projected.basis_ns, projected.factors)
    if not all(map(_is_close, (projected.low_ns, projected.high_ns), ends)):
        raise ReportMismatchError(
            f"{path}: {run.case}: 'projection' is not what its basis and factors give; "
            "the file was changed by hand, so use the original, or measure again"
        )


def _is_close(value: float, other: float) -> bool:
    return math.isclose(value, other, rel_tol=_RELATIVE_TOLERANCE)


def _checked_summary(path: Path, report: Report, run: Run, outcomes: Mapping[str, Outcome]) -> Summary | None:
    """Derive a row's summary from its measurements, and refuse a stored one that differs."""
    if run.completed is None or run.summary is None:
        if (run.completed is None) != (run.summary is None):
            raise ReportMismatchError(
                f"{path}: {run.case}: its status is {run.status}, but 'summary' says otherwise; measure again"
            )
        return None
    judged = None if report.models is None else report.models.judged_output
    references = References.of(run.format, run.config.provider, outcomes, judged)
    derived = summarise(run.completed, run.precision, report.evaluation, references)
    stored = run.summary.model_dump()
    key = first_difference(stored, _comparable(derived, run))
    earlier = None if key is None else _earlier(derived, run.completed, report.evaluation)
    is_earlier = earlier is not None and first_difference(stored, _comparable(earlier, run)) is None
    if key is not None and not is_earlier:
        raise ReportMismatchError(
            f"{path}: {run.case}: 'summary.{key}' does not match the measurements; "
            "the file was changed by hand, so use the original, or measure again"
        )
    return derived


def _earlier(derived: Summary, measured: Completed, evaluation: Evaluation | None) -> Summary | None:
    """Return a summary as it was before the labels of an image were taken together; None of others."""
    figures, logits = derived.accuracy, measured.logits
    if figures is None or logits is None or evaluation is None or evaluation.output.kind != "labels":
        return None
    earlier = with_independent_labels(figures, logits, evaluation)
    return derived.model_copy(update={"accuracy": earlier})


def _comparable(derived: Summary, run: Run) -> dict[str, Any]:
    """Return what the stored summary is compared with: of accuracy only the figures that it had when it was
    written, for later versions have more."""
    document = derived.model_dump()
    if run.accuracy is not None and document["accuracy"] is not None:
        stored = run.accuracy.model_dump(exclude_unset=True)
        document["accuracy"] = _with_keys_of(stored, document["accuracy"])
    return document


def _with_keys_of(stored: object, derived: object) -> object:
    """Return what was derived with the keys alone that are stored, in records within records as well."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        return {key: _with_keys_of(stored[key], value) for key, value in derived.items() if key in stored}
    if isinstance(stored, tuple) and isinstance(derived, tuple) and len(stored) == len(derived):
        return tuple(map(_with_keys_of, stored, derived))
    return derived


def _with_present_figures(run: Run, derived: Summary | None) -> Run:
    """Return a row with the figures of accuracy that it had not, or had otherwise, when it was written."""
    if derived is None or run.accuracy is None or derived.accuracy is None or run.summary is None:
        return run
    stored = run.accuracy.model_dump(exclude_unset=True)
    present = derived.accuracy.model_dump()
    newer = {
        name: value
        for name, value in derived.accuracy
        if name not in stored or _with_keys_of(stored[name], present[name]) != present[name]
    }
    paired = derived.accuracy.model_dump(include=set(_PAIRED))
    if first_difference(run.accuracy.model_dump(), paired) is not None:
        newer |= {name: getattr(derived.accuracy, name) for name in _PAIRED}
    if not newer:
        return run
    figures = run.accuracy.model_copy(update=newer)
    return run.model_copy(update={"summary": run.summary.model_copy(update={"accuracy": figures})})


def first_difference(stored: object, derived: object, key: str = "") -> str | None:
    """Return the first key at which two values differ, or None."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        inner = (
            first_difference(stored.get(name), value, f"{key}.{name}") for name, value in derived.items()
        )
        return next((difference for difference in inner if difference is not None), None)
    if isinstance(stored, float | int) and isinstance(derived, float | int):
        same = stored == derived or _is_close(stored, derived)
    elif isinstance(stored, tuple) and isinstance(derived, tuple) and len(stored) == len(derived):
        same = all(
            first_difference(value, other, key) is None for value, other in zip(stored, derived, strict=True)
        )
    else:
        same = stored == derived
    return None if same else key.removeprefix(".")

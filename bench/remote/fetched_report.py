"""Reads the report that a board sent: it must be what was asked for, on the board that was probed. Pure.

A report that is none is refused before it is checked in full, because the list of its faults could fill the
memory: of a list the first fault counts, and no object has thousands of keys.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import SchemaValidator

from bench.bundle.manifest import Bundle
from bench.errors import BoardError, InputError
from bench.remote.agent_messages import shortened
from bench.remote.job_files import Subject, files_of_models, offers_of
from bench.report.files import parse_report
from bench.report.schema import Report
from bench.system.host import Host
from device_profiles.profile import Profile

_USUAL_BYTES, _MOST_BYTES = 32 << 20, 1 << 30
# A value of an image as JSON; where nobody named the outputs, as many as of ImageNet.
_VALUE_BYTES, _MOST_OUTPUTS = 24, 1000
# Ten bytes for each of some thousand inferences a second.
_SUSTAINED_BYTES_PER_S = 64 << 10
_MOST_KEYS = 1000
_LISTS = ("list", "tuple", "set", "frozenset")
_AGAIN = "run the same command again, and check which machine answers at this address if this comes back"


def fetched_report(board: str, text: str | None, subject: Subject, profile: Profile, host: Host) -> Report:
    """Return the report; raises BoardError if the board sent none, a damaged one or another one."""
    if text is None:
        raise BoardError(
            f"{board}: the measurement ended, but its report is missing on the board; run the same command"
            " again"
        )
    try:
        _refuse_odd(text)
        report = parse_report(text.encode(), Path(f"{board}'s report"))
    except (InputError, ValueError, RecursionError) as error:
        raise BoardError(
            f"{board}: the board sent a damaged report ({_first_line(error)}); run the same command again"
        ) from error
    if (other := _other(report, subject, profile, host)) is not None:
        raise BoardError(f"{board}: the board sent a report of {other} than was asked for; {_AGAIN}")
    return report


def longest_report(subject: Subject, sustained_s: float | None) -> int:
    """Return how many bytes a report of this can have, with some to spare."""
    rows = len(offers_of(subject, ())) + 1
    longest = _USUAL_BYTES + int((sustained_s or 0) * _SUSTAINED_BYTES_PER_S) * rows
    if isinstance(subject, Bundle):
        outputs = len(subject.manifest.model.classes) or _MOST_OUTPUTS
        longest += subject.manifest.pack.images * outputs * _VALUE_BYTES * rows
    return min(longest, _MOST_BYTES)


def _refuse_odd(text: str) -> None:
    """Raise ValueError, or RecursionError, for a text that is far from a report."""
    document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    _checker().validate_python(document, strict=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"an object in it has {len(pairs)} keys")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


@cache
def _checker() -> SchemaValidator:
    """Return what checks a report, and stops at the first fault of a list."""
    return SchemaValidator(_failing_fast(Report.__pydantic_core_schema__))


def _failing_fast(schema: Any) -> Any:
    """Return a part of pydantic's schema in which each list stops at its first fault."""
    if isinstance(schema, (list, tuple)):
        return type(schema)(_failing_fast(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    copy = {
        key: part if key in ("metadata", "serialization") else _failing_fast(part)
        for key, part in schema.items()
    }
    is_list = copy.get("type") in _LISTS and "items_schema" in copy
    return {**copy, "fail_fast": True} if is_list else copy


def _first_line(error: Exception) -> str:
    """Return what is wrong, without what pydantic adds."""
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return shortened(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}")
    return shortened(str(error))


def _other(report: Report, subject: Subject, profile: Profile, host: Host) -> str | None:
    """Return what the report is of that was not asked for; None if it is the right one."""
    if not _is_of(report, subject):
        return "another bundle" if isinstance(subject, Bundle) else "other model files"
    if report.profile != profile:
        return f"another profile ({shortened(report.profile.name)})"
    if _machine(report.host) != _machine(host):
        return f"another machine ({shortened(report.host.board or report.host.cpu)})"
    return None


def _is_of(report: Report, subject: Subject) -> bool:
    if isinstance(subject, Bundle):
        return report.bundle is not None and report.bundle.sha256 == subject.sha256
    measured = () if report.models is None else report.models.models
    return [model.sha256 for model in measured] == [file.sha256 for file in files_of_models(subject)]


def _machine(host: Host) -> tuple[str | None, ...]:
    """Return what cannot change of a machine while it measures."""
    return host.cpu, host.board, host.architecture

"""The folder of a comparison: a report for each network, and what the comparison says of them."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.bundle.manifest import FileRecord, describe
from bench.compare.comparing import compare_networks
from bench.compare.document import NetworkComparison
from bench.errors import InputError
from bench.report.files import read_report, to_json
from bench.report.schema import Report
from device_profiles.validation import explain
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_changed

COMPARISON = "comparison.json"
REPORTS = "reports"
_NOT_IN_A_FILE_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 60


def is_comparison(path: Path) -> bool:
    """Tell whether a path is the folder of a comparison."""
    return (path / COMPARISON).is_file()


def write_comparison(folder: Path, comparison: NetworkComparison, reports: Sequence[Report]) -> None:
    """Write a comparison and its reports into a folder under construction."""
    (folder / REPORTS).mkdir()
    files = []
    for number, report in enumerate(reports, start=1):
        path = folder / REPORTS / _file_name(number, report, len(reports))
        path.write_text(to_json(report) + "\n", encoding="utf-8")
        files.append(describe(folder, path))
    with_files = comparison.model_copy(update={"reports": tuple(files)})
    (folder / COMPARISON).write_text(
        with_files.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8"
    )


def _file_name(number: int, report: Report, count: int) -> str:
    """Return a name that keeps the order of the networks."""
    name = _NOT_IN_A_FILE_NAME.sub("-", report.name).strip("-.")[:_LONGEST_NAME] or "network"
    return f"{number:0{len(str(count))}}-{name}.json"


def read_comparison(folder: Path, baseline: str | None) -> tuple[NetworkComparison, list[Report]]:
    """Read the reports of a comparison, and compare them again: with its own baseline if `baseline` is None.

    Raises InputError for a file that is damaged or missing, and the errors of reading reports.
    """
    comparison = _document(folder / COMPARISON)
    reports = [_report(folder, record) for record in comparison.reports]
    again = compare_networks(reports, comparison.baseline if baseline is None else baseline)
    return again.model_copy(update={"reports": comparison.reports}), reports


def _document(path: Path) -> NetworkComparison:
    try:
        content = content_of(path, LARGEST_DOCUMENT)
        return NetworkComparison.of_json(content)
    except ContentError as error:
        raise InputError(f"{path} {error}; compare the networks again") from None
    except ValidationError as error:
        raise InputError(explain(path, error, NetworkComparison, content)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None


def _report(folder: Path, record: FileRecord) -> Report:
    path = folder / record.path
    report = read_report(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != record.sha256:
        raise InputError(
            why_changed(path, record.sha256)
            or f"{path} is not the report that {COMPARISON} names (its SHA-256 differs); compare the "
            "networks again"
        )
    return report


def written_comparison(folder: Path) -> dict[str, str | None] | None:
    """Return the files of the comparison in `folder`, with their SHA-256; None if it is none."""
    try:
        comparison = NetworkComparison.of_json(content_of(folder / COMPARISON, LARGEST_DOCUMENT))
    except (OSError, ContentError, ValidationError):
        return None
    return {**{file.path: file.sha256 for file in comparison.reports}, COMPARISON: None}

"""Reads the report that a board sent: it must be what was asked for, on the board that was probed. Pure."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.bundle.manifest import Bundle
from bench.errors import BoardError, InputError
from bench.remote.job_files import Measurable, Subject, files_of_models, offers_of, subjects_of
from bench.remote.job_folder import ReportTexts
from bench.report.files import parse_report
from bench.report.joint_runs import took_turns
from bench.report.schema import Report
from bench.run.parts import Networks
from bench.system.host import Host
from device_profiles.profile import Profile
from user_files.contents import ContentError
from user_files.printable import shortened

_USUAL_BYTES, _MOST_BYTES = 32 << 20, 1 << 30
# A value of an image as JSON; where nobody named the outputs, as many as of ImageNet.
_VALUE_BYTES, _MOST_OUTPUTS = 24, 1000
# Ten bytes for each of some thousand inferences a second.
_SUSTAINED_BYTES_PER_S = 64 << 10
# JSON may have half of a character, which has no bytes.
_DAMAGED = (InputError, ContentError, ValidationError, UnicodeEncodeError)
_AGAIN = "run the same command again, and check which machine answers at this address if this comes back"


def fetched_reports(
    board: str, text: str | None, subject: Subject, profile: Profile, host: Host
) -> tuple[Report, ...]:
    """Return the report, or one for each of several networks.

    Raises BoardError if the board sent none, a damaged one or another one.
    """
    if text is None:
        raise BoardError(
            f"{board}: the measurement ended, but its report is missing on the board; run the same command"
            " again"
        )
    try:
        texts = (text,) if not isinstance(subject, Networks) else _texts(text)
        reports = tuple(parse_report(each.encode(), Path(f"{board}'s report.json")) for each in texts)
    except _DAMAGED as error:
        raise BoardError(
            f"{board}: the board sent a damaged report ({shortened(str(error))}); run the same command again"
        ) from error
    if (other := _other(reports, subject, profile, host)) is not None:
        raise BoardError(f"{board}: the board sent a report of {other} than was asked for; {_AGAIN}")
    return reports


def _texts(text: str) -> tuple[str, ...]:
    """Return the texts of several networks' reports."""
    return ReportTexts.of_json(text.encode()).reports


def longest_report(subject: Subject, sustained_s: float | None) -> int:
    """Return how many bytes a report of this can have, with some to spare."""
    if isinstance(subject, Networks):
        return min(sum(longest_report(each, sustained_s) for each in subjects_of(subject)), _MOST_BYTES)
    rows = len(offers_of(subject, ())) + 1
    longest = _USUAL_BYTES + int((sustained_s or 0) * _SUSTAINED_BYTES_PER_S) * rows
    if isinstance(subject, Bundle):
        outputs = len(subject.manifest.model.classes) or _MOST_OUTPUTS
        longest += subject.manifest.pack.images * outputs * _VALUE_BYTES * rows
    return min(longest, _MOST_BYTES)


def _other(reports: Sequence[Report], subject: Subject, profile: Profile, host: Host) -> str | None:
    """Return what the reports are of that was not asked for; None if they are the right ones."""
    subjects = subjects_of(subject)
    if len(reports) != len(subjects):
        return "other networks"
    for report, of in zip(reports, subjects, strict=True):
        if not _is_of(report, of):
            return "another bundle" if isinstance(of, Bundle) else "other model files"
        if report.profile != profile:
            return f"another profile ({shortened(report.profile.name)})"
        if _machine(report.host) != _machine(host):
            return f"another machine ({shortened(report.host.board or report.host.cpu)})"
    if isinstance(subject, Networks) and not _are_of_one_run(reports, subject):
        return "other runs"
    return None


def _are_of_one_run(reports: Sequence[Report], networks: Networks) -> bool:
    """Tell whether networks took turns, and have the names by which they are compared."""
    names = [each.network or report.name for each, report in zip(networks.measured, reports, strict=True)]
    return [report.name for report in reports] == names and all(
        took_turns(each, reports[0]) for each in reports
    )


def _is_of(report: Report, subject: Measurable) -> bool:
    if isinstance(subject, Bundle):
        return report.bundle is not None and report.bundle.sha256 == subject.sha256
    measured = () if report.models is None else report.models.models
    return [model.sha256 for model in measured] == [file.sha256 for file in files_of_models(subject)]


def _machine(host: Host) -> tuple[str | None, ...]:
    """Return what cannot change of a machine while it measures."""
    return host.cpu, host.board, host.architecture

"""What reports are called beside each other. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence

from bench.report.schema import Report

# What tells two reports of one profile apart, in this order.
_DETAILS: tuple[Callable[[Report], str], ...] = (
    lambda one: one.host.board or one.host.cpu,
    lambda one: one.name,
    lambda one: one.created,
)


def titles_of(reports: Sequence[Report]) -> list[str]:
    """Return what each report is called: its profile, with host, name and time where it takes these."""
    titles = [one.profile.name for one in reports]
    for detail in _DETAILS:
        counts = Counter(titles)
        titles = [
            f"{title}, {detail(one)}" if counts[title] > 1 else title
            for title, one in zip(titles, reports, strict=True)
        ]
    return titles


def device_of(report: Report) -> str:
    """Return a report's profile and the machine that it was measured on."""
    return f"{report.profile.name} on {report.host.board or report.host.cpu}"

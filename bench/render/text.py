"""Text that several outputs share: titles, merged sentences, sparklines. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import median

from bench.lists_in_words import some_of
from bench.report.schema import Report

# The first line of a page or a Markdown report. It shows that edgefit wrote the text and may replace it.
REPORT_MARKER = "<!-- edgefit report -->"

# These details are added, in this order, until each report of one profile has a title of its own.
_DETAILS: tuple[Callable[[Report], str], ...] = (
    lambda report: report.host.board or report.host.cpu,
    lambda report: report.name,
    lambda report: report.created,
)


def titles_of(reports: Sequence[Report]) -> list[str]:
    """Return each report's title: its profile, with host, name and time only where they are needed."""
    titles = [report.profile.name for report in reports]
    for detail in _DETAILS:
        counts = Counter(titles)
        titles = [
            f"{title}, {detail(report)}" if counts[title] > 1 else title
            for title, report in zip(titles, reports, strict=True)
        ]
    return titles


def noun_of(report: Report) -> str:
    """Return what a row of a report is: a variant of a bundle, or a model file."""
    return "variant" if report.models is None else "model"


def whose_figures(reports: Sequence[Report]) -> str:
    """Return whose accuracy that of the rows is compared with: that of an fp32 network, or of a source."""
    names = {report.bundle.whose for report in reports if report.bundle is not None}
    return names.pop() if len(names) == 1 else "the reference's"


def subjects_of(report: Report) -> str:
    """Return what a report measured."""
    return "bundle" if report.models is None else "model files"


def device_of(report: Report) -> str:
    """Return a report's profile and the machine that it was measured on."""
    return f"{report.profile.name} on {report.host.board or report.host.cpu}"


_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
_RANGE = "# to #"


def merge(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Merge (case, sentence) pairs into (cases, sentence) pairs, in the order of first appearance.

    Sentences that differ only in numbers become one with the range: `vary over 24 to 72% of their median`. A
    sentence that contains a range is merged only with equal ones: a range of ranges says nothing.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for case, sentence in pairs:
        template = _NUMBER.sub("#", sentence)
        key = sentence if _RANGE in template else template
        groups.setdefault(key, []).append((case, sentence))
    return [
        (some_of([case for case, _ in group]), _ranged([sentence for _, sentence in group]))
        for group in groups.values()
    ]


def _ranged(sentences: Sequence[str]) -> str:
    """Return the first sentence, with each number replaced by its range over all sentences."""
    columns = zip(*(_NUMBER.findall(sentence) for sentence in sentences), strict=True)
    ranges = iter([_range(sorted(set(column), key=float)) for column in columns])
    return _NUMBER.sub(lambda _: next(ranges), sentences[0])


def _range(ordered: Sequence[str]) -> str:
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


_HEIGHTS = "▁▂▃▄▅▆▇█"
# A series with a smaller relative range is drawn flat, because noise has no shape.
_FLAT = 0.05


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw at least one value in at most `width` characters, from its lowest (▁) to its highest (█)."""
    count = min(width, len(values))
    bounds = [index * len(values) // count for index in range(count + 1)]
    levels = [median(values[low:high]) for low, high in pairwise(bounds)]
    lowest = min(levels)
    height = max(max(levels) - lowest, _FLAT * lowest)
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[round((level - lowest) / height * top)] for level in levels)

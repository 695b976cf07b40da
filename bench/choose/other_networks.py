"""What a choice among several networks hides: each retention is of its own network's accuracy. Pure."""

from collections.abc import Sequence

from bench.choose.candidates import Candidate
from bench.choose.comparing import Preference, paired_right
from bench.report.joint_runs import why_not_same_answers
from bench.statistics.accuracy import Paired

_POINTS = 100


def more_accurate_network(
    chosen: Candidate, candidates: Sequence[Candidate], prefer: Preference
) -> str | None:
    """Return a sentence on the candidate that is the most accurate, if it is of another network than the
    chosen one and surely more accurate on the same images; None else, and where accuracy ranks them."""
    if prefer is Preference.ACCURACY:
        return None
    pairs = [(paired, row) for row in candidates if (paired := _pair(row, chosen)) is not None]
    better = [(paired, row) for paired, row in pairs if paired.difference_ci95()[0] > 0]
    if not better:
        return None
    paired, row = max(better, key=lambda pair: pair[0].difference)
    low, high = (f"{_POINTS * end:.1f}" for end in paired.difference_ci95())
    return (
        f"retention is of each network's own accuracy: on the same {paired.images} images {row.name} is "
        f"{_POINTS * paired.difference:.1f} points more accurate ({low} to {high}); to rank by accuracy, add "
        "--prefer accuracy"
    )


def _pair(row: Candidate, chosen: Candidate) -> Paired | None:
    """Pair the answers of a row of another network with those of the chosen one, on the same images."""
    if row.report.subject.sha256 == chosen.report.subject.sha256:
        return None
    if why_not_same_answers(row.report, chosen.report) is not None:
        return None
    return paired_right(row, chosen)

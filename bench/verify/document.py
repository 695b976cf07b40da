"""What verifying a report found: of each part what was checked, what is wrong, and what cannot be."""

from collections.abc import Iterable
from typing import Literal

from bench.record import Record

PartStatus = Literal["holds", "wrong", "not checked"]


class VerifiedPart(Record):
    """One part of a report."""

    part: str
    """The name of the part."""
    checked: str | None
    """What was checked; null if nothing was."""
    wrong: tuple[str, ...] = ()
    """What does not match, a sentence each."""
    not_checked: tuple[str, ...] = ()
    """What of it cannot be checked, and why."""

    @property
    def status(self) -> PartStatus:
        """Whether the part holds."""
        if self.wrong:
            return "wrong"
        return "not checked" if self.checked is None else "holds"


class VerifiedReport(Record):
    """One report."""

    path: str
    """Its file."""
    parts: tuple[VerifiedPart, ...]
    """Its parts."""

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything that does not match, each with the name of its part."""
        return tuple(f"{part.part}: {sentence}" for part in self.parts for sentence in part.wrong)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    @property
    def words(self) -> str:
        """The result in a line."""
        count = sum(part.status == "holds" for part in self.parts)
        parts = "1 part" if count == 1 else f"{count} parts"
        if self.holds:
            return f"{self.path}: holds in {parts}"
        wrong = len(self.wrong)
        return f"{self.path}: {wrong} {'fact does' if wrong == 1 else 'facts do'} not match"


class Verification(Record):
    """All reports that were verified together."""

    reports: tuple[VerifiedReport, ...]
    """Each report."""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong in any of them."""
        return all(report.holds for report in self.reports)


def part(name: str, checked: str | None, wrong: Iterable[str] = (), gaps: Iterable[str] = ()) -> VerifiedPart:
    """Return a part."""
    return VerifiedPart(part=name, checked=checked, wrong=tuple(wrong), not_checked=tuple(gaps))

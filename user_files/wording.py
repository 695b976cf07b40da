"""Counts of things in words. It knows no files."""

from collections import Counter
from collections.abc import Iterable, Sequence

from user_files.data_kinds import DataKind

_MOST_NAMED = 3
MOST_LISTED = 20


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: "1 image", "2 images"."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def kinds_in_words(kinds: Iterable[DataKind]) -> str:
    """Return how many files there are of each kind, the most first: "8 HEIC pictures, 1 text file"."""
    counts = Counter(kinds).most_common()
    return ", ".join(_counted(count, kind) for kind, count in counts)


def _counted(count: int, kind: DataKind) -> str:
    return f"{count} {kind.many}" if count > 1 else f"1 {kind.one.partition(' ')[2]}"


def some(names: Sequence[str]) -> str:
    """Return up to three names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def listed(names: Sequence[str]) -> str:
    """Return up to twenty names, and how many more there are.

    They are in quotes if one has a comma itself: nobody could tell where it ends.
    """
    shown = [f"'{name}'" for name in names] if any("," in name for name in names) else list(names)
    more = len(names) - MOST_LISTED
    return ", ".join(shown[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")

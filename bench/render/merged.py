"""Sentences of several rows that differ only in their numbers, said once. Pure."""

import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
_MOST_NAMES = 3


def merge(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Merge (variant, sentence) pairs into (variants, sentence) pairs, in the order of the first of each.

    Numbers that differ become their range: `spread over 24 to 72% of their median`.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for variant, sentence in said:
        groups.setdefault(_NUMBER.sub("#", sentence), []).append((variant, sentence))
    return [
        (_listed([variant for variant, _ in group]), _ranged([sentence for _, sentence in group]))
        for group in groups.values()
    ]


def _ranged(sentences: Sequence[str]) -> str:
    """Return the first sentence with the range over all of them in the place of each number."""
    columns = zip(*(_NUMBER.findall(sentence) for sentence in sentences), strict=True)
    ranges = iter([_range(sorted(set(column), key=float)) for column in columns])
    return _NUMBER.sub(lambda _: next(ranges), sentences[0])


def _range(ordered: Sequence[str]) -> str:
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _listed(variants: Sequence[str]) -> str:
    if len(variants) <= _MOST_NAMES:
        return ", ".join(variants)
    return f"{', '.join(variants[: _MOST_NAMES - 1])} and {len(variants) - _MOST_NAMES + 1} more"

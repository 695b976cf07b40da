"""Lists that are short enough for a sentence."""

from collections.abc import Sequence

_MOST_NAMES = 3


def some_of(names: Sequence[str]) -> str:
    """Return up to three names; of more the first two and a count."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} more"

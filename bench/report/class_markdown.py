"""Tables of each class in Markdown, for reports and for the card of a shipped artifact. Pure."""

from collections.abc import Sequence

from bench.markdown_text import escaped
from bench.report.class_tables import ClassTable, ConfusionCell, confusion_words

# More columns of a matrix are no longer read in Markdown, which has no colours.
MOST_COLUMNS = 12


def class_markdown(table: ClassTable, samples: str) -> list[str]:
    """Return the figures of each class, and what it is taken for: a matrix, or of many classes a list."""
    return [*_figures(table, samples), "", *(_matrix(table) if table.columns else _pairs(table))]


def _figures(table: ClassTable, samples: str) -> list[str]:
    lines = [f"| class | {samples} | recall | precision | F1 | AUC |", f"|---|{'--:|' * 5}"]
    lines += [_line([escaped(row.title), str(row.images), *row.figures]) for row in table.rows]
    if table.left_out:
        lines += ["", f"These have the lowest recall; {table.left_out} more classes are in the report."]
    return lines


def _matrix(table: ClassTable) -> list[str]:
    numbers = [str(index) for index in range(len(table.columns))]
    lines = [_line(["class, taken for class", *numbers]), f"|---|{'--:|' * len(numbers)}"]
    return lines + [_line([escaped(row.title), *map(_count, row.cells)]) for row in table.rows]


def _count(cell: ConfusionCell) -> str:
    return f"**{cell.count}**" if cell.is_right else str(cell.count)


def _pairs(table: ClassTable) -> list[str]:
    lines = [
        f"- {escaped(confusion_words(pair.right, pair.given, pair.images, pair.class_images))}"
        for pair in table.pairs
    ]
    return [*lines, *([f"- {table.pairs_left_out} more pairs of classes"] if table.pairs_left_out else [])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""A comparison of networks as Markdown, for a pull request or a job summary. Pure."""

from collections.abc import Sequence

from bench.compare.document import NetworkComparison, NetworkRow
from bench.markdown_text import escaped
from bench.render.comparison_text import (
    FIGURES,
    PROVENANCE,
    ComparisonColumn,
    against_columns,
    all_remarks,
    columns_with_values,
    common_conditions,
    compared_rows,
    front_sentence,
    gaps,
    sentences,
    title,
)
from bench.render.markdown import remark_line
from bench.report.schema import Report

COMPARISON_MARKER = "<!-- edgefit compare -->"


def comparison_to_markdown(comparison: NetworkComparison, reports: Sequence[Report]) -> str:
    """Return a comparison as Markdown. The first line marks it, so that CI can replace an earlier comment."""
    rows = compared_rows(comparison)
    lines = [COMPARISON_MARKER, f"**{escaped(title(comparison))}**", ""]
    lines += _table(comparison.rows, [*columns_with_values(FIGURES, comparison.rows), PROVENANCE])
    lines += ["", f"- **{escaped(front_sentence(comparison))}**"]
    if rows:
        against = _table(rows, against_columns(rows))
        lines += [f"- {escaped(text)}" for text in sentences(comparison)]
        lines += ["", *against, ""]
    lines += [f"- {escaped(gap)}" for gap in gaps(comparison)]
    lines += [f"- {escaped(note)}" for note in comparison.notes]
    lines += ["", "<details><summary>Conditions</summary>", ""]
    lines += [f"- {escaped(line)}" for line in common_conditions(reports)]
    lines += [remark_line(remark) for remark in all_remarks(reports)]
    return "\n".join([*lines, "", "</details>", ""])


def was_comparison_markdown(content: bytes) -> bool:
    """Tell whether this module wrote a file's content."""
    return content.startswith(COMPARISON_MARKER.encode())


def _table(rows: Sequence[NetworkRow], columns: Sequence[ComparisonColumn]) -> list[str]:
    titles = ["network and file", *(column.heading for column in columns)]
    lines = [f"| {' | '.join(titles)} |", f"|---|{'--:|' * len(columns)}"]
    for row in rows:
        name = f"**{escaped(row.name)}**" if row.on_front else escaped(row.name)
        lines.append(f"| {' | '.join([name, *(column.text(row) for column in columns)])} |")
    return lines

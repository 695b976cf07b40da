"""A choice for the terminal: the pick in a sentence, then every other row with what is against it. Pure."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.choose.choosing import Choice

_STYLES = {"picked": "bold green", "tie": "cyan", "not decided": "yellow", "not ranked": "dim"}


def choice_view(choice: Choice) -> RenderableType:
    """Return a choice for a terminal."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for verdict in choice.verdicts:
        mark = "*" if verdict.front else " "
        style = _STYLES.get(verdict.kind, "")
        table.add_row(Text(f"{mark} {verdict.name}"), Text(verdict.kind, style), Text(verdict.reason))
    return Group(
        Text(choice.headline, "bold" if choice.pick else "bold red"),
        table,
        *(Text(line) for line in choice.nearest),
        Text(
            f"* on the Pareto front of p50, memory, size and accuracy; by {choice.prefer.value}; ratios are "
            f"to the pick, with their 95 % interval; budget: {choice.budget.source}",
            "dim",
        ),
    )

"""A check for the terminal: the sentence, a table of verdicts, and a line for each that needs one. Pure."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.gate.document import BLOCKED, FINE, Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.render.check.cells import QUANTITIES, number
from bench.render.check.headline import called, conditions, headline, of_case, variant_name, worth_saying

_WIDE = 100
_STYLES = {
    Verdict.WORSE: "bold red",
    Verdict.MISSING: "bold red",
    Verdict.BROKE: "bold red",
    Verdict.BETTER: "green",
    Verdict.FIXED: "green",
    Verdict.UNDECIDED: "yellow",
    Verdict.INCOMPARABLE: "yellow",
}


def check_view(checked: Checked, width: int) -> RenderableType:
    """Return a check for a terminal `width` columns wide."""
    style = {BLOCKED: "bold red", FINE: "bold green"}.get(checked.exit_code, "bold yellow")
    said = [
        Text.assemble((called(one, checked), _STYLES.get(one.verdict, "")), f": {one.sentence}")
        for one in worth_saying(checked)
    ]
    return Group(
        Text(headline(checked), style),
        _table(checked, width),
        *said,
        *(Text(f"note: {note}", "dim") for note in checked.notes),
        *(f"[yellow]warning:[/yellow] {escape(warning)}" for warning in checked.warnings),
        Text(conditions(checked), "dim"),
    )


def _table(checked: Checked, width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("variant", no_wrap=True)
    for quantity in QUANTITIES:
        table.add_column(quantity.value, no_wrap=True)
    for findings in of_case(checked):
        name = variant_name(findings[0], checked)
        if findings[0].quantity is Quantity.CASE:
            table.add_row(Text(name), _word(findings[0]))
        else:
            table.add_row(Text(name), *(_cell(findings, quantity, width) for quantity in QUANTITIES))
    return table


def _cell(findings: Sequence[Finding], quantity: Quantity, width: int) -> Text:
    found = next((one for one in findings if one.quantity is quantity), None)
    if found is None:
        return Text("–", "dim")
    between = " " if width >= _WIDE else "\n"
    value = number(found)
    return Text.assemble(_word(found), f"{between}{value}" if value else "")


def _word(finding: Finding) -> Text:
    return Text(finding.verdict.value, _STYLES.get(finding.verdict, ""))

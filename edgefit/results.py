"""What the Python API returns: the records of bench/ with views for notebooks and scripts.

A script reads the same fields as the JSON document has. bench/render makes the views.
"""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import PrivateAttr

from bench.choose.choosing import Choice as ChoiceRecord
from bench.compare.document import NetworkComparison as ComparisonRecord
from bench.gate.document import Checked as CheckedRecord
from bench.inspect.inspection import ModelInspection
from bench.report.schema import Report as ReportRecord
from edgefit.console import WIDTH_WITHOUT_TERMINAL, as_text
from user_files.printable import one_line, without_commands

if TYPE_CHECKING:
    import pandas as pd


def _line(text: str) -> str:
    """Return what a result is called in a line, for Python's prompt."""
    return without_commands(one_line(text))


class Report(ReportRecord):
    """The results of one run. `print(report)` shows the table of the command line."""

    @classmethod
    def of(cls, report: ReportRecord) -> "Report":
        """Return a report with the views."""
        return report if isinstance(report, cls) else cls.model_construct(**dict(report))

    def to_json(self) -> str:
        """Return the report as `edgefit bench --out` writes it."""
        from bench.report.files import to_json

        return to_json(self)

    def to_pandas(self, *, controls: bool = False) -> "pd.DataFrame":
        """Return a line for each variant, with the columns of `edgefit report --csv`.

        `controls`: the two controls have lines as well. `attrs` has the conditions and the warnings. Raises
        MissingRuntimeError without pandas.
        """
        from bench.render.data_frame import report_to_frame

        return report_to_frame(self, controls)

    def _repr_html_(self) -> str:
        from bench.render.html.notebook import report_to_notebook

        return report_to_notebook(self)

    def __str__(self) -> str:
        from bench.render.terminal import report_view

        return as_text(report_view(self, WIDTH_WITHOUT_TERMINAL))

    def __repr__(self) -> str:
        statuses = [run.status for run in self.runs if run.is_variant]
        counts = ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))
        return _line(f"<Report {self.name!r}: profile {self.profile.name}, {counts}>")


class Checked(CheckedRecord):
    """A candidate compared with a baseline. `print(checked)` shows the table of the command line."""

    @classmethod
    def of(cls, checked: CheckedRecord) -> "Checked":
        """Return a check with the views."""
        return checked if isinstance(checked, cls) else cls.model_construct(**dict(checked))

    def to_json(self) -> str:
        """Return the check as `edgefit check --json` prints it."""
        return self.model_dump_json(by_alias=True)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a line for each finding, with its fields; values are in nanoseconds, bytes or shares.

        `attrs` has the result, the conditions and the warnings. Raises MissingRuntimeError without pandas.
        """
        from bench.render.data_frame import check_to_frame

        return check_to_frame(self)

    def _repr_html_(self) -> str:
        from bench.render.html.notebook import check_to_notebook

        return check_to_notebook(self)

    def __str__(self) -> str:
        from bench.render.terminal import check_view

        return as_text(check_view(self, WIDTH_WITHOUT_TERMINAL))

    def __repr__(self) -> str:
        from bench.gate.headline import headline

        return _line(f"<Checked: {headline(self)}>")


class NetworkComparison(ComparisonRecord):
    """Networks side by side. `print(comparison)` shows the tables of the command line."""

    _reports: tuple[ReportRecord, ...] = PrivateAttr(default=())

    @classmethod
    def of(cls, comparison: ComparisonRecord, reports: Sequence[ReportRecord]) -> "NetworkComparison":
        """Return a comparison with the views, and the reports of its networks."""
        result = cls.model_construct(**dict(comparison))
        result._reports = tuple(Report.of(report) for report in reports)
        return result

    @property
    def network_reports(self) -> tuple[ReportRecord, ...]:
        """The report of each network."""
        return self._reports

    def to_json(self) -> str:
        """Return the comparison as `edgefit compare --json` prints it."""
        return self.model_dump_json(by_alias=True)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a line for each row, with its fields; values are in nanoseconds, bytes or shares.

        What it is against the baseline's row has columns of its own. Raises MissingRuntimeError without
        pandas.
        """
        from bench.render.data_frame import comparison_to_frame

        return comparison_to_frame(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def __str__(self) -> str:
        from bench.render.comparison_view import comparison_view

        return as_text(comparison_view(self, self._reports, WIDTH_WITHOUT_TERMINAL))

    def __repr__(self) -> str:
        return _line(f"<NetworkComparison: {', '.join(self.networks)}: baseline {self.baseline}>")


class Choice(ChoiceRecord):
    """The choice for a profile. `print(choice)` shows the table of the command line."""

    @classmethod
    def of(cls, choice: ChoiceRecord) -> "Choice":
        """Return a choice with the views."""
        return choice if isinstance(choice, cls) else cls.model_construct(**dict(choice))

    def to_json(self) -> str:
        """Return the choice as it stands in `choices` of `edgefit choose --json`."""
        return self.model_dump_json()

    def to_pandas(self) -> "pd.DataFrame":
        """Return a line for each candidate, with its result and the reason.

        `attrs` has the choice with its figures. Raises MissingRuntimeError without pandas.
        """
        from bench.render.data_frame import choice_to_frame

        return choice_to_frame(self)

    def _repr_html_(self) -> str:
        from bench.render.html.notebook import choice_to_notebook

        return choice_to_notebook(self)

    def __str__(self) -> str:
        from bench.render.terminal import choice_view

        return as_text(choice_view(self))

    def __repr__(self) -> str:
        return _line(f"<Choice {self.headline}>")


class Inspection(ModelInspection):
    """What is known of a model file. `print(inspection)` shows the table of the command line."""

    @classmethod
    def of(cls, inspection: ModelInspection) -> "Inspection":
        """Return an inspection with the views."""
        return inspection if isinstance(inspection, cls) else cls.model_construct(**dict(inspection))

    def to_json(self) -> str:
        """Return the inspection as `edgefit inspect --json` prints it."""
        return self.model_dump_json()

    def to_pandas(self) -> "pd.DataFrame":
        """Return a line for each kind of operator, with its share of the multiply-accumulates.

        `attrs` has what else is known. Raises MissingRuntimeError without pandas.
        """
        from bench.render.data_frame import inspection_to_frame

        return inspection_to_frame(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def __str__(self) -> str:
        from edgefit.views.inspection import inspection_view

        return as_text(inspection_view(self))

    def __repr__(self) -> str:
        return _line(f"<Inspection {self.path}: {self.format}, {self.graph.precision.value}>")

"""Which rows are best in a column."""

import dataclasses

from making.compared_report import Row, made_report

from bench.render.columns import Best, Column, best_cases


def test_a_column_that_groups_do_not_share_has_no_best_in_several_groups() -> None:
    column = Column("case_length", "length", "", lambda run: float(len(run.case)), 0, Best.LOWEST)
    report = made_report({"onnx-fp32": Row(10), "openvino-fp32": Row(9)})
    first, second, control = report.runs
    assert first.completed is not None
    grouped = first.model_copy(update={"outcome": first.completed.model_copy(update={"groups": 2})})
    in_groups = report.model_copy(update={"runs": (grouped, second, control)})

    assert (report.has_groups, in_groups.has_groups) == (False, True)
    assert best_cases(column, in_groups) == {"onnx-fp32"}
    within = dataclasses.replace(column, is_within_group=True)
    assert best_cases(within, report) == {"onnx-fp32"}
    assert best_cases(within, in_groups) == set()

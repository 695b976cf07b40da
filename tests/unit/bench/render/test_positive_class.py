"""Every output that has sensitivity says which class is the positive one."""

import pytest
from making.tiny_report import make_report

from bench.render.columns import column_of
from bench.render.html.bar_charts import retention
from bench.render.html.drawing import kinds_of
from bench.render.markdown import report_to_markdown
from bench.render.report_text import conditions, sensitivity_line
from bench.report.schema import Report


def with_positive(label: int | None) -> Report:
    report = make_report()
    assert report.evaluation is not None
    evaluation = report.evaluation.model_copy(update={"positive_class": label})
    return report.model_copy(update={"evaluation": evaluation})


@pytest.mark.parametrize(("label", "name"), [(0, "normal"), (1, "pneumonia")])
def test_the_conditions_name_the_positive_class(label: int, name: str) -> None:
    assert any(line.endswith(f"positive class: {name}") for line in conditions(with_positive(label)))


def test_a_table_with_sensitivity_names_it() -> None:
    shown = [column_of("sensitivity")]
    assert sensitivity_line(make_report(), shown) == ["sensitivity: 'pneumonia' is the positive class"]
    assert sensitivity_line(make_report(), [column_of("auc")]) == []
    assert sensitivity_line(with_positive(None), shown) == []


def test_markdown_names_it() -> None:
    assert "positive class: pneumonia" in report_to_markdown([make_report()], [])


def test_a_report_of_many_classes_has_none_whatever_its_bundle_says() -> None:
    report = make_report()
    assert report.evaluation is not None
    many = report.evaluation.model_copy(update={"reference_logits": ((0.0, 1.0, 2.0),) * 4})
    assert report.model_copy(update={"evaluation": many}).positive_name is None


def test_the_page_names_it_above_the_table_with_sensitivity() -> None:
    chart = retention(make_report(), kinds_of([make_report()]))
    assert chart is not None
    assert "Sensitivity is about the positive class, 'pneumonia'." in chart.caption

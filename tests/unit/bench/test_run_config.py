"""The options of a run: every one of them tells rows apart and keeps two reports from being compared."""

import csv
import io

import pytest
from making.compared_report import Row, made_report
from making.tiny_report import case_of

from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.options import CheckOptions, Limits
from bench.harness.plan import Case
from bench.harness.worker_messages import Load
from bench.render.csv_table import to_csv
from bench.report.conditions import differing_options
from bench.report.schema import Report, Run
from bench.run_config import RunConfig, RunOptions
from bench.runtimes.protocol import LoadOptions

CONFIG = RunConfig(provider="cpu", threads=2)
# Another value of each option; an option that is missing here has not been thought of.
OTHERS: dict[str, object] = {
    "provider": "cuda",
    "threads": 4,
    "batch": 8,
    "variables": "ONEDNN_MAX_CPU_ISA=AVX2",
}


def with_option(report: Report, name: str, value: object) -> Report:
    """The report with an option of each variant's row changed, and nothing else."""
    runs = [
        run.model_copy(update={"config": run.config.model_copy(update={name: value})})
        if run.is_variant
        else run
        for run in report.runs
    ]
    return report.model_copy(update={"runs": tuple(runs)})


def latency_of(checked: Checked) -> Finding:
    return next(finding for finding in checked.findings if finding.quantity is Quantity.LATENCY)


def test_another_value_of_each_option_is_known_here() -> None:
    assert OTHERS.keys() == RunConfig.model_fields.keys()


@pytest.mark.parametrize(("name", "value"), OTHERS.items())
def test_two_reports_that_differ_in_an_option_do_not_compare_latencies(name: str, value: object) -> None:
    baseline = made_report({"onnx-fp32": Row(10)})
    candidate = with_option(baseline, name, value)

    found = latency_of(check_reports(candidate, baseline, CheckOptions(limits=Limits()), "0", "now"))

    assert found.verdict is Verdict.INCOMPARABLE
    before = f"'{getattr(CONFIG, name)}'" if getattr(CONFIG, name) else "none"
    assert found.sentence == f"not comparable: {name} '{value}', was {before}"


def test_two_reports_with_the_same_options_are_compared() -> None:
    report = made_report({"onnx-fp32": Row(10)})

    assert differing_options(CONFIG, CONFIG) == []
    assert latency_of(check_reports(report, report, CheckOptions(limits=Limits()), "0", "now")).ratio == 1


@pytest.mark.parametrize("name", OTHERS)
def test_every_option_is_in_the_csv_file(name: str) -> None:
    row, *_ = csv.DictReader(io.StringIO(to_csv([made_report({"onnx-fp32": Row(10)})])))

    assert row[name] == str(getattr(CONFIG, name))


def test_case_request_load_and_row_hold_the_one_record() -> None:
    case = case_of("onnx-fp32")

    assert isinstance(case, Case)
    assert isinstance(case.config, RunConfig)
    for record in (Load, Run):
        assert record.model_fields["config"].annotation is RunConfig
        assert not RunConfig.model_fields.keys() & record.model_fields.keys()
    assert LoadOptions.__annotations__["config"] in (RunConfig, "RunConfig")
    assert RunOptions(threads=2).on("cpu") == CONFIG

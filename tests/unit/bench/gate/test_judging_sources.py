"""The gate on reports of bundles without labels, with several labels, and without classes."""

from dataclasses import replace
from pathlib import Path

import pytest
from making.source_bundle import KINDS, make_source_bundle
from making.source_report import IMAGES, source_report
from making.watching import Watching

from bench.bundle.manifest import read_bundle
from bench.bundle.signature import Tensor
from bench.errors import InputError
from bench.gate.check_bundles import check_bundles
from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.options import CheckOptions
from bench.render.check_text import quantities
from bench.report.comparability import require_same_answers, require_same_task
from bench.report.schema import BundleRecord
from device_profiles.loading import load_profile


def checked(name: str, error: float, **changes: object) -> Checked:
    """A candidate whose int8 is off by `error`, against one whose int8 is nearly exact."""
    candidate, baseline = source_report(KINDS[name], error), source_report(KINDS[name], 1e-6)
    return check_reports(candidate.model_copy(update=changes), baseline, CheckOptions(), "0", "now")


def finding_of(checked: Checked, quantity: Quantity, case: str = "onnx-int8") -> Finding:
    (finding,) = (each for each in checked.findings if (each.case, each.quantity) == (case, quantity))
    return finding


@pytest.mark.parametrize(("error", "verdict"), [(0.02, Verdict.SAME), (2.0, Verdict.WORSE)])
def test_without_labels_the_classes_of_both_sides_are_compared(error: float, verdict: Verdict) -> None:
    result = checked("unlabelled", error)
    finding = finding_of(result, Quantity.OUTPUTS)

    assert (finding.verdict, finding.unit) == (verdict, "share same")
    assert f"{IMAGES} inputs of the evaluation pack" in finding.sentence
    assert Quantity.OUTPUTS in quantities(result)
    assert Quantity.ACCURACY not in quantities(result)


@pytest.mark.parametrize(("error", "verdict"), [(0.02, Verdict.SAME), (2.0, Verdict.WORSE)])
def test_without_classes_the_values_of_both_sides_are_compared(error: float, verdict: Verdict) -> None:
    finding = finding_of(checked("values", error), Quantity.OUTPUTS)

    assert (finding.verdict, finding.unit, finding.flips) == (verdict, "dB", None)


@pytest.mark.parametrize("name", ["one sigmoid", "seven classes", "three classes"])
def test_with_labels_accuracy_is_compared(name: str) -> None:
    result = checked(name, 0.0)
    finding = finding_of(result, Quantity.ACCURACY)

    assert finding.verdict is Verdict.SAME
    assert finding.sentence == f"the same class on all {IMAGES} images"
    assert finding.candidate == source_report(KINDS[name], 0.0).runs[1].summary.accuracy.top1  # type: ignore[union-attr]


def test_several_labels_are_compared_label_by_label() -> None:
    finding = finding_of(checked("labels", 1.0), Quantity.ACCURACY)

    assert finding.verdict is Verdict.WORSE
    assert f"of {3 * IMAGES} labels changed class" in finding.sentence


def test_other_images_cannot_be_compared() -> None:
    report = source_report(KINDS["unlabelled"])
    assert report.bundle is not None
    other = report.bundle.model_copy(update={"pack_sha256": "f" * 64})

    finding = finding_of(checked("unlabelled", 0.0, bundle=other), Quantity.ACCURACY)

    assert finding.verdict is Verdict.INCOMPARABLE


def test_a_variant_that_neither_source_gives_is_a_finding_that_blocks_nothing() -> None:
    result = checked("unlabelled", 0.0)
    finding = finding_of(result, Quantity.CASE, "torchscript-fp32")

    assert finding.verdict is Verdict.INCOMPARABLE
    assert "TorchScript needs a network of torch" in finding.sentence
    assert finding not in result.blocking


def record(name: str, **changes: object) -> BundleRecord:
    bundle = source_report(KINDS[name]).bundle
    assert bundle is not None
    return bundle.model_copy(update=changes)


def test_bundles_with_other_outputs_or_inputs_are_not_of_one_task() -> None:
    with pytest.raises(InputError, match="holds labels with a sigmoid, and that of 'theirs' classes"):
        require_same_task(record("labels"), record("three classes"))
    with pytest.raises(InputError, match="holds values, and that of 'theirs' classes"):
        require_same_task(record("values"), record("unlabelled"))
    require_same_task(record("three classes", classes=()), record("three classes"))


def test_bundles_that_prepare_images_otherwise_cannot_answer_each_others() -> None:
    ours = record("three classes", preprocess=None, source=None)

    require_same_answers(ours, ours)
    with pytest.raises(InputError, match="prepared otherwise than 'theirs'"):
        require_same_answers(ours, record("three classes"))


def test_bundles_whose_inferences_or_ready_inputs_differ_are_not_of_one_task() -> None:
    four = Tensor(name="image", dtype="float32", shape=(4, 3, 8, 8))
    with pytest.raises(InputError, match="one inference of 'theirs' takes 4 images, and one of 'theirs' 1"):
        require_same_task(record("three classes", inputs=(four,)), record("three classes"))

    whole = tuple(tensor.model_copy(update={"dtype": "int64"}) for tensor in record("values").inputs)
    with pytest.raises(InputError, match=r"takes age: int64 .*, and 'theirs' takes age: float32"):
        require_same_task(record("values", inputs=whole), record("values"))


@pytest.mark.parametrize(("name", "other"), [("three classes", "seven classes"), ("values", "more values")])
def test_outputs_of_other_sizes_cannot_be_compared(name: str, other: str, tmp_path: Path) -> None:
    kinds = KINDS | {"more values": replace(KINDS["values"], values=7)}
    kinds["seven classes"] = replace(KINDS["seven classes"], layout="NCHW", dtype="float32")
    before, after = (replace(kinds[each], names=False) for each in (name, other))
    candidate, baseline = (
        read_bundle(make_source_bundle(tmp_path / str(kind.values), kind)) for kind in (after, before)
    )

    with pytest.raises(InputError, match=rf"holds 7 (values|classes), .* {before.values} .*: give two whose"):
        check_reports(source_report(after), source_report(before), CheckOptions(), "0", "now")
    with pytest.raises(
        InputError, match=rf"/7 holds 7 values, and .*/{before.values} {before.values} values"
    ):
        check_bundles(candidate, baseline, load_profile("laptop-cpu"), CheckOptions(), Watching(), "0", "now")


def test_reports_of_bundles_that_cannot_be_checked_do_not_advise_to_check_them() -> None:
    mine = record("three classes", preprocess=None, source=None, pack_sha256="f" * 64)

    finding = finding_of(checked("three classes", 0.0, bundle=mine), Quantity.ACCURACY)

    assert "cannot answer each other's; compare the retention that each report shows" in finding.sentence

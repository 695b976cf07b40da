"""How a check is said in one line."""

import json

from making.checks import checked, model_report, report, scores
from making.compared_report import Row, made_report
from making.tiny_report import HOST

from bench.gate.findings import Quantity, Verdict
from bench.gate.headline import headline
from bench.measurements import Failed, FailureKind, Outcome, Stage
from bench.render.bmf import check_to_bmf, was_check_bmf
from bench.render.check_text import check_conditions, finding_name, notable_findings, quantities
from bench.render.github import to_annotations
from bench.render.junit import check_to_junit
from bench.render.markdown import check_to_markdown

CRASHED = Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV")


def test_what_got_better_and_what_is_open_is_said_with_a_pass() -> None:
    before = report(onnx_fp32=Row(10), onnx_int8=Row(4))
    after = report(onnx_fp32=Row(5), onnx_int8=Row(4, noise=(0.5, 1.0, 2.0, 1.0, 0.7, 1.5, 1.0, 1.2)))

    found = headline(checked(after, before))

    assert found.startswith("PASSED: nothing of 2 variants is worse (latency, memory, size, accuracy); ")
    assert "; 1 latency is faster, 1 undecided. Check the two bundles to decide more." in found
    assert "faster" not in headline(checked(before, before))


def test_several_that_block_are_counted() -> None:
    before = report(onnx_fp32=Row(10), onnx_int8=Row(4), openvino_fp32=Row(9))
    after = report(onnx_fp32=Row(20), onnx_int8=CRASHED, openvino_fp32=Row(20))

    found = checked(after, before)

    assert headline(found).startswith("BLOCKED: onnx-int8 broke: the baseline runs, and the candidate does")
    assert ", and 2 more" in headline(found)
    assert "onnx-int8 BROKE" in check_to_markdown(found)


def test_images_that_changed_class_are_notable_though_accuracy_is_the_same() -> None:
    same = checked(report(onnx_fp32=Row(10)), report(onnx_fp32=Row(10)))
    flipped = [
        finding.model_copy(update={"flips": 2}) if finding.quantity is Quantity.ACCURACY else finding
        for finding in same.findings
    ]

    assert notable_findings(same) == []
    notable = notable_findings(same.model_copy(update={"findings": tuple(flipped)}))
    assert [finding.quantity for finding in notable] == [Quantity.ACCURACY]


def test_outputs_of_model_files_take_the_place_of_accuracy_and_are_always_said() -> None:
    found = checked(model_report("new.onnx", scores()), model_report("old.onnx", scores()))

    assert headline(found).startswith("PASSED: nothing of new.onnx is worse (latency, memory, size, ")
    assert Quantity.OUTPUTS in quantities(found)
    assert Quantity.ACCURACY not in quantities(found)
    assert [finding.quantity for finding in notable_findings(found)] == [Quantity.OUTPUTS]
    assert "| model | latency | load time | memory | size | outputs |" in check_to_markdown(found)
    assert "SAME 100.0% |" in check_to_markdown(found)
    assert check_conditions(found).startswith("candidate new.onnx (")


def test_the_agreement_of_outputs_is_a_measure() -> None:
    bmf = check_to_bmf(checked(model_report("new.onnx", scores(64)), model_report("old.onnx", scores())))

    assert json.loads(bmf)["new.onnx"]["agreement"] == {"value": 0.5}
    assert was_check_bmf(bmf.encode())


def test_what_no_variant_could_be_compared_in_is_said_once() -> None:
    rows: dict[str, Row | Outcome] = {"onnx-fp32": Row(10), "onnx-int8": Row(4)}
    other = HOST.model_copy(update={"cpu": "Another CPU"})
    found = checked(made_report(rows, host=other), made_report(rows))

    (latency,) = notable_findings(found)
    assert finding_name(latency, found) == "latency of 2 variants INCOMPARABLE"
    assert check_to_markdown(found).count("CPU 'Another CPU'") == 1
    assert len(to_annotations(found)) == 2


_LABELS = (0,) * 400 + (1,) * 4


def test_a_recall_that_changed_has_a_column_and_names_its_class() -> None:
    before = made_report({"onnx-fp32": Row(10, answers=_LABELS)}, labels=_LABELS)
    after = made_report({"onnx-fp32": Row(10, answers=(0,) * 404)}, labels=_LABELS)
    found, same = checked(after, before), checked(before, before)

    assert found.exit_code == 10
    assert headline(found).startswith(
        "BLOCKED: onnx-fp32 misses 'pneumonia' (recall 0.0 %, was 100.0 %, p = 0.0039)"
    )
    assert "SAME 0.990 | WORSE 0.000 |" in check_to_markdown(found)
    assert quantities(found)[-1] is Quantity.RECALL
    assert quantities(same)[-1] is Quantity.ACCURACY
    assert notable_findings(same) == []
    assert any("pneumonia has 4 of 404 images" in note for note in same.notes)
    assert 'name="recall of pneumonia"' in check_to_junit(found)
    assert "recall of" not in check_to_junit(same)


def test_many_recalls_of_one_variant_are_one_sentence() -> None:
    before = made_report({"onnx-fp32": Row(10, answers=_LABELS)}, labels=_LABELS)
    found = checked(before, before)
    recall = next(finding for finding in found.findings if finding.quantity is Quantity.RECALL)
    many = tuple(
        recall.model_copy(update={"class_name": f"class {index}", "verdict": Verdict.UNDECIDED, "ratio": 0.9})
        for index in range(9)
    )
    (joined,) = notable_findings(found.model_copy(update={"findings": many}))

    assert joined.class_name == "class 0"
    assert joined.sentence.endswith("class 1 0.900, class 2 0.900, class 3 0.900 and 5 more classes")

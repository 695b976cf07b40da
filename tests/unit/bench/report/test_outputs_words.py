"""What is said of the outputs of model files."""

from making.model_report import ModelRow, every_kind, model_report, unclassified

from bench.report.outputs_words import disagreement, outputs_sentence


def test_one_value_has_no_cosine_and_is_judged_by_its_sqnr() -> None:
    rows = {
        "a.onnx": ModelRow(9, outputs=(unclassified(1.0),)),
        "b.onnx": ModelRow(9, outputs=(unclassified(0.5),)),
        "c.onnx": ModelRow(9, outputs=(unclassified(1.0),)),
    }
    report = model_report(rows)
    _, other, equal, _ = report.runs

    assert disagreement(report, other) == (
        "its outputs differ from those of a.onnx: SQNR 6.0 dB (random values)"
    )
    assert disagreement(report, equal) is None
    assert outputs_sentence(report, equal) == (
        "its outputs agree with those of a.onnx: largest difference 0 (random values)"
    )


def test_what_was_not_compared_is_said_beside_what_was() -> None:
    report = model_report(every_kind())
    runs = {run.case: run for run in report.runs}

    assert outputs_sentence(report, runs["other-outputs.onnx"]) == (
        "its outputs agree with those of net.onnx: 'logits' agreement 1.000 on 5 items (random values); "
        "not compared: 'mask' has no counterpart of the same shape in net.onnx"
    )
    assert outputs_sentence(report, runs["bytes.onnx"]) == (
        "its outputs were not compared: it was run with other inputs than net.onnx"
    )
    assert outputs_sentence(report, runs["broken.onnx"]) is None
    assert outputs_sentence(report, runs["control"]) is None

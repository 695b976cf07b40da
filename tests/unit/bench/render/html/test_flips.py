"""The images on the page: those that a variant classifies differently."""

from making.compared_report import Row, made_report
from making.page_reports import three_reports

from bench.render.html.flips import MOST_LISTED, flips_of


def test_flipped_images_are_named_with_what_each_variant_says() -> None:
    (report, _, _) = three_reports()

    found = flips_of(report, None)

    flips = found.listed
    assert found.total == len(flips)
    assert [flip.index for flip in flips] == [0, 1, 2]
    assert flips[0].variants == (("onnx-int8", "pneumonia"), ("openvino-int8", "pneumonia"))
    assert flips[1].variants == (("onnx-int8", "pneumonia"),)
    assert (flips[0].label, flips[0].reference, flips[0].image) == ("normal", "normal", None)


def test_of_very_many_changed_images_the_first_are_listed_and_all_are_counted() -> None:
    labels = (0,) * 3000
    row = Row(5, answers=(0,) * 500 + (1,) * 2500)

    found = flips_of(made_report({"onnx-fp32": Row(10), "onnx-int8": row}, labels=labels), None)

    assert found.total == 2500
    assert len(found.listed) == MOST_LISTED
    assert found.listed[0].index == 500

"""The images on the page: those that a variant classifies differently."""

from making.page_reports import three_reports

from bench.render.html.flips import flips_of


def test_flipped_images_are_named_with_what_each_variant_says() -> None:
    (report, _, _) = three_reports()

    flips = flips_of(report, None)

    assert [flip.index for flip in flips] == [0, 1, 2]
    assert flips[0].variants == (("onnx-int8", "pneumonia"), ("openvino-int8", "pneumonia"))
    assert flips[1].variants == (("onnx-int8", "pneumonia"),)
    assert (flips[0].label, flips[0].reference, flips[0].image) == ("normal", "normal", None)

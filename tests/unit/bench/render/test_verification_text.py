"""What verifying found, for a terminal."""

from making.tiny_report import completed, make_report

from bench.measurements import Completed
from bench.render.report_text import conditions
from bench.render.verification_text import result_line, verified_parts
from bench.verify.document import VerifiedReport, part
from edgefit.console import as_text

HOLDS = part("dates", "it was made at noon")
WRONG = part("bundle", "sizes", ["onnx-int8: its size is 1 bytes", "'bundle.name' is 'a'"], ["the labels"])
GAP = part("measurements", None, gaps=["the samples"])


def verified(*parts: object) -> VerifiedReport:
    return VerifiedReport(path="a.json", parts=parts)  # type: ignore[arg-type]


def test_a_report_that_holds_says_so_first() -> None:
    found = verified(HOLDS, GAP)

    assert found.holds
    assert as_text(result_line(found)) == "a.json: holds in 1 part"
    lines = [line.split() for line in as_text(verified_parts(found)).splitlines()]
    assert lines == [
        ["holds", "dates", "it", "was", "made", "at", "noon"],
        ["not", "checked", "measurements", "the", "samples"],
    ]


def test_each_mismatch_is_a_sentence_with_its_part() -> None:
    found = verified(HOLDS, WRONG)

    assert not found.holds
    assert as_text(result_line(found)) == "a.json: 2 facts do not match"
    assert found.wrong == ("bundle: onnx-int8: its size is 1 bytes", "bundle: 'bundle.name' is 'a'")
    shown = as_text(verified_parts(found))
    assert "sizes" not in shown
    assert "the labels" in shown


def with_differences(differences: tuple[float | None, ...]) -> Completed:
    """A completed row whose first blocks have these differences of a timed output."""
    row = completed(10)
    first = row.processes[0]
    blocks = [
        block.model_copy(update={"output_difference": difference})
        for block, difference in zip(first.blocks, differences, strict=False)
    ]
    return row.model_copy(update={"processes": (first.model_copy(update={"blocks": tuple(blocks)}),)})


def test_the_conditions_say_how_many_timed_outputs_were_compared() -> None:
    equal = conditions(make_report({"onnx-fp32": with_differences((0.0, 0.0, None))}))
    apart = conditions(make_report({"onnx-fp32": with_differences((0.0, 0.002))}))
    older = conditions(make_report({"onnx-fp32": completed(10)}))

    words = "2 outputs of timed inferences compared with untimed ones: all are equal"
    assert any(words in line for line in equal)
    assert any(line.endswith("at most 0.002 of the largest value apart") for line in apart)
    assert not any("timed inferences" in line for line in older)

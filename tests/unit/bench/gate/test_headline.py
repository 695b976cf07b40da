"""The result of a check in at most two sentences: the worst first, how sure, and what to do."""

import re
from collections.abc import Sequence
from io import StringIO

import pytest
from making.checks import checked, model_report, report, scores
from making.compared_report import Row, bundle, made_report
from rich.console import Console

from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.headline import headline
from bench.gate.worst_finding import worst_first
from bench.measurements import Failed, FailureKind, Skipped, Stage
from bench.render.markdown import check_to_markdown
from bench.render.terminal import check_view

NOISE = (0.97, 1.0, 1.02, 1.01, 0.99, 1.03, 0.98, 1.0)
NINE = tuple(
    f"{form}-{bits}" for form in ("torchscript", "onnx", "openvino") for bits in ("fp32", "fp16", "int8")
)
CRASHED = Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV")


def nine(**changed: Row | Failed | Skipped) -> Checked:
    """A check of nine variants of two reports, of which some are other than the baseline's."""
    rows = {name: changed.get(name.replace("-", "_"), Row(10)) for name in NINE}
    return checked(made_report(rows), made_report(dict.fromkeys(NINE, Row(10))))


def as_bundles(found: Checked, confirmed: bool = False) -> Checked:
    findings = (each.model_copy(update={"confirmed": confirmed}) for each in found.findings)
    return found.model_copy(update={"compared": "bundles", "findings": tuple(findings)})


def sentences(text: str) -> int:
    return len(re.findall(r"\.(?: |$)", text.removesuffix("."))) + 1


def test_a_slowdown_is_said_with_its_interval_its_limit_and_what_to_do() -> None:
    found = nine(onnx_int8=Row(13, noise=NOISE))

    assert headline(found) == (
        "BLOCKED: onnx-int8 is 30 % slower (99.4 % interval 26 to 34 %; limit 15 %). Check the two bundles "
        "instead, or raise --max-slowdown if meant."
    )
    assert headline(as_bundles(found, confirmed=True)) == (
        "BLOCKED: onnx-int8 is 30 % slower (99.4 % interval 26 to 34 %, confirmed; limit 15 %). Fix it, or "
        "raise --max-slowdown if meant."
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            Row(10, wrong=40),
            "onnx-int8 has 96.0 % accuracy, was 100.0 % (95 % interval 0.948 to 0.972 of ",
        ),
        (
            Row(10, mib=120),
            "onnx-int8 needs 20 % more memory (peak 120.0 MiB, was 100.0; limit 5 %). Fix ",
        ),
        (Row(10, size=9_200_000), "onnx-int8 is 2.22 % larger (9200000 bytes, was 9000000; limit 1 %). Fix"),
        (CRASHED, "onnx-int8 broke: the baseline runs, and the candidate does not: "),
    ],
)
def test_each_quantity_that_is_worse_has_its_sentence(row: Row | Failed, said: str) -> None:
    assert headline(nine(onnx_int8=row)).startswith(f"BLOCKED: {said}")


def test_a_variant_that_is_gone_is_missing() -> None:
    found = checked(report(onnx_fp32=Row(10)), report(onnx_fp32=Row(10), onnx_int8=Row(4)))

    assert headline(found).startswith("BLOCKED: onnx-int8 is missing: the baseline has this case, and the ")
    assert headline(found).endswith("Repair it, or leave it out with --only.")


def test_accuracy_comes_before_latency_memory_and_size_and_the_others_are_counted() -> None:
    found = nine(
        onnx_int8=Row(30, mib=200, size=9_900_000),
        onnx_fp16=Row(10, wrong=15),
        openvino_int8=Row(10, wrong=300),
    )

    assert headline(found).startswith("BLOCKED: openvino-int8 has 70.0 % accuracy, ")
    assert "), and 4 more. " in headline(found)
    assert [(each.case, each.quantity.value) for each in worst_first(found.blocking)] == [
        ("openvino-int8", "accuracy"),
        ("onnx-fp16", "accuracy"),
        ("onnx-int8", "latency"),
        ("onnx-int8", "memory"),
        ("onnx-int8", "size"),
    ]


def finding(quantity: Quantity, verdict: Verdict, **values: float) -> Finding:
    names = {"case": "onnx-int8", "variant": "onnx-int8", "provider": "cpu"}
    return Finding(**names, quantity=quantity, verdict=verdict, sentence="a reason", **values)  # type: ignore[arg-type]


def test_what_is_undecided_comes_after_what_is_worse() -> None:
    open_ = finding(Quantity.ACCURACY, Verdict.UNDECIDED, ratio=0.5)
    slow = [finding(Quantity.LATENCY, Verdict.WORSE, ratio=ratio) for ratio in (1.1, 1.5)]

    assert worst_first([open_, *slow]) == [slow[1], slow[0], open_]


def test_outputs_are_said_with_their_share_or_their_signal() -> None:
    found = checked(model_report("new.onnx", scores(64)), model_report("old.onnx", scores()))

    assert headline(found).startswith(
        "BLOCKED: new.onnx gives the baseline's class for 50.0 % of inputs (95 % "
    )
    assert headline(found).endswith("; limit 97 %). Fix it, or lower --min-agreement if meant.")


def test_strict_says_what_is_undecided() -> None:
    wide = (0.8, 1.4, 0.6, 1.5, 1, 0.9, 1, 1)
    found = checked(report(onnx_int8=Row(10, noise=wide)), report(onnx_int8=Row(10)), strict=True)

    assert headline(found).startswith(
        "BLOCKED by --strict: the latency of onnx-int8 is undecided (90 % interval -"
    )


def test_with_nothing_worse_it_says_what_was_compared_and_what_is_undecided() -> None:
    wide = (0.8, 1.4, 0.6, 1.5, 1, 0.9, 1, 1)
    found = nine(onnx_int8=Row(10, noise=wide), openvino_int8=Row(10, noise=wide), onnx_fp16=Row(5))

    assert headline(found) == (
        "PASSED: nothing of 9 variants is worse (latency, memory, size, accuracy); 6 latencies are within "
        "15 %, 1 faster, 2 undecided. Check the two bundles to decide more."
    )
    assert headline(as_bundles(found)).endswith("2 undecided. Measure longer to decide more.")


def test_what_was_compared_of_some_only_is_counted() -> None:
    gone = Skipped(reason="no runtime")
    rows = {name: gone if name.startswith("openvino") else Row(10) for name in NINE}
    found = checked(made_report(rows | {"onnx-int8": Row(10)}), made_report(rows))

    assert headline(found).endswith("; 6 latencies are within 15 %; 3 on neither side")


def test_of_other_images_it_says_that_no_accuracy_was_compared() -> None:
    other = made_report({"onnx-int8": Row(10)}, bundle=bundle(pack_sha256="f" * 64))

    assert headline(checked(other, report(onnx_int8=Row(10)))) == (
        "PASSED: nothing of onnx-int8 is worse (latency, memory, size); 1 latency is within 15 %; "
        "not comparable: 1 accuracy"
    )


def test_if_nothing_runs_on_both_sides_nothing_was_compared() -> None:
    nowhere = report(onnx_int8=Skipped(reason="no runtime"))

    assert headline(checked(nowhere, nowhere)) == (
        "NOTHING COMPARED: no variant could be compared with the baseline's (1 on neither side)"
    )


def test_equal_files_that_were_not_measured_pass() -> None:
    equal = finding(Quantity.CASE, Verdict.SAME)
    found = nine().model_copy(update={"findings": (equal,)})

    assert headline(found) == "PASSED: the files of 1 variant are equal, byte for byte"


def various() -> Sequence[Checked]:
    wide = (0.8, 1.4, 0.6, 1.5, 1, 0.9, 1, 1)
    return (
        nine(),
        nine(onnx_int8=Row(13, noise=NOISE)),
        as_bundles(nine(onnx_int8=Row(13, noise=NOISE), onnx_fp16=Row(20)), confirmed=True),
        nine(onnx_int8=Row(10, mib=120)),
        nine(onnx_int8=Row(10, size=9_200_000)),
        nine(onnx_int8=Row(10, noise=wide), openvino_int8=Row(10, noise=wide)),
        nine(onnx_int8=Row(10, wrong=40)),
    )


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("found", various())
def test_it_takes_two_lines_of_a_terminal_and_two_sentences(found: Checked, width: int) -> None:
    console = Console(width=width, record=True, file=StringIO())
    console.print(check_view(found, width))
    lines = console.export_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.lstrip().startswith("variant"))

    assert first <= 2
    assert sentences(headline(found)) <= 2


def test_markdown_begins_with_it() -> None:
    found = nine(onnx_int8=Row(13, noise=NOISE))

    assert check_to_markdown(found).splitlines()[1].startswith("❌ **BLOCKED: onnx-int8 is 30 % slower ")


def rare(missed: int, classes: tuple[str, ...] = ("normal", "ill")) -> Checked:
    """A check of two reports of 400 healthy images and 3 or 4 ill ones, of which so many are missed now."""
    labels = (0,) * 400 + (1,) * max(3, missed)
    answers = (0,) * (400 + missed) + labels[400 + missed :]
    before, after = (
        made_report({"onnx-fp32": Row(10, answers=each)}, classes=classes, labels=labels)
        for each in (labels, answers)
    )
    return checked(after, before)


def test_too_few_missed_images_are_named_though_they_decide_nothing() -> None:
    found = rare(missed=2)

    assert found.exit_code == 0
    assert "undecided: recall of 'ill' (2 of 3 images newly missed)" in headline(found)
    assert headline(found).endswith("Compare more images to decide more.")


def test_the_long_name_of_a_missed_class_is_cut() -> None:
    assert f"misses 'path{18 * 'o'}…{7 * 'o'}' (" in headline(rare(4, ("normal", "path" + 60 * "o")))


def test_the_positive_class_comes_before_one_that_loses_more() -> None:
    ill, healthy = (
        Finding(
            case="a", variant="a", provider="cpu", quantity=Quantity.RECALL, verdict=Verdict.WORSE,
            sentence="s", ratio=ratio, class_name=name, is_positive=name == "ill",
        )
        for name, ratio in (("ill", 0.1), ("healthy", 0.0))
    )  # fmt: skip

    assert worst_first([healthy, ill]) == [ill, healthy]

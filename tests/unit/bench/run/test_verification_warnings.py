"""What a row says where its answers are not those that the manifest verified."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from making.compared_report import Row, made_report, outcome
from making.tiny_report import case_of

from bench.bundle.cpu_class import CpuClass
from bench.bundle.manifest import ArtifactRecord, ClassVerification, FileRecord, VerificationRecord
from bench.bundle.signature import Signature, image_input
from bench.bundle.variants import Precision
from bench.devices.terms import Provenance
from bench.render.report_text import remarks
from bench.report.predictions import Predictions
from bench.report.schema import Evaluation, Run
from bench.report.summaries import References
from bench.run.rows import RowContext, row_of_case
from bench.run.verification_warnings import value_warnings, verification_warnings
from device_profiles.loading import load_profile

Logits = npt.NDArray[np.float32]

IMAGES = 100
REFERENCE = np.array([[1, -1]] * IMAGES, dtype=np.float32)
CPU = "CPUExecutionProvider"
RIGHT = ((1.0, -1.0),) * IMAGES


def artifact(
    *classes: ClassVerification,
    cpu: str | None = "x86-vnni",
    flips: tuple[int, ...] = (),
    precision: Precision = Precision.INT8,
) -> ArtifactRecord:
    file = FileRecord(path="model.onnx", sha256="0" * 64, size_bytes=1)
    verification = VerificationRecord(
        images=IMAGES,
        largest_difference=0.1,
        sqnr_db=30.0,
        agreement=1 - len(flips) / IMAGES,
        flips=flips,
        retention=1.0,
        retention_ci95=None,
        mcnemar_p=1.0,
    )
    return ArtifactRecord(
        variant=f"onnx-{precision.value}",
        format="onnx",
        precision=precision,
        entry=file.path,
        files=(file,),
        producer="test",
        verification=verification,
        seconds=1.0,
        cpu=cpu,
        classes=classes,
    )


def verified(cpu_class: CpuClass, how: Literal["measured", "simulated"] = "measured") -> ClassVerification:
    return ClassVerification(cpu_class=cpu_class, how=how, images=64, agreement=0.995, sqnr_db=30.0)


def logits(*flips: int) -> Logits:
    answers: Logits = REFERENCE.copy()
    answers[list(flips)] *= -1
    return answers


def both(answers: Logits, reference: Logits, each: int = 1) -> Predictions:
    return Predictions(answers, reference, None, each)


def warnings_here(made: ArtifactRecord, answers: Logits, provider: str = CPU) -> list[str]:
    return verification_warnings(made, provider, CpuClass.X86, "this CPU", both(answers, REFERENCE))


def test_nothing_is_said_on_the_class_on_which_it_was_measured() -> None:
    made = artifact(verified(CpuClass.X86_VNNI))

    assert verification_warnings(made, CPU, CpuClass.X86_VNNI, "this CPU", both(logits(), REFERENCE)) == []


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            artifact(verified(CpuClass.X86_VNNI)),
            "x86 without VNNI, for which int8 made for --cpu x86-vnni was not",
        ),
        (
            artifact(verified(CpuClass.X86, "simulated")),
            "for which int8 was simulated, not measured (agreement 0.995 on 64 images)",
        ),
        (artifact(cpu=None), "does not say on which CPUs its int8 was verified"),
    ],
    ids=["another class", "simulated", "schema 1"],
)
def test_a_class_on_which_it_was_not_verified_is_a_warning(made: ArtifactRecord, words: str) -> None:
    (sentence,) = verification_warnings(made, CPU, CpuClass.X86, "this CPU", both(logits(), REFERENCE))

    assert words in sentence


@pytest.mark.parametrize("classes", [(), (verified(CpuClass.X86),)])
def test_a_file_that_was_int8_before_is_not_to_be_exported_again(
    classes: tuple[ClassVerification, ...],
) -> None:
    signature = Signature(inputs=(image_input(8),), outputs=())
    made = artifact(*classes, cpu=None).model_copy(update={"signature": signature})
    (sentence,) = verification_warnings(made, CPU, CpuClass.ARM, "its CPU", both(logits(), REFERENCE))

    assert sentence.startswith("its CPU is Arm without dot product; this file was int8 before the export")
    assert ("computed on x86 without VNNI alone" in sentence) is bool(classes)
    assert "measure each kind of CPU with --on, or export the float model with --cpu portable" in sentence
    assert "again" not in sentence


def test_a_cpu_of_no_known_class_is_called_so() -> None:
    made = artifact(verified(CpuClass.X86))
    (sentence,) = verification_warnings(made, CPU, None, "this CPU", both(logits(), REFERENCE))

    assert "this CPU is of a class that edgefit does not know" in sentence


def test_float_and_other_providers_have_no_class() -> None:
    fp32 = artifact(cpu=None, precision=Precision.FP32)

    assert warnings_here(fp32, logits()) == []
    assert (
        verification_warnings(
            artifact(), "CUDAExecutionProvider", CpuClass.X86, "this CPU", both(logits(), REFERENCE)
        )
        == []
    )


def test_more_changed_images_than_verified_are_a_warning() -> None:
    made = artifact(verified(CpuClass.X86), flips=(1,))

    assert verification_warnings(made, CPU, CpuClass.X86, "this CPU", both(logits(1, 2, 3), REFERENCE)) == []
    (sentence,) = verification_warnings(
        made, CPU, CpuClass.X86, "this CPU", both(logits(*range(2, 14)), REFERENCE)
    )
    assert (
        "12 of 100 images get another class here than from the reference, but 1 in the manifest" in sentence
    )


def test_only_the_images_that_both_saw_are_compared() -> None:
    made = artifact(verified(CpuClass.X86), flips=tuple(range(50, 70)))

    assert (
        verification_warnings(made, CPU, CpuClass.X86, "this CPU", both(logits()[:40], REFERENCE[:40])) == []
    )


def test_labels_of_one_image_that_change_together_are_one_change() -> None:
    """Of 100 images with 1 label, 10 that changed are more than chance; so are not 2 images with 5 labels."""
    made = artifact(verified(CpuClass.X86)).model_copy(
        update={"verification": artifact().verification.model_copy(update={"images": 20})}
    )
    changed = logits(*range(10))

    (sentence,) = verification_warnings(
        artifact(verified(CpuClass.X86)), CPU, CpuClass.X86, "", both(changed, REFERENCE)
    )
    assert "10 of 100 images" in sentence
    assert verification_warnings(made, CPU, CpuClass.X86, "this CPU", both(changed, REFERENCE, 5)) == []
    many = both(logits(*range(0, 100, 5)), REFERENCE, 5)
    (sentence,) = verification_warnings(made, CPU, CpuClass.X86, "this CPU", many)
    assert "20 of 100 labels get another class here" in sentence


def row(
    provenance: Provenance,
    profile: str,
    cpu: str | None = "x86-vnni",
    variant: str = "onnx-int8",
    has_evaluation: bool = True,
) -> Run:
    evaluation = Evaluation(
        labels=(0,) * IMAGES, reference_logits=RIGHT, positive_class=1, pack_images=IMAGES
    )
    classes = () if cpu is None else (verified(CpuClass.X86),)
    made = artifact(*classes, cpu=cpu).model_copy(update={"warnings": ("misses what was asked for",)})
    case = replace(case_of(variant), artifact=made)
    references = References.of("onnx", "cpu", {})
    completed = outcome(Row(1.0), "int8", IMAGES)
    seen = evaluation if has_evaluation else None
    context = RowContext(seen, load_profile(profile), provenance, True, CpuClass.X86_VNNI)
    return row_of_case(case, completed, context, references)


def test_a_row_without_figures_of_accuracy_says_what_the_manifest_warns_of_too() -> None:
    assert "misses what was asked for" in row("measured", "laptop-cpu", has_evaluation=False).warnings


def test_a_row_says_what_the_manifest_warns_of() -> None:
    here, board = row("measured", "laptop-cpu"), row("proxy", "raspberry-pi-5")

    assert "misses what was asked for" in here.warnings
    assert any(sentence.startswith("this CPU is x86 with VNNI, for which") for sentence in here.warnings)
    assert any(
        sentence.startswith("raspberry-pi-5's CPU is Arm with dot product, for which")
        for sentence in board.warnings
    )


def test_what_schema_1_does_not_say_is_in_each_row_and_shown_once() -> None:
    names = ("onnx-int8", "openvino-int8")
    rows = [row("measured", "laptop-cpu", None, name) for name in names]
    report = made_report({"onnx-fp32": Row(1.0)})
    report = report.model_copy(update={"runs": (*report.runs, *rows)})
    words = "does not say on which CPUs its int8 was verified"

    assert all(any(words in sentence for sentence in each.warnings) for each in rows)
    (shown,) = [each for each in remarks(report) if words in each.sentence]
    assert shown.cases == ", ".join(names)


@pytest.mark.parametrize(("method", "has_recipe"), [(None, False), ("post-training", True)])
def test_a_file_of_the_users_own_has_no_recipe_that_a_runtime_could_ignore(
    method: str | None, has_recipe: bool
) -> None:
    case = replace(case_of("onnx-int8"), artifact=artifact().model_copy(update={"method": method}))
    evaluation = Evaluation(
        labels=(0,) * IMAGES, reference_logits=RIGHT, positive_class=1, pack_images=IMAGES
    )
    context = RowContext(evaluation, load_profile("laptop-cpu"), "measured", True, CpuClass.X86_VNNI)

    row = row_of_case(case, outcome(Row(1.0), "fp32", IMAGES), context, References.of("onnx", "cpu", {}))

    words = " ".join(row.warnings)
    assert ("the recipe" in words) == has_recipe
    assert ("int8 is the file's own precision, but the" in words) != has_recipe


@pytest.mark.parametrize(
    ("here", "stored", "is_warned"),
    [(None, None, False), (12.0, 40.0, True), (34.0, 60.0, False), (20.0, 22.0, False), (12.0, None, True)],
)
def test_values_that_are_much_farther_from_the_source_than_verified_are_a_warning(
    here: float | None, stored: float | None, is_warned: bool
) -> None:
    made = artifact()
    verification = made.verification.model_copy(update={"sqnr_db": stored})

    warnings = value_warnings(made.model_copy(update={"verification": verification}), here)

    assert bool(warnings) == is_warned
    assert all("dB here, and" in sentence for sentence in warnings)

"""What the terminal shows of a bundle beside its table."""

import io
from pathlib import Path
from typing import Literal

import pytest
from making.source_bundle import KINDS, make_source_bundle
from rich.console import Console

from bench.bundle.cpu_class import CpuClass
from bench.bundle.manifest import ClassVerification, Manifest, read_bundle
from bench.bundle.recipe import Attempt, HeldOut, Recipe, Search
from bench.bundle.source_record import RivalRecord
from edgefit.views.bundles import bundle_view


def lines(manifest: Manifest) -> list[str]:
    console = Console(file=io.StringIO(), width=400)
    console.print(bundle_view(manifest, Path("bundle")))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def verified(
    cpu_class: CpuClass, how: Literal["measured", "simulated"], images: int, agreement: float
) -> ClassVerification:
    return ClassVerification(cpu_class=cpu_class, how=how, images=images, agreement=agreement, sqnr_db=30.0)


def test_a_line_names_the_cpus_on_which_int8_was_measured_and_simulated(bundle_folder: Path) -> None:
    manifest = read_bundle(bundle_folder).manifest
    first, *others = manifest.artifacts
    classes = (
        verified(CpuClass.X86_VNNI, "measured", 240, 0.9958),
        verified(CpuClass.X86, "simulated", 64, 1.0),
        verified(CpuClass.ARM, "simulated", 64, 0.9844),
    )
    made = first.model_copy(update={"variant": "onnx-int8", "cpu": "portable", "classes": classes})

    shown = [
        line for line in lines(manifest.model_copy(update={"artifacts": (made, *others)})) if "--cpu" in line
    ]

    # The line has the lowest agreement of the simulated classes.
    (line,) = shown
    assert line == (
        "onnx-int8: made for --cpu portable, measured on x86 with VNNI (agreement 0.996 on 240 images); "
        "simulated on x86 without VNNI, Arm without dot product (agreement 0.984 on 64 images)"
    )


def test_a_line_names_only_verified_classes(bundle_folder: Path) -> None:
    manifest = read_bundle(bundle_folder).manifest
    classes = (verified(CpuClass.X86, "simulated", 64, 1.0),)
    made = manifest.artifacts[0].model_copy(update={"variant": "onnx-int8", "cpu": "x86", "classes": classes})

    shown = lines(manifest.model_copy(update={"artifacts": (made,)}))

    assert (
        "onnx-int8: made for --cpu x86, simulated on x86 without VNNI (agreement 1.000 on 64 images)" in shown
    )


def test_a_line_has_the_lowest_ratio_of_an_output_without_classes(bundle_folder: Path) -> None:
    manifest = read_bundle(bundle_folder).manifest
    classes = tuple(
        ClassVerification(cpu_class=cpu_class, how="measured", images=64, agreement=None, sqnr_db=ratio)
        for cpu_class, ratio in ((CpuClass.X86, 31.5), (CpuClass.ARM, None))
    )
    made = manifest.artifacts[0].model_copy(update={"variant": "onnx-int8", "cpu": "x86", "classes": classes})

    shown = "\n".join(lines(manifest.model_copy(update={"artifacts": (made,)})))

    assert "(SQNR 31.5 dB on 64 images)" in shown


def test_a_line_says_what_the_file_has_in_fp32_and_why_the_librarys_own_defaults_were_not_tried(
    bundle_folder: Path,
) -> None:
    manifest = read_bundle(bundle_folder).manifest
    held_out = HeldOut(agreement=1.0, retention=1.0, sqnr_db=40.0)
    search = Search(
        min_retention=0.99,
        min_agreement=0.97,
        min_sqnr_db=30.0,
        library_default_error="RuntimeError: no such operator\nmore",
        images=64,
        attempts=(Attempt(recipe=Recipe(), share_in_fp32=0.07, held_out=held_out, seconds=1.0),),
        chosen=0,
        meets_goal=True,
        excluded_modules=(),
        seconds=1.0,
    )
    of_format = {"variant": "openvino-int8", "search": search, "excluded_modules": ("first", "second")}
    made = manifest.artifacts[0].model_copy(update=of_format)

    shown = lines(manifest.model_copy(update={"artifacts": (made,)}))

    (line,) = (line for line in shown if "held-out" in line)
    assert "; 2 modules in fp32 (7.0% of the multiply-accumulates); " in line
    assert line.endswith("; the library's own defaults failed (RuntimeError: no such operator)")


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_empty_of_any_kind_of_source(tmp_path: Path, name: str) -> None:
    shown = lines(read_bundle(make_source_bundle(tmp_path / "bundle", KINDS[name])).manifest)
    text = "\n".join(shown)

    assert "None" not in text
    assert "nan" not in text
    assert "torchscript-fp32 was not made: the source is an ONNX file" in text
    assert any(
        line.startswith("ONNX file theirs.onnx; onnx-fp32 is the file itself, unchanged; judged")
        for line in shown
    )
    assert ("retention" in text) == KINDS[name].labelled
    assert ("agree-" in text) == (name != "values")


def test_the_check_of_the_preprocessing_is_shown_with_its_rivals(tmp_path: Path) -> None:
    shown = lines(read_bundle(make_source_bundle(tmp_path / "bundle", KINDS["three classes"])).manifest)

    assert (
        "images: squash to 8×8 pixels, bilinear; rgb; 8-bit values times 0.00392157, minus 0.5, divided by "
        "0.25 (values from --preprocess imagenet)"
    ) in shown
    assert (
        "preprocessing checked on 40 labelled images: 38 right as stated; no significant difference: BGR (38 "
        "right); worse: values from 0 to 255 (12 right)"
    ) in shown


def test_what_could_not_be_checked_or_compared_is_said(tmp_path: Path) -> None:
    unlabelled, values = (
        "\n".join(lines(read_bundle(make_source_bundle(tmp_path / name, KINDS[name])).manifest))
        for name in ("unlabelled", "values")
    )

    assert "the preprocessing was not checked, because that takes labelled images" in unlabelled
    assert "compared with the source on evaluation images, which have no labels, so there is" in unlabelled
    assert "its inputs are ready arrays, so there is no preprocessing to check" in values
    assert "compared with the source on evaluation samples; its output holds no classes" in values
    assert "the bundle contains 40 samples of your data: protect it" in values


def test_preprocessing_that_was_trusted_against_a_better_rival_is_a_warning(tmp_path: Path) -> None:
    manifest = read_bundle(make_source_bundle(tmp_path / "bundle", KINDS["three classes"])).manifest
    source = manifest.model.source
    assert source is not None
    assert source.check is not None
    better = RivalRecord(name="values from 0 to 255", correct=40, verdict="better")
    check = source.check.model_copy(update={"rivals": (better,), "trusted": True})
    model = manifest.model.model_copy(update={"source": source.model_copy(update={"check": check})})

    text = "\n".join(lines(manifest.model_copy(update={"model": model})))

    assert "significantly better: values from 0 to 255 (40 right)" in text
    assert "warning: other preprocessing is significantly better, and --trust-preprocess went on" in text

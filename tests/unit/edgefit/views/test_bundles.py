"""What the terminal shows of a bundle beside its table."""

import io
from pathlib import Path
from typing import Literal

from rich.console import Console

from bench.bundle.cpu_class import CpuClass
from bench.bundle.manifest import ClassVerification, Manifest, read_bundle
from bench.bundle.recipe import Attempt, HeldOut, Recipe, Search
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


def test_a_line_says_why_the_librarys_own_defaults_were_not_tried(bundle_folder: Path) -> None:
    manifest = read_bundle(bundle_folder).manifest
    held_out = HeldOut(agreement=1.0, retention=1.0, sqnr_db=40.0)
    search = Search(
        min_retention=0.99,
        min_agreement=0.97,
        min_sqnr_db=30.0,
        library_default_error="RuntimeError: no such operator\nmore",
        images=64,
        attempts=(Attempt(recipe=Recipe(), share_in_fp32=0.0, held_out=held_out, seconds=1.0),),
        chosen=0,
        meets_goal=True,
        excluded_modules=(),
        seconds=1.0,
    )
    made = manifest.artifacts[0].model_copy(update={"variant": "onnx-int8", "search": search})

    shown = lines(manifest.model_copy(update={"artifacts": (made,)}))

    (line,) = (line for line in shown if "held-out" in line)
    assert line.endswith("; the library's own defaults failed (RuntimeError: no such operator)")

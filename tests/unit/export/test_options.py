"""What cannot be exported is said before any work is done, naming the value and the remedy."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from making.watching import Watching

import bench.errors
import models.errors
from bench.bundle.variants import Precision, Variant
from bench.errors import MissingRuntimeError
from bench.runtimes.formats import FORMATS, FormatRow
from export.export import ExportOptions, export
from export.exporter import import_exporter
from export.planning import plan


def refuse(folder: Path, options: ExportOptions) -> str:
    """Return the message of a refused export, which must have written nothing."""
    with pytest.raises((bench.errors.InputError, models.errors.InputError)) as refused:
        export(options, folder, Watching(), "edgefit 0", "x", "2026-01-01T00:00:00+00:00")
    assert not list(folder.iterdir())
    return str(refused.value)


def test_a_missing_run_folder_is_named(folder: Path, tmp_path: Path) -> None:
    assert f"{tmp_path / 'none'}: no such folder" in refuse(folder, ExportOptions(str(tmp_path / "none")))


def test_a_folder_that_is_not_a_run_is_named(folder: Path, tmp_path: Path) -> None:
    assert "not a run folder, as edgefit finetune writes" in refuse(folder, ExportOptions(str(tmp_path)))


def test_a_run_with_a_changed_byte_is_refused(folder: Path, own_run_folder: Path) -> None:
    path = own_run_folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert "model.safetensors was changed after" in refuse(folder, ExportOptions(str(own_run_folder)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"formats": ("onxx",)}, "unknown format 'onxx'; did you mean 'onnx'?"),
        ({"precisions": ("int4",)}, "unknown precision 'int4'; did you mean 'int8'?"),
        ({"formats": ()}, "--formats is empty; choose from: torchscript, onnx, openvino"),
        ({"precisions": ()}, "--precisions is empty; choose from: fp32, fp16, int8"),
        ({"eval_images": 1}, "--eval-images 1 is too small; give at least 2"),
        ({"calibration_images": 0}, "--calibration-images 0 is too small; give at least 1"),
        ({"threads": 0}, "--threads 0 is too small; give at least 1"),
        ({"min_retention": 1.5}, "--min-retention 1.5 is out of range; give a number from 0 to 1"),
        ({"min_retention": float("nan")}, "--min-retention nan is out of range"),
        ({"cpu": "armm"}, "unknown CPU 'armm'; did you mean 'arm'?"),
        (
            {"cpu": "arm", "precisions": ("fp32",)},
            "--cpu arm has an effect on int8 only, and int8 is not exported",
        ),
        (
            {"qat": True, "precisions": ("fp16",)},
            "--qat has an effect on int8 only, and int8 is not exported",
        ),
        ({"qat": True, "min_retention": 0.0}, "--qat trains until int8 meets --min-retention, which is 0"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    folder: Path, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    options = dataclasses.replace(ExportOptions(str(tmp_path / "not even read")), **change)

    assert sentence in refuse(folder, options)


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    table = {"onnx": dataclasses.replace(FORMATS["onnx"], exporter_needs=("torch", "no_such_package"))}

    with pytest.raises(MissingRuntimeError, match=r"no_such_package is not installed.*\[build\]'"):
        plan(ExportOptions("run", formats=("onnx",)), table)


def test_a_format_whose_exporter_is_not_installed_is_not_made_unless_it_is_named() -> None:
    rare = dataclasses.replace(
        FORMATS["onnx"], exporter_needs=("torch", "no_such_package"), build_extra="build-rare"
    )
    table = {"onnx": FORMATS["onnx"], "rare": rare}

    planned = plan(ExportOptions("run", precisions=("fp32",)), table)

    assert planned.variants == (Variant("onnx", Precision.FP32), Variant("rare", Precision.FP32))
    assert planned.possible == [Variant("onnx", Precision.FP32)]
    assert planned.impossible == {
        Variant(
            "rare", Precision.FP32
        ): "no_such_package is not installed where the bundle was made; edgefit's "
        "extra build-rare installs it"
    }
    with pytest.raises(MissingRuntimeError, match=r"no_such_package is not installed.*\[build-rare\]'"):
        plan(ExportOptions("run", formats=("onnx", "rare")), table)


def test_an_exporter_of_other_processors_is_named_with_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    rare = dataclasses.replace(FORMATS["onnx"], title="Rare", build_machines=("x86_64",))
    table = {"onnx": FORMATS["onnx"], "rare": rare}
    sentence = (
        "the packages that export Rare are offered for x86_64 only, and this machine is aarch64; "
        "export it on x86_64 with edgefit's extra build, and measure the bundle here"
    )

    assert set(plan(ExportOptions("run"), table).impossible.values()) == {sentence}
    with pytest.raises(MissingRuntimeError, match=f"rare cannot be exported here: {sentence}"):
        plan(ExportOptions("run", formats=("rare",)), table)


def test_an_exporter_of_a_newer_python_is_named_with_what_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 14))
    rare = dataclasses.replace(FORMATS["onnx"], title="Rare", build_extra="build-rare", build_python=(3, 11))
    sentence = (
        "the packages that export Rare need Python 3.11 or newer, and this is Python 3.10; export it in an "
        "environment of Python 3.11 with edgefit's extra build-rare, and measure the bundle here"
    )

    with pytest.raises(MissingRuntimeError, match=f"rare cannot be exported here: {sentence}"):
        plan(ExportOptions("run", formats=("rare",)), {"rare": rare})


# What each format says where its exporter is not installed, on a computer's usual processor and on a board's.
INSTALLED_BY = (
    r"cannot be exported here, because .*{package}.* are not installed; install them with: .*\[{extra}\]"
)
LITERT_ON_ARM = (
    "cannot be exported here: the packages that export LiteRT are offered for x86_64 only, and this machine "
    "is aarch64; export it on x86_64 with edgefit's extra build-litert, and measure the bundle here"
)


@pytest.mark.parametrize(
    ("name", "machine", "sentence"),
    [
        ("litert", "x86_64", INSTALLED_BY.format(package="litert_torch", extra="build-litert")),
        ("litert", "aarch64", LITERT_ON_ARM),
        *(
            (name, machine, INSTALLED_BY.format(package=package, extra=f"build-{name}"))
            for name, package in (("executorch", "torchao"), ("ncnn", "pnnx"))
            for machine in ("x86_64", "aarch64")
        ),
    ],
)
def test_a_named_format_without_its_exporter_says_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str, machine: str, sentence: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.version_info", (3, 11, 7))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(MissingRuntimeError, match=f"^{name} {sentence}"):
        plan(ExportOptions("run", formats=(name,)), FORMATS)


def test_where_no_exporter_is_installed_the_export_ends_with_what_is_missing() -> None:
    table = {"onnx": dataclasses.replace(FORMATS["onnx"], exporter_needs=("no_such_package",))}

    with pytest.raises(MissingRuntimeError, match="no format can be exported here: no_such_package is not"):
        plan(ExportOptions("run"), table)


def test_a_format_that_is_only_measured_is_not_exported() -> None:
    table = {"onnx": FORMATS["onnx"], "measured": dataclasses.replace(FORMATS["onnx"], exporter=None)}

    assert {variant.format for variant in plan(ExportOptions("run"), table).variants} == {"onnx"}
    with pytest.raises(bench.errors.InputError, match="measured can be measured but not exported"):
        plan(ExportOptions("run", formats=("measured",)), table)


def test_a_module_that_is_no_exporter_is_refused() -> None:
    with pytest.raises(TypeError, match=r"json is not an exporter: it must define .* export\(request\)"):
        import_exporter("json")


def only_in_fp32(row: FormatRow) -> FormatRow:
    return dataclasses.replace(row, precisions=(Precision.FP32,), why_not_all="no tool makes it")


def test_a_precision_that_a_format_does_not_have_is_refused() -> None:
    fp32_only = {"onnx": only_in_fp32(FORMATS["onnx"])}

    with pytest.raises(
        bench.errors.InputError,
        match=r"onnx cannot be exported in int8 \(no tool makes it\); leave onnx out .*, or add fp32 to",
    ):
        plan(ExportOptions("run", formats=("onnx",), precisions=("int8",)), fp32_only)
    with pytest.raises(
        bench.errors.InputError, match=r"in int8 \(no tool makes it\); leave onnx-int8 out of --only"
    ):
        plan(
            ExportOptions(
                "run", formats=("onnx",), precisions=("int8",), only=(Variant("onnx", Precision.INT8),)
            ),
            fp32_only,
        )


def test_of_the_formats_and_precisions_only_the_named_variants_are_made() -> None:
    named = (Variant("onnx", Precision.FP32), Variant("openvino", Precision.INT8))
    options = ExportOptions("run", formats=("onnx", "openvino"), precisions=("fp32", "int8"), only=named)

    assert plan(options, FORMATS).variants == named


@pytest.mark.parametrize("formats", [None, ("onnx",)])
def test_a_precision_that_one_of_several_lacks_is_not_made_and_says_why(
    formats: tuple[str, ...] | None,
) -> None:
    fp32_only = {"onnx": only_in_fp32(FORMATS["onnx"])}

    planned = plan(ExportOptions("run", formats=formats, precisions=("fp32", "int8")), fp32_only)

    assert planned.possible == [Variant("onnx", Precision.FP32)]
    assert planned.impossible == {Variant("onnx", Precision.INT8): "no tool makes it"}


def test_variants_are_made_once_each_in_the_tables_order() -> None:
    options = ExportOptions(
        "run", formats=("onnx", "torchscript", "onnx"), precisions=("int8", "fp32", "int8")
    )

    assert list(map(str, plan(options, FORMATS).variants)) == [
        "torchscript-fp32",
        "torchscript-int8",
        "onnx-fp32",
        "onnx-int8",
    ]

"""What --ship writes beside an artifact: the card, the example and the requirements, as text."""

from pathlib import Path

import pytest
from making.compared_report import Row, made_report
from making.shippable import make_tensor_bundle
from making.tiny_report import MS

from bench.bundle.manifest import Bundle, read_bundle
from bench.bundle.variants import Precision
from bench.choose.choosing import Criteria, choose
from bench.choose.ship.card import card_of
from bench.choose.ship.classify_script import example_of, requirements_of
from bench.choose.ship.shipping import ship
from bench.devices.projection.projected import Projected
from bench.errors import InputError
from bench.report.schema import Report, Run
from device_profiles.loading import load_profile
from device_profiles.settings import Budget

RANGE = Projected(
    low_ns=10 * MS, high_ns=20 * MS, basis="a published run", basis_precision="fp32", basis_ns=MS, factors=()
)


@pytest.fixture
def bundle(bundle_folder: Path) -> Bundle:
    return read_bundle(bundle_folder)


def card(bundle: Bundle, report: Report) -> str:
    (artifact,) = bundle.select(["onnx-fp32"])
    ((choice, pick),) = choose([report], Criteria(Budget()))
    assert pick is not None
    return card_of(choice, pick, bundle, artifact)


def changed(report: Report, **changes: object) -> Report:
    runs = (report.runs[0].model_copy(update=changes), *report.runs[1:])
    return report.model_copy(update={"runs": runs})


def test_the_card_says_what_was_measured_and_how(bundle: Bundle) -> None:
    found = card(bundle, changed(made_report({"onnx-fp32": Row(10)}), warnings=("the clock changed",)))

    assert "# onnx-fp32 of tiny" in found
    assert "| latency, median | 10 ms" in found
    assert "| latency, p95 | 10 ms | the same |" in found
    assert "| accuracy | 1.000 | 1000 evaluation images" in found
    assert "the clock changed" in found


def test_the_card_of_a_proxy_says_so_and_shows_the_projected_range(bundle: Bundle) -> None:
    report = made_report({"onnx-fp32": Row(10)}, profile="raspberry-pi-5", provenance="proxy")

    found = card(bundle, changed(report, projection=RANGE))

    assert "not the latency of raspberry-pi-5" in found
    assert "| latency, projected | 10 to 20 ms | not measured, for raspberry-pi-5" in found


def test_an_artifact_that_changed_since_it_was_checked_is_not_shipped(
    bundle_copy: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(bundle_copy)
    ((choice, pick),) = choose([made_report({"onnx-fp32": Row(10)})], Criteria(Budget()))
    assert pick is not None
    with (bundle_copy / "onnx-fp32" / "model.onnx").open("ab") as file:
        file.write(b"x")

    with pytest.raises(InputError, match=r"model\.onnx changed while it was copied; export the bundle again"):
        ship(choice, pick, bundle, tmp_path / "shipped", overwrite=False)

    assert list(tmp_path.glob("*shipped*")) == []


def run_of(format_name: str, provider: str = "cpu", runtime: str = "test 1") -> Run:
    (run, _) = made_report({f"{format_name}-fp32": Row(10, provider=provider)}).runs
    assert run.completed is not None
    return run.model_copy(update={"outcome": run.completed.model_copy(update={"runtime": runtime})})


def test_the_requirements_pin_the_runtime_that_was_measured(bundle: Bundle) -> None:
    (artifact,) = bundle.select(["onnx-fp32"])
    laptop, jetson = load_profile("laptop-cpu"), load_profile("jetson-orin-nano")

    assert "onnxruntime==1.20\n" in requirements_of(
        bundle.manifest, artifact, run_of("onnx", runtime="onnxruntime 1.20"), laptop
    )
    hostile = requirements_of(
        bundle.manifest, artifact, run_of("onnx", runtime="onnxruntime 1\n--index-url x"), laptop
    )
    assert hostile.splitlines()[1:] == ["onnxruntime", "numpy", "pillow"]
    on_gpu = run_of("onnx", runtime="onnxruntime 1.20", provider="CUDAExecutionProvider")
    assert "onnxruntime-gpu==1.20" in requirements_of(bundle.manifest, artifact, on_gpu, jetson)


def test_an_example_for_a_gpu_of_openvino_gives_no_threads(bundle: Bundle) -> None:
    (artifact,) = bundle.select(["openvino-fp32"])

    cpu = example_of(bundle, artifact, run_of("openvino", provider="CPU"))
    gpu = example_of(bundle, artifact, run_of("openvino", provider="GPU"))

    assert "INFERENCE_NUM_THREADS" in cpu
    assert "INFERENCE_NUM_THREADS" not in gpu


def test_an_int8_example_of_torchscript_names_the_engine_it_was_made_for(bundle: Bundle) -> None:
    (artifact,) = bundle.select(["torchscript-fp32"])
    quantised = artifact.model_copy(update={"precision": Precision.INT8, "engine": "qnnpack"})
    portable = artifact.model_copy(update={"precision": Precision.INT8})

    assert "engine = 'qnnpack'" in example_of(bundle, quantised, run_of("torchscript"))
    assert "supported_engines" in example_of(bundle, portable, run_of("torchscript"))
    assert "backends.quantized" not in example_of(bundle, artifact, run_of("torchscript"))


def test_an_fp16_example_of_torchscript_computes_in_half_on_a_gpu_alone(bundle: Bundle) -> None:
    (artifact,) = bundle.select(["torchscript-fp32"])
    half = artifact.model_copy(update={"precision": Precision.FP16})

    assert ".half()" in example_of(bundle, half, run_of("torchscript", provider="cuda"))
    assert ".half()" not in example_of(bundle, half, run_of("torchscript"))


def test_an_example_of_torchscript_finds_the_output_in_a_tuple_or_dictionary(tmp_path: Path) -> None:
    own = read_bundle(make_tensor_bundle(tmp_path / "bundle").folder)
    (artifact,) = own.select(["onnx-fp32"])
    scripted = artifact.model_copy(update={"format": "torchscript", "entry": "torchscript-fp32/model.pt"})

    script = example_of(own, scripted, run_of("torchscript"))

    compile(script, "classify.py", "exec")
    assert "outputs = [tensor.cpu().numpy() for tensor in tensors_in(answer)]" in script
    assert "import numpy as np\nimport torch\n" in script


def test_a_variant_that_the_bundle_lacks_is_not_shipped(bundle: Bundle, tmp_path: Path) -> None:
    ((choice, chosen),) = choose([made_report({"onnx-int8": Row(4)})], Criteria(Budget()))
    assert chosen is not None

    with pytest.raises(InputError, match="has no variant 'onnx-int8', which the report 'tiny' measured"):
        ship(choice, chosen, bundle, tmp_path / "ship", overwrite=False)

    assert not (tmp_path / "ship").exists()


def test_the_card_has_the_size_of_the_files_and_says_if_the_report_has_another(bundle: Bundle) -> None:
    (artifact,) = bundle.select(["onnx-fp32"])
    shown = f"| size | {artifact.size_bytes / 1e6:.2f} MB | all files of this artifact"

    assert f"{shown}; the report states 9.00 MB |" in card(bundle, made_report({"onnx-fp32": Row(10)}))
    honest = made_report({"onnx-fp32": Row(10, size=artifact.size_bytes)})
    assert f"{shown} |" in card(bundle, honest)

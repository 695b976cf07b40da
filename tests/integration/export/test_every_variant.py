"""The nine artifacts of one small run, made once by the real exporters and read by the real runtimes."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
import torch
from making.installed_formats import EXPORTED, VARIANTS, WITH_INT8
from making.nine import CALIBRATION
from making.repository import ROOT
from making.tiny_run import NOTE, SIDE, TEST

from bench.bundle.cpu_class import CpuClass
from bench.bundle.manifest import ArtifactRecord, Bundle, read_bundle
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from models.run_folder import read_run

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def bundle(nine_folder: Path) -> Bundle:
    return read_bundle(nine_folder)


def artifact(bundle: Bundle, variant: str) -> ArtifactRecord:
    return bundle.select([variant])[0]


def executed_by_onnxruntime(path: Path, folder: Path) -> Counter[str]:
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "optimised.onnx").graph.node)


def test_every_variant_is_made_and_its_hashes_are_right(bundle: Bundle) -> None:
    assert not bundle.manifest.failed
    assert [made.variant for made in bundle.manifest.artifacts] == VARIANTS


def test_the_bundle_contains_the_files_of_its_manifest_and_no_others(bundle: Bundle) -> None:
    paths = {
        path.relative_to(bundle.folder).as_posix() for path in bundle.folder.rglob("*") if path.is_file()
    }

    assert paths == {record.path for record in bundle.manifest.files()} | {"manifest.json"}


def test_the_manifest_describes_the_network(bundle: Bundle) -> None:
    assert bundle.manifest.name == "films"
    assert bundle.manifest.model.classes == ("dark", "bright")
    assert bundle.manifest.model.image_size == SIDE
    assert bundle.manifest.notes[0] == NOTE
    assert "positive" in bundle.manifest.notes[1]


def test_the_pack_contains_test_images_with_the_networks_logits(bundle: Bundle, run_folder: Path) -> None:
    pack = bundle.pack()
    run = read_run(run_folder)
    images = np.stack([pack.batch(index)[0] for index in range(len(pack))])
    with torch.inference_mode():
        logits = run.network()(torch.from_numpy(images)).numpy()

    assert len(pack) == TEST
    packed = [pack.image(index) for index in range(len(pack))]
    assert sorted(map(bytes, packed)) == sorted(map(bytes, run.images.test.images))
    np.testing.assert_allclose(pack.reference_logits, logits, atol=1e-4)


@pytest.mark.parametrize("name", EXPORTED)
def test_fp32_gives_the_logits_of_the_network(bundle: Bundle, name: str) -> None:
    made = artifact(bundle, f"{name}-fp32")
    options = LoadOptions(RunConfig(threads=1, provider=row_of(name).provider), engine=made.engine)
    session = load_runtime(name).load(bundle.folder / made.entry, options)
    pack = bundle.pack()

    assert made.verification.largest_difference <= 1e-3
    np.testing.assert_allclose(session.infer(pack.inputs(0))[0], pack.reference_logits[:1], atol=1e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_predicts_what_the_network_predicts(bundle: Bundle, variant: str) -> None:
    least = 0.95 if variant.endswith("int8") else 1

    assert (artifact(bundle, variant).verification.agreement or 0) >= least


@pytest.mark.parametrize("name", WITH_INT8)
def test_int8_is_verified_on_every_image_of_the_pack(bundle: Bundle, name: str) -> None:
    assert artifact(bundle, f"{name}-int8").verification.images == TEST


@pytest.mark.parametrize("variant", VARIANTS)
def test_lower_precision_takes_fewer_bytes(bundle: Bundle, variant: str) -> None:
    name, _, precision = variant.partition("-")
    fp32 = artifact(bundle, f"{name}-fp32").size_bytes

    share = {"fp32": 1, "fp16": 0.55, "int8": 0.33}[precision]
    if variant == "executorch-fp16":
        share = 1  # ExecuTorch's exporter stores the weights of convolutions in float
    assert artifact(bundle, variant).size_bytes <= share * fp32


def test_records_agree_with_the_row_of_their_format(bundle: Bundle) -> None:
    for made in bundle.manifest.artifacts:
        row = FORMATS[made.format]
        calibrated = made.precision in row.calibrated

        assert tuple(Path(file.path).suffix for file in made.files) == tuple(sorted(row.suffixes))
        assert made.entry.endswith(row.suffixes[0])
        assert made.engine is None
        assert made.cpu == ("portable" if calibrated else None)
        assert {check.cpu_class for check in made.classes} == (set(CpuClass) if calibrated else set())
        assert made.calibration_images == (CALIBRATION if calibrated else None)
        assert calibrated or not made.excluded_modules
        assert made.producer


def test_artifacts_contain_no_path_of_this_machine(bundle: Bundle) -> None:
    for record in bundle.manifest.files():
        content = (bundle.folder / record.path).read_bytes()

        assert b"site-packages" not in content
        assert str(ROOT).encode() not in content


@pytest.mark.parametrize("precision", Precision)
def test_onnx_is_one_checked_file_with_named_static_tensors(bundle: Bundle, precision: Precision) -> None:
    made = artifact(bundle, f"onnx-{precision.value}")
    model = onnx.load(bundle.folder / made.entry)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        tensor.name: [dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
        for tensor in (*model.graph.input, *model.graph.output)
    }

    assert shapes == {"image": [1, 3, SIDE, SIDE], "logits": [1, 2]}
    assert made.opset == next(opset.version for opset in model.opset_import if not opset.domain)
    assert model.producer_name in made.producer


def test_onnx_int8_runs_in_int8_but_for_excluded_modules(bundle: Bundle, tmp_path: Path) -> None:
    made = artifact(bundle, "onnx-int8")
    ran = executed_by_onnxruntime(bundle.folder / made.entry, tmp_path)

    assert ran["Conv"] + ran["FusedConv"] == len(made.excluded_modules)
    assert ran["QLinearConv"] == 52 - len(made.excluded_modules)


def test_onnx_fp16_is_computed_in_float_without_casts(bundle: Bundle, tmp_path: Path) -> None:
    ran = executed_by_onnxruntime(bundle.folder / artifact(bundle, "onnx-fp16").entry, tmp_path)

    assert ran["Cast"] == 0


def test_openvino_int8_runs_in_int8_but_for_excluded_modules(bundle: Bundle) -> None:
    made = artifact(bundle, "openvino-int8")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(bundle.folder / made.entry), "CPU", settings)
    facts = [operator.get_rt_info() for operator in compiled.get_runtime_model().get_ops()]
    ran = Counter(
        fact["runtimePrecision"].astype(str) for fact in facts if "Conv" in fact["layerType"].astype(str)
    )

    assert ran["f32"] == len(made.excluded_modules)
    assert ran["u8"] + ran["i8"] == 52 - len(made.excluded_modules)


def test_openvino_has_named_static_tensors(bundle: Bundle) -> None:
    model = openvino.Core().read_model(bundle.folder / artifact(bundle, "openvino-fp32").entry)

    assert model.input("image").shape == openvino.Shape([1, 3, SIDE, SIDE])
    assert model.output("logits").shape == openvino.Shape([1, 2])

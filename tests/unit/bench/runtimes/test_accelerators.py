"""Accelerators: what is not here is missing, and what runs elsewhere than it should is a failure."""

import json
from pathlib import Path

import onnxruntime
import pytest
import torch
from making.tiny_bundle import entry_of

from bench.bundle.variants import Precision
from bench.errors import FellBackError, MissingRuntimeError
from bench.run_config import RunConfig
from bench.runtimes import run_onnx, run_openvino, run_torchscript
from bench.runtimes.executed_onnx import executed_by
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.providers import place_of
from bench.system.accelerators import found_accelerators, has_nvidia_gpu

CUDA = "CUDAExecutionProvider"


def profile_of(folder: Path, providers: list[str], kinds: list[str]) -> Path:
    """Write a profile as onnxruntime does, with one node for each provider."""
    shape = [{"float": [1, 8, 4, 4]}]
    nodes = [
        {
            "cat": "Node",
            "name": f"node_{index}_kernel_time",
            "args": {
                "op_name": kind,
                "provider": provider,
                "input_type_shape": [*shape, {"float": [8, 8, 1, 1]}],
                "output_type_shape": shape,
            },
        }
        for index, (provider, kind) in enumerate(zip(providers, kinds, strict=True))
    ]
    path = folder / "profile.json"
    path.write_text(json.dumps(nodes))
    return path


def test_operators_that_ran_where_they_should_are_read(tmp_path: Path) -> None:
    # Shapes are computed on the CPU by every provider: that is no computing of the network.
    found = executed_by(profile_of(tmp_path, [CUDA, "CPUExecutionProvider"], ["Conv", "Shape"]), CUDA)

    assert [operator.macs for operator in found.operators] == [8 * 8 * 16]
    assert found.elsewhere == 0


def test_other_steps_that_ran_elsewhere_are_counted(tmp_path: Path) -> None:
    kinds = ["Conv", "AveragePool", "Shape"]

    found = executed_by(profile_of(tmp_path, [CUDA, *["CPUExecutionProvider"] * 2], kinds), CUDA)

    assert found.elsewhere == 1


def test_operators_that_ran_elsewhere_are_a_failure(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, [CUDA, *["CPUExecutionProvider"] * 2], ["Conv", "Conv", "MatMul"])

    with pytest.raises(FellBackError, match=f"2 operators were to run on {CUDA}, but ran on CPUExec"):
        executed_by(profile, CUDA)


@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
def test_a_session_that_falls_back_at_once_is_a_failure(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA])
    monkeypatch.setattr(run_onnx, "has_nvidia_gpu", lambda: True)

    with pytest.raises(FellBackError, match=f"could not use {CUDA}, and fell back to CPU"):
        run_onnx.load(entry_of(bundle_folder, "onnx-fp32"), LoadOptions(RunConfig(threads=1, provider=CUDA)))


@pytest.mark.parametrize("provider", [CUDA, "TensorrtExecutionProvider"])
def test_a_build_for_nvidia_without_a_gpu_is_missing_what_it_needs(
    provider: str, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [provider])
    monkeypatch.setattr(run_onnx, "has_nvidia_gpu", lambda: False)

    with pytest.raises(MissingRuntimeError, match=f"{provider} needs an NVIDIA GPU"):
        run_onnx.load(
            entry_of(bundle_folder, "onnx-fp32"), LoadOptions(RunConfig(threads=1, provider=provider))
        )


def test_openvino_without_a_gpu_and_torch_without_cuda_say_so(bundle_folder: Path) -> None:
    with pytest.raises(MissingRuntimeError, match="finds no device GPU on this machine"):
        run_openvino.load(
            entry_of(bundle_folder, "openvino-fp32"), LoadOptions(RunConfig(threads=1, provider="GPU"))
        )
    with pytest.raises(MissingRuntimeError, match="finds no CUDA device on this machine"):
        run_torchscript.load(
            entry_of(bundle_folder, "torchscript-fp32"), LoadOptions(RunConfig(threads=1, provider="cuda"))
        )


def test_int8_torchscript_is_for_cpus_alone(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    with pytest.raises(MissingRuntimeError, match="runs only on CPUs"):
        run_torchscript.load(
            entry_of(bundle_folder, "torchscript-fp32"),
            LoadOptions(RunConfig(threads=1, provider="cuda"), engine="onednn"),
        )


def test_tensorrt_receives_the_precision_and_keeps_its_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path))
    options = LoadOptions(
        RunConfig(threads=1, provider="TensorrtExecutionProvider"), precision=Precision.INT8
    )
    files = [tmp_path / name / "model.onnx" for name in ("one", "other")]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.parent.name)

    name, settings = run_onnx.provider_of(files[0], options)

    assert name == "TensorrtExecutionProvider"
    assert settings["trt_int8_enable"] == "True"
    assert settings["trt_fp16_enable"] == "False"
    assert Path(settings["trt_engine_cache_path"]).parent == tmp_path / "tensorrt"
    # onnxruntime tells cached engines apart by names: another model of this name must not be given this one.
    other = run_onnx.provider_of(files[1], options)[1]
    assert other["trt_engine_cache_path"] != settings["trt_engine_cache_path"]
    assert run_onnx.provider_of(files[0], LoadOptions(RunConfig(threads=1, provider=CUDA))) == (CUDA, {})


@pytest.mark.parametrize(
    ("provider", "place"),
    [
        ("CPUExecutionProvider", "cpu"),
        (CUDA, "cuda"),
        ("cuda", "cuda"),
        ("CPU", "cpu"),
        ("GPU", "gpu"),
        ("GPU.1", "gpu"),
        ("cuda:0", "cuda"),
    ],
)
def test_every_runtimes_word_for_a_place_is_one(provider: str, place: str) -> None:
    assert place_of(provider) == place


@pytest.mark.parametrize(
    ("device", "is_there"), [("nvidia0", True), ("nvidia1", True), ("nvhost-gpu", True), ("null", False)]
)
def test_a_gpu_is_known_by_its_drivers_files(device: str, is_there: bool, tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / device).touch()
    card = tmp_path / "sys/class/drm/card0/device"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x8086\n")

    assert has_nvidia_gpu(tmp_path) is is_there
    assert found_accelerators(tmp_path) == [*(["NVIDIA GPU"] if is_there else []), "Intel GPU"]

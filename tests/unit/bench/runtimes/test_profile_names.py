"""Profiles name formats and providers that there are; a module that is no runtime or exporter is refused."""

from pathlib import Path

import pytest
import yaml

from bench.runtimes.installed import import_runtime
from bench.runtimes.profile_names import load_checked_profile
from device_profiles import loading
from device_profiles.errors import ProfileError

LAPTOP = yaml.safe_load(Path(loading.__file__).with_name("laptop-cpu.yaml").read_text())


@pytest.mark.parametrize(
    ("runtimes", "words"),
    [
        (
            {"onnx": {"providers": ["CUDA"]}},
            "runtimes.onnx.providers: 'CUDA' is not a provider of onnx; did you mean 'CUDAExecutionProvider'",
        ),
        (
            {"openvino": {"providers": [""]}},
            "runtimes.openvino.providers: '' is not a provider of openvino; choose from: CPU, GPU, NPU",
        ),
        ({"onx": {"providers": ["CPU"]}}, "unknown key 'runtimes.onx'; did you mean 'onnx'"),
    ],
)
def test_a_profile_with_an_unknown_format_or_provider_is_refused(
    tmp_path: Path, runtimes: dict[str, object], words: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**LAPTOP, "name": "mine", "runtimes": runtimes}))

    with pytest.raises(ProfileError) as error:
        load_checked_profile(str(path))

    assert words in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert error.value.exit_code == 2


def test_a_module_that_is_no_runtime_is_refused() -> None:
    with pytest.raises(TypeError, match=r"json is not a runtime: it must define load\(entry, options\)"):
        import_runtime("json")

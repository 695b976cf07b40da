"""Model files as a job carries them: each with what belongs to it, under the name that its row has here."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.bundle.model_files import ModelFile, display_names
from bench.bundle.model_set import RANDOM_VALUES, InputsRecord, ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Signature, StatedInput, Tensor
from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.harness.plan import PlannedModel
from bench.remote.job_files import JobFiles, job_files, name_of, personal_content
from bench.remote.job_folder import JobRequest, ReadModels, UnreadModels
from bench.remote.job_process import opened
from bench.remote.job_spec import Environment, Job, make_job, select_formats
from bench.run.model_set import ModelSet, OpenedModels, UnopenedModels
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile
from user_files.hashes import sha256_of

_IMAGE = Tensor(name="image", dtype="float32", shape=(1, 3, 8, 8))
_SIGNATURE = Signature(inputs=(_IMAGE,), outputs=(Tensor(name="y", dtype="float32", shape=(1, 2)),))
REQUEST = BenchmarkRequest(tool="1.0", created="now")


def planned(folder: Path, source: str = RANDOM_VALUES, format_name: str = "onnx") -> PlannedModel:
    """A model in a folder of its own, whose weights lie in a further folder there."""
    (folder / "data").mkdir(parents=True)
    files = folder / "model.onnx", folder / "data" / "weights.bin"
    for path in files:
        path.write_text(str(path))
    pack = folder.parent / "inputs.npz"
    pack.write_bytes(b"inputs")
    record = ModelFileRecord(
        name=f"{folder.name}/model.onnx",
        path=str(files[0]),
        format=format_name,
        precision=Precision.FP32,
        sha256="1" * 64,
        size_bytes=2,
        signature=_SIGNATURE,
        inputs=(_IMAGE,),
        values=InputsRecord(source=source, inferences=8, sha256=sha256_of(pack)),
    )
    file = ModelFile(files[0], format_name, files, record.size_bytes, record.sha256)
    return PlannedModel(file=file, record=record, pack=pack)


def models_of(*models: PlannedModel) -> ModelSet:
    return OpenedModels(models, ModelSetRecord(models=tuple(model.record for model in models)))


@pytest.fixture
def two(tmp_path: Path) -> ModelSet:
    """Two files of one name."""
    return models_of(planned(tmp_path / "a"), planned(tmp_path / "b"))


def on_board(files: JobFiles, folder: Path) -> Path:
    """Put the files where a board puts them."""
    for path, file in files.files.items():
        assert isinstance(file.content, Path)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(file.content, folder / path)
    return folder


def job_of(models: ModelSet) -> Job:
    environment = Environment(wheels=(), with_system_packages=False, imports=(), python="3.11")
    selection = select_formats(models, (), (), None)
    return make_job(models, REQUEST, load_profile("raspberry-pi-4"), selection, environment)


def test_a_board_gets_each_file_once_and_opens_the_same_models(two: ModelSet, tmp_path: Path) -> None:
    job = job_of(two)
    received = JobRequest.model_validate_json(job.spec("e", resume=False).request.model_dump_json())
    folder = on_board(job_files(two, ()), tmp_path / "board")

    with opened(folder, received.subject) as models:
        assert isinstance(models, ModelSet)
        assert models.record == two.record
        for there, here in zip(models.models, two.models, strict=True):
            contents: Sequence[Sequence[bytes]] = [
                [path.read_bytes() for path in (*model.file.files, model.pack)] for model in (there, here)
            ]
            assert contents[0] == contents[1]
            assert there.file.path.parent / "data" / "weights.bin" in there.file.files
    assert len(job.files) == 5  # the inputs of both are one file
    assert (folder / "inputs").is_dir()


def test_another_file_or_other_inputs_are_another_job(two: ModelSet, tmp_path: Path) -> None:
    keys = {job_of(models).key for models in (two, models_of(two.models[0]))}
    changed = planned(tmp_path / "elsewhere" / "a")

    assert len(keys | {job_of(models_of(changed)).key}) == 3


def test_unopened_files_have_the_names_on_the_board_that_they_have_here(tmp_path: Path) -> None:
    files = tuple(planned(tmp_path / name).file for name in ("x/a", "y/a", "b"))
    unopened = UnopenedModels(files=files, shapes={"image": StatedInput((1, 3, 8, 8))})

    subject = job_files(unopened, ()).subject

    assert isinstance(subject, UnreadModels)
    assert subject.shapes == unopened.shapes
    there = display_names([tmp_path / "board" / entry for entry in subject.entries])
    assert there == ["x/a/model.onnx", "y/a/model.onnx", "b/model.onnx"]
    assert name_of(unopened) == "x/a/model.onnx"


def test_a_model_of_a_large_runtime_must_be_requested(tmp_path: Path) -> None:
    models = models_of(planned(tmp_path / "a", format_name="torchscript"))

    with pytest.raises(MissingRuntimeError, match=r"^model\.onnx: the wheels of torch .*--with torchscript"):
        select_formats(models, (), (), None)

    assert select_formats(models, (), ("torchscript",), None).formats == ("torchscript",)


def test_a_runtime_that_the_board_s_system_lacks_is_an_error(two: ModelSet) -> None:
    with pytest.raises(MissingRuntimeError, match=r"^a/model\.onnx: onnxruntime is not installed in the boa"):
        select_formats(two, (), (), {"numpy": "1.26"})


def test_many_files_are_called_by_the_first(tmp_path: Path) -> None:
    models = models_of(*(planned(tmp_path / f"folder-{index}") for index in range(20)))

    assert name_of(models_of(*models.models[:2])) == "folder-0/model.onnx, folder-1/model.onnx"
    assert name_of(models) == "folder-0/model.onnx, folder-1/model.onnx and 18 more"


def test_only_inputs_of_the_user_may_show_patients(two: ModelSet, tmp_path: Path) -> None:
    own = models_of(*two.models, planned(tmp_path / "c", source="films/"))

    assert personal_content(two) is None
    assert personal_content(own) == "inputs of films/"
    assert isinstance(job_files(own, ()).subject, ReadModels)

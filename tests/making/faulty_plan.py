"""Runs plans of faulty and healthy cases through the real harness, with short sampling."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from bench.bundle.evaluation_pack import EvaluationPack, write_pack
from bench.bundle.judged_output import CLASSES
from bench.bundle.signature import image_input
from bench.bundle.variants import Precision
from bench.harness.case_worker import CaseWorker
from bench.harness.journal import Journal
from bench.harness.paired_blocks import Pair
from bench.harness.plan import Case, Plan, PlannedEvaluation, controls_of
from bench.harness.run_plan import measure
from bench.harness.worker_messages import Inferred
from bench.measurements import Outcome, Stage
from bench.progress import Progress
from bench.run_config import RunConfig, RunOptions
from bench.runtimes.formats import FORMATS, FormatRow
from device_profiles.settings import Sampling
from making.tiny_report import HOST
from user_files.hashes import sha256_of

FAULTY = Path(__file__).with_name("faulty_runtime")
SHORT = Sampling(
    check_after_processes=(1,),
    warm_up=15,
    blocks=3,
    block_samples=4,
    time_limit_s=60,
    hang_limit_s=20,
    source="short, for tests",
)
IMAGES = 6


class Silent:
    """A progress that keeps its sentences."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def begin(self, task: str, total: int) -> None:
        pass

    def advance(self, steps: int = 1, note: str = "") -> None:
        pass

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def say_always(self, sentence: str) -> None:
        self.say(sentence)


@contextmanager
def faulty_runtime() -> Iterator[None]:
    """Have the format `faulty` run by the faulty runtime, in this process's table and its workers."""
    row = FormatRow("Faulty", "faulty_runtime", "numpy", "", ("cpu",))
    path = os.pathsep.join([str(FAULTY), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    with patch.dict(FORMATS, {"faulty": row}), patch.dict(os.environ, {"PYTHONPATH": path}):
        yield


def case(folder: Path, name: str, fault: str = "nothing", **changes: object) -> Case:
    """A case of the faulty runtime; `fault`: what its entry file says."""
    entry = folder / f"{name}.txt"
    entry.write_text(f"{fault}\n{name}\n")
    settings: dict[str, object] = {
        "variant": name,
        "format": "faulty",
        "entry": entry,
        "files": (entry,),
        "engine": None,
        "config": RunConfig(provider="cpu", threads=1),
        "cpus": None,
        "inputs": (image_input(32),),
        "size_bytes": 1,
        "precision": Precision.FP32,
        "digest": sha256_of(entry),
        "memory_limit_bytes": None,
        "evaluation": None if "model" in changes else evaluation_in(folder),
    }
    return Case(**(settings | changes))  # type: ignore[arg-type]


def evaluation_in(folder: Path, images: int = IMAGES) -> PlannedEvaluation:
    """The first `images` of a small evaluation pack, which is written unless there is one."""
    pack = folder / "evaluation.npz"
    if not pack.exists():
        grey = np.zeros((IMAGES, 32, 32), dtype=np.uint8)
        logits = np.ones((IMAGES, 2), dtype=np.float32)
        write_pack(pack, EvaluationPack(grey, np.zeros(IMAGES, dtype=np.int64), logits))
    return PlannedEvaluation(pack, sha256_of(pack), images, values=2, output=CLASSES)


def lose_patience_with(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait two seconds for each answer of this case once its worker has been started and has loaded."""
    infer = CaseWorker.infer

    def infer_soon(self: CaseWorker, count: int, stage: Stage, **settle: int) -> Inferred:
        if self.case.id == name:
            self._hang_limit_s = 2.0
        return infer(self, count, stage, **settle)

    monkeypatch.setattr(CaseWorker, "infer", infer_soon)


def pair_of(folder: Path, name: str) -> Pair:
    """A case and the same one with another digest."""
    before = case(folder, name)
    return Pair(before, replace(before, digest="changed"))


def plan(
    folder: Path, cases: list[Case], sampling: Sampling = SHORT, images: int = IMAGES, **changes: object
) -> Plan:
    """A plan over the first `images` of the evaluation pack that lies in `folder` by now."""
    evaluation = evaluation_in(folder, images)
    settings: dict[str, object] = {
        "cases": tuple(one if one.model else replace(one, evaluation=evaluation) for one in cases),
        "controls": controls_of(RunOptions(threads=1), None)[:1],
        "sampling": sampling,
    }
    return Plan(**(settings | changes))  # type: ignore[arg-type]


def outcomes_of(
    planned: Plan,
    key: str = "run",
    available_bytes: int = 8 << 30,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict[str, Outcome]:
    """Run a plan to its end."""
    with faulty_runtime(), Journal(key, resume) as journal:
        outcomes = measure(planned, HOST, available_bytes, journal, progress or Silent(), "now")
        journal.finish()
    return outcomes

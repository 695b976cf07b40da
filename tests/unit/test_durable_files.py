"""Files are written by bench/filesystem/, which syncs them; here is why some modules write on their own."""

import ast
from collections.abc import Iterator
from pathlib import Path

from making.repository import ROOT

PACKAGES = ("bench", "device_profiles", "edgefit", "export", "models", "user_files")
WRITERS = (
    "write_text",
    "write_bytes",
    "save",
    "savez",
    "savez_compressed",
    "save_file",
    "copyfile",
    "copytree",
)
MODES = frozenset("wax+")
IN_A_WHOLE_FOLDER = "into the new folder of whole_folder, which syncs all of it before it gets its name"
TEMPORARY = "into a temporary folder"
SETTING = "into a file of the kernel"
MEMORY = "into memory"
SYNCED = "and syncs it itself"
REASONS = {
    "bench/bundle/evaluation_pack.py": IN_A_WHOLE_FOLDER,
    "bench/bundle/manifest.py": IN_A_WHOLE_FOLDER,
    "bench/bundle/tensor_pack.py": IN_A_WHOLE_FOLDER,
    "bench/choose/ship/shipping.py": IN_A_WHOLE_FOLDER,
    "bench/compare/folder.py": IN_A_WHOLE_FOLDER,
    "bench/filesystem/unfinished.py": "for write_whole, which syncs it",
    "bench/harness/started_process.py": TEMPORARY,
    "bench/harness/journal.py": SYNCED,
    "bench/harness/process_memory.py": SETTING,
    "bench/harness/start.py": SETTING,
    "bench/remote/agent/environments.py": "and syncs the whole board",
    "bench/remote/agent/jobs.py": "a lock and a log, which nothing is resumed from",
    "bench/remote/agent/store.py": SYNCED,
    "bench/remote/agent/trial.py": "to see whether it can, and deletes it",
    "bench/remote/job_process.py": "progress, which nothing is resumed from",
    "bench/remote/packing.py": "into a file of whole_file",
    "bench/remote/probe.py": TEMPORARY,
    "bench/remote/wheel_cache.py": SYNCED,
    "bench/render/html/flips.py": MEMORY,
    "bench/render/html/png.py": MEMORY,
    "bench/runtimes/profile_names.py": "a file of this repository",
    "bench/system/memory_limit.py": SETTING,
    "bench/system/sandbox.py": SETTING,
    "export/artifact.py": IN_A_WHOLE_FOLDER,
    "export/networks.py": TEMPORARY,
    "export/to_executorch.py": IN_A_WHOLE_FOLDER,
    "export/to_litert.py": IN_A_WHOLE_FOLDER,
    "export/to_ncnn.py": IN_A_WHOLE_FOLDER,
    "export/to_torchscript.py": IN_A_WHOLE_FOLDER,
    "export/worker.py": "into a pipe",
    "models/disk_space.py": IN_A_WHOLE_FOLDER,
    "models/finetune.py": IN_A_WHOLE_FOLDER,
    "models/pretrain.py": SYNCED,
    "models/run_folder.py": IN_A_WHOLE_FOLDER,
}


def writing_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
        modes += [word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)]
        is_open = name in ("open", "FileIO") and any(_writes(mode) for mode in modes)
        if name in WRITERS or is_open:
            yield name


def _writes(mode: object) -> bool:
    return isinstance(mode, str) and len(mode) < 4 and bool(MODES & set(mode))


def test_every_file_is_synced_or_needs_no_syncing() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in Path(ROOT, package).rglob("*.py")
        if any(writing_calls(ast.parse(path.read_text(encoding="utf-8"))))
    }

    assert writers - REASONS.keys() == set(), "write with write_whole or whole_folder, or say why not"
    assert REASONS.keys() - writers == set(), "these no longer write"

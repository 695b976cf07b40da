"""Keep a model file as the next baseline: copy it, with the files that it refers to, into an empty folder.

usage: keep_model.py MODEL FOLDER
"""

import shutil
import sys
from pathlib import Path

from bench.bundle.model_files import read_model_file


def keep(model: Path, folder: Path) -> None:
    """Copy a model file; `model-file.txt` has its name, by which check.sh finds it."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for file in read_model_file(model).files:
        target = fresh / file.relative_to(model.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (fresh / "model-file.txt").write_text(model.name)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


keep(Path(sys.argv[1]), Path(sys.argv[2]))

"""--overwrite as a user meets it: it removes what edgefit wrote, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest
from making.command_line import edgefit
from making.compared_report import Row, made_report

from bench.bundle import manifest
from bench.choose.ship import shipping
from bench.errors import InputError
from bench.filesystem.whole_files import WrittenFiles, whole_folder
from bench.remote import wheelhouse
from bench.report.files import write_report
from models import run_folder
from user_files.hashes import sha256_of

FINETUNE = ("finetune", "--data", "synthetic", "--weights", "none", "--out")
EXPORT = ("export", "nowhere", "--out")
WHEELHOUSE = ("wheelhouse", "--python", "3.11", "--out")
WEB_APP = json.dumps({"name": "shop", "start_url": ".", "display": "standalone"})
KINDS: dict[str, WrittenFiles] = {
    "bundle_folder": manifest.written_files,
    "run": run_folder.written_files,
    "wheels": wheelhouse.written_files,
    "shipped": shipping.written_files,
}


@pytest.mark.parametrize(
    ("command", "record"),
    [(FINETUNE, "run.json"), (EXPORT, "manifest.json"), (WHEELHOUSE, "wheelhouse.json")],
)
def test_a_users_own_record_makes_no_result(tmp_path: Path, command: tuple[str, ...], record: str) -> None:
    (tmp_path / record).write_text(WEB_APP)
    (tmp_path / "thesis.tex").write_text("mine")

    done = edgefit(*command, tmp_path, "--overwrite")

    assert done.returncode == 2
    assert f"{tmp_path} already contains something else; choose another --out" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([record, "thesis.tex"])


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("content", [WEB_APP, "", "{}", '{"schema": 1}', "[]", "null", "no json", "\0"])
def test_no_record_counts_but_edgefits_own(tmp_path: Path, kind: WrittenFiles, content: str) -> None:
    for record in ("run.json", "manifest.json", "wheelhouse.json", "shipped.json", "CARD.md"):
        (tmp_path / record).write_text(content)

    assert kind(tmp_path) is None


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "numpy-1.0-py3-none-any.whl").write_text("a wheel")
    held = wheelhouse.Wheelhouse(
        python="3.11",
        glibc="2.36",
        machine="aarch64",
        formats=("onnx",),
        wheels={"numpy-1.0-py3-none-any.whl": sha256_of(folder / "numpy-1.0-py3-none-any.whl")},
    )
    (folder / "wheelhouse.json").write_text(held.model_dump_json())
    return folder


@pytest.fixture(scope="session")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from making.tiny_run import make_tiny_run

    return make_tiny_run(tmp_path_factory.mktemp("tiny") / "run")


@pytest.fixture
def run(_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_run, tmp_path / "run"))


@pytest.fixture
def report(bundle_folder: Path, tmp_path: Path) -> Path:
    """A report of the bundle that was made up, not measured."""
    path = tmp_path / "report.json"
    made = made_report({"onnx-fp32": Row(10)})
    opened = manifest.read_bundle(bundle_folder)
    assert made.bundle is not None
    about = made.bundle.model_copy(update={"sha256": opened.sha256, "folder": str(bundle_folder)})
    write_report(path, made.model_copy(update={"bundle": about}))
    return path


def ship(report: Path, folder: Path, *words: str) -> tuple[int, str]:
    done = edgefit("choose", report, "--min-retention", "0", "--ship", folder, *words)
    return done.returncode, done.stderr


@pytest.fixture
def shipped(report: Path, tmp_path: Path) -> Path:
    code, said = ship(report, tmp_path / "shipped")
    assert code == 0, said
    return tmp_path / "shipped"


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_of_each_kind_is_replaced_unless_it_holds_another_file(
    request: pytest.FixtureRequest, kind: str
) -> None:
    folder, written = request.getfixturevalue(kind), KINDS[kind]
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(InputError, match=r"notes\.txt was not written by edgefit"):
        replace(folder, written)
    (folder / "notes.txt").unlink()
    replace(folder, written)

    assert [path.name for path in folder.iterdir()] == ["new"]


def replace(folder: Path, written: WrittenFiles) -> None:
    with whole_folder(folder, written, overwrite=True) as part:
        (part / "new").touch()


def test_a_note_in_a_bundle_is_named_and_the_bundle_stays(bundle_folder: Path) -> None:
    (bundle_folder / "notes.txt").write_text("mine")

    done = edgefit("export", "nowhere", "--out", bundle_folder, "--overwrite")

    assert done.returncode == 2
    assert "notes.txt was not written by edgefit; move it away, or choose another --out" in done.stderr
    assert (bundle_folder / "manifest.json").is_file()


def test_a_shipped_folder_lists_its_files_and_may_be_shipped_to_again(report: Path, shipped: Path) -> None:
    assert ship(report, shipped)[0] == 2
    code, said = ship(report, shipped, "--overwrite")
    assert code == 0, said

    listed = shipping.written_files(shipped)
    assert listed is not None
    assert listed.keys() == {
        "CARD.md",
        "classify.py",
        "preprocess.py",
        "requirements.txt",
        "onnx-fp32/model.onnx",
        "shipped.json",
    }


def test_a_changed_example_is_not_replaced(report: Path, shipped: Path) -> None:
    (shipped / "classify.py").write_text("mine")

    code, said = ship(report, shipped, "--overwrite")

    assert code == 2
    assert "classify.py was changed after edgefit wrote it" in said
    assert (shipped / "classify.py").read_text() == "mine"


@pytest.mark.parametrize("is_generated", [True, False])
def test_a_card_alone_makes_no_result(report: Path, shipped: Path, is_generated: bool) -> None:
    (shipped / "shipped.json").unlink()
    card = "`classify.py` does just that; the network normalises by itself." if is_generated else "My own"
    (shipped / "CARD.md").write_text(f"# A model\n\n{card}\n")
    before = sorted(shipped.rglob("*"))

    code, said = ship(report, shipped, "--overwrite")

    assert code == 2
    words = "an earlier version of edgefit wrote" if is_generated else "already contains something else"
    assert words in said
    assert "choose another --ship" in said
    assert sorted(shipped.rglob("*")) == before

"""The agent: it runs wherever a Python is, and nothing that it is sent makes it do anything else."""

import ast
import fcntl
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import RefusedError, Store
from bench.remote.agent_source import MODULES, agent_source

AGENT = Path(__file__).parents[2] / "bench" / "remote" / "agent"
# What bench.remote.packing carries besides; it is never sent over a link.
PACKED = "packed"


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            found.add(node.module)
    return found


def test_the_agent_is_all_of_its_modules_in_the_order_in_which_they_import_each_other() -> None:
    own = {f"bench.remote.agent.{name}": place for place, name in enumerate((*MODULES, PACKED))}

    assert {path.stem for path in AGENT.glob("*.py")} == {"__init__", *MODULES, PACKED}
    for name in (*MODULES, PACKED):
        for module in imported(AGENT / f"{name}.py"):
            if module in own:
                assert own[module] < own[f"bench.remote.agent.{name}"]
            else:
                assert module.partition(".")[0] in sys.stdlib_module_names, (name, module)


def ask(store: Path, *requests: dict[str, object], extra: bytes = b"") -> list[dict[str, object]]:
    """Run the agent as a board would, without a file of its own, and return its answers."""
    source = agent_source()
    program = f"import sys;i=open(0,'rb',0);exec(i.read({len(source)}))"
    sent = source + b"".join(json.dumps(one).encode() + b"\n" for one in requests) + extra
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=sent,
        env={**os.environ, "XDG_CACHE_HOME": str(store)},
        capture_output=True,
        check=False,
    )
    assert not done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_runs_without_a_file_and_ends_when_nobody_is_there(tmp_path: Path) -> None:
    answers = ask(tmp_path, {"ask": "lacking", "hashes": ["0" * 64]})

    assert answers == [{"answer": ["0" * 64]}]
    assert not list(tmp_path.iterdir())


def test_a_refused_file_does_not_upset_what_follows_it(tmp_path: Path) -> None:
    put = {"ask": "put", "sha256": "no hash", "size_bytes": 3}

    source = agent_source()
    assert source
    first, second = ask(
        tmp_path, put, extra=b"abc" + json.dumps({"ask": "lacking", "hashes": []}).encode() + b"\n"
    )

    assert "is no SHA-256" in str(first["refused"])
    assert second == {"answer": []}


def test_a_wheel_is_unpacked_with_its_data_where_it_belongs(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    sha256 = kept_wheel(
        store,
        {
            "tiny/__init__.py": "VALUE = 7\n",
            "tiny-1.data/purelib/beside.py": "",
            "tiny-1.data/scripts/tool": "",
        },
    )

    environments.make("e1", [sha256], with_system_packages=False, trial=["tiny", "beside"])

    python = environments.python("e1")
    words = [str(python), "-c", "import tiny; print(tiny.VALUE)"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "7\n"
    assert not list(python.parent.parent.rglob("tool"))
    assert store.missing([sha256]) == [sha256]  # unpacked, it is not kept twice


def test_an_environment_that_cannot_be_imported_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    sha256 = kept_wheel(store, {"broken.py": "raise ImportError('built for another machine')\n"})

    with pytest.raises(RefusedError, match="built for another machine"):
        Environments(store).make("e1", [sha256], with_system_packages=False, trial=["broken"])

    assert not list((store.root / "environments").iterdir())


def test_a_new_environment_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    for key in ("old", "new"):
        wheel = kept_wheel(store, {f"{key}.py": ""})
        environments.make(key, [wheel], with_system_packages=False, trial=[key])

    assert [path.name for path in (store.root / "environments").iterdir()] == ["new"]


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside"])
def test_no_file_of_a_bundle_lands_outside_its_job(tmp_path: Path, path: str) -> None:
    store = Store(tmp_path / "store")
    spec = {"environment": "e", "code": "c", "files": {path: "0" * 64}, "request": {}}

    with pytest.raises(RefusedError, match="is no path inside a bundle"):
        Jobs(store).start("abc", spec)


def test_an_environment_without_its_note_was_never_finished(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    wheel = kept_wheel(store, {"tiny.py": ""})
    environments.make("e1", [wheel], with_system_packages=False, trial=["tiny"])
    note = next((store.root / "environments").glob("*/*.json"))

    assert environments.find([wheel], with_system_packages=False) == "e1"
    note.write_bytes(b"")  # as a loss of power leaves it
    assert environments.find([wheel], with_system_packages=False) is None
    note.unlink()
    assert environments.find([wheel], with_system_packages=False) is None


def test_nothing_disturbs_what_is_being_measured(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.folder("jobs")
    jobs = Jobs(store)
    with (store.root / "measuring").open("wb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(b'{"job": "abc", "pid": null}')
        lock.flush()

        assert jobs.state("abc") == "running"
        with pytest.raises(RefusedError, match="another measurement runs"):
            jobs.state("def")
        with pytest.raises(RefusedError, match="a measurement runs here"):
            jobs.clean(may_stop=False)


def test_a_job_that_a_full_disk_ended_goes_on_from_its_journal(tmp_path: Path) -> None:
    jobs = Jobs(Store(tmp_path / "store"))
    place = jobs.place("abc")
    place.mkdir(parents=True)
    for name in ("events.jsonl", "ended.json"):
        (place / name).touch()

    assert jobs.state("abc") == "ended"
    jobs.delete_job("abc", but_its_journal=True)
    assert jobs.state("abc") == "cut off"
    jobs.delete_job("abc", but_its_journal=False)
    assert jobs.state("abc") == "unknown"


@pytest.mark.parametrize("key", ["..", "a/b", ""])
def test_no_job_is_a_path(tmp_path: Path, key: str) -> None:
    with pytest.raises(RefusedError):
        Jobs(Store(tmp_path)).place(key)


def kept_wheel(store: Store, files: dict[str, str]) -> str:
    import hashlib
    import io

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    content = whole.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(sha256, len(content), io.BytesIO(content).read)
    return sha256

"""The agent: it runs wherever a Python is, and understands nothing but bench.remote.agent_messages."""

import ast
import fcntl
import inspect
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import get_args

import pytest
from making.repository import ROOT

from bench.remote.agent import environments
from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.serving import Agent
from bench.remote.agent.store import RefusedError, Store
from bench.remote.agent_messages import AgentRequest
from bench.remote.shipped_code import AGENT_MODULES, agent_source

AGENT = ROOT / "bench" / "remote" / "agent"
# The module of packed jobs; it is never sent over a connection.
PACKED = "packed"


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            names.add(node.module)
    return names


def test_the_agent_s_modules_import_the_standard_library_and_earlier_ones() -> None:
    own = {f"bench.remote.agent.{name}": place for place, name in enumerate((*AGENT_MODULES, PACKED))}

    assert {path.stem for path in AGENT.glob("*.py")} == {"__init__", *AGENT_MODULES, PACKED}
    for name in (*AGENT_MODULES, PACKED):
        for module in imported(AGENT / f"{name}.py"):
            if module in own:
                assert own[module] < own[f"bench.remote.agent.{name}"]
            else:
                assert module.partition(".")[0] in sys.stdlib_module_names, (name, module)


def ask(store: Path, *requests: dict[str, object], extra: bytes = b"") -> list[dict[str, object]]:
    """Run the agent as a board would, without a file of its own, and return its answers."""
    source = agent_source()
    program = f"import sys;i=open(0,'rb',0);exec(i.read({len(source)}))"
    sent = source + b"".join(json.dumps(request).encode() + b"\n" for request in requests) + extra
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=sent,
        env={**os.environ, "XDG_CACHE_HOME": str(store)},
        capture_output=True,
        check=False,
    )
    assert not done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_request_is_a_method_with_the_same_arguments() -> None:
    requests = {kind.model_fields["request"].default: kind for kind in get_args(AgentRequest)}
    methods = {
        name.removeprefix("do_"): getattr(Agent, name) for name in dir(Agent) if name.startswith("do_")
    }

    assert requests.keys() == methods.keys()
    for name, kind in requests.items():
        arguments = list(inspect.signature(methods[name]).parameters)
        assert arguments == ["self", *(field for field in kind.model_fields if field != "request")], name


def test_it_runs_without_a_file_and_ends_with_its_input(tmp_path: Path) -> None:
    answers = ask(tmp_path, {"request": "missing", "hashes": ["0" * 64]})

    assert answers == [{"answer": ["0" * 64]}]
    assert not list(tmp_path.iterdir())


def test_a_request_after_a_refused_file_is_answered(tmp_path: Path) -> None:
    put = {"request": "put", "sha256": "no hash", "size_bytes": 3}

    first, second = ask(
        tmp_path, put, extra=b"abc" + json.dumps({"request": "missing", "hashes": []}).encode() + b"\n"
    )

    assert "is not a SHA-256" in str(first["refused"])
    assert second == {"answer": []}


def test_the_data_folder_of_a_wheel_is_unpacked(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    sha256 = stored_wheel(
        store,
        {
            "tiny/__init__.py": "VALUE = 7\n",
            "tiny-1.data/purelib/beside.py": "",
            "tiny-1.data/scripts/tool": "",
        },
    )

    environments.make("e1", [sha256], with_system_packages=False, imports=["tiny", "beside"])

    python = environments.python("e1")
    words = [str(python), "-c", "import tiny; print(tiny.VALUE)"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "7\n"
    assert not list(python.parent.parent.rglob("tool"))
    assert store.missing([sha256]) == [sha256]  # unpacked, it is not kept twice


@pytest.mark.parametrize(
    "name", ["../../../../../outside.py", "/outside.py", "x-1.data/purelib/../../../../../../outside.py"]
)
def test_a_wheel_writes_nothing_outside_its_environment(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    wheel = stored_wheel(store, {name: ""})

    environments.make("e1", [wheel], with_system_packages=False, imports=[])

    assert [path.relative_to(store.root).parts[:2] for path in tmp_path.rglob("outside.py")] == [
        ("environments", "e1")
    ]
    assert not Path("/outside.py").exists()


def test_an_environment_that_cannot_be_imported_is_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    sha256 = stored_wheel(store, {"broken.py": "raise ImportError('built for another machine')\n"})

    with pytest.raises(RefusedError, match="built for another machine"):
        Environments(store).make("e1", [sha256], with_system_packages=False, imports=["broken"])

    assert not list((store.root / "environments").iterdir())


def test_a_new_environment_replaces_the_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    for key in ("old", "new"):
        wheel = stored_wheel(store, {f"{key}.py": ""})
        environments.make(key, [wheel], with_system_packages=False, imports=[key])

    assert [path.name for path in (store.root / "environments").iterdir()] == ["new"]


@pytest.mark.parametrize(
    "path",
    [
        *("../outside", "/etc/outside", "a/../../outside", "", ".", "..", "a/", "a//b", "./a", "a/."),
        "a\0b",
    ],
)
def test_a_file_outside_the_job_s_folder_is_refused(tmp_path: Path, path: str) -> None:
    store = Store(tmp_path / "store")
    spec = {"environment": "e", "code": "c", "files": {path: "0" * 64}, "request": {}}

    with pytest.raises(RefusedError, match="is not a path inside a job's folder"):
        Jobs(store).start("abc", spec)


def test_an_environment_without_its_record_is_unfinished(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    wheel = stored_wheel(store, {"tiny.py": ""})
    environments.make("e1", [wheel], with_system_packages=False, imports=["tiny"])
    record = next((store.root / "environments").glob("*/*.json"))

    assert environments.find([wheel], with_system_packages=False) == "e1"
    record.write_bytes(b"")  # as a loss of power leaves it
    assert environments.find([wheel], with_system_packages=False) is None
    record.unlink()
    assert environments.find([wheel], with_system_packages=False) is None


def test_an_environment_with_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    files = {"tiny.py": "VALUE = 7\n", "empty.py": ""}
    for damage in (Path.unlink, lambda path: path.write_bytes(b"")):
        wheel = stored_wheel(store, files)
        environments.make("e1", [wheel], with_system_packages=False, imports=["tiny", "empty"])
        assert environments.find([wheel], with_system_packages=False) == "e1"

        damage(next(store.root.rglob("tiny.py")))
        assert environments.find([wheel], with_system_packages=False) is None


def test_code_with_a_damaged_file_is_unpacked_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    for damage in (Path.unlink, lambda path: path.write_bytes(b"")):
        code = stored_wheel(store, {"bench/__init__.py": "'The code.'\n"})
        assert not environments.has_code(code)
        environments.unpack_code(code)
        assert environments.has_code(code)

        damage(environments.code(code) / "bench" / "__init__.py")
        assert not environments.has_code(code)


def test_bytecode_is_compiled_anew_once_the_board_was_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    wheel = stored_wheel(store, {"tiny.py": ""})
    made = Environments(store)
    made.make("e1", [wheel], with_system_packages=False, imports=["tiny"])
    (compiled,) = store.root.rglob("tiny.*.pyc")

    made.remove_old_bytecode()
    assert compiled.exists()
    monkeypatch.setattr(environments, "_boot_id", lambda: "another start")
    made.remove_old_bytecode()
    assert not compiled.exists()
    compiled.parent.mkdir(parents=True)
    compiled.touch()
    made.remove_old_bytecode()
    assert compiled.exists()


@pytest.mark.parametrize("damage", [b"", b"PK no archive", bytes(100)])
def test_an_archive_that_cannot_be_unpacked_is_refused_and_sent_again(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path / "store")
    environments = Environments(store)
    wheel = stored_wheel(store, {"tiny.py": ""})
    store.blob(wheel).write_bytes(damage)
    with pytest.raises(RefusedError, match="is damaged on the board"):
        environments.make("e1", [wheel], with_system_packages=False, imports=["tiny"])

    code = stored_wheel(store, {"tiny.py": ""})
    store.blob(code).write_bytes(damage)
    with pytest.raises(RefusedError, match="is damaged on the board"):
        environments.unpack_code(code)

    assert store.missing([wheel]) == [wheel]
    assert not list(store.root.rglob("*.part"))


def test_a_running_job_refuses_others(tmp_path: Path) -> None:
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
        with pytest.raises(RefusedError, match="a measurement runs on this board"):
            jobs.clean(may_stop=False)


def test_a_job_with_its_journal_is_interrupted(tmp_path: Path) -> None:
    jobs = Jobs(Store(tmp_path / "store"))
    folder = jobs.folder("abc")
    folder.mkdir(parents=True)
    (folder / "events.jsonl").touch()
    (folder / "ended.json").write_text('{"exit_code":5,"message":"no disk"}')

    assert jobs.state("abc") == "ended"
    jobs.delete_job("abc", keep_journal=True)
    assert jobs.state("abc") == "interrupted"
    jobs.delete_job("abc", keep_journal=False)
    assert jobs.state("abc") == "unknown"


def test_after_a_loss_of_power_the_agent_says_that_the_job_is_interrupted(tmp_path: Path) -> None:
    store = Store(tmp_path / "edgefit-board")
    folder = store.folder("jobs") / "abc"
    folder.mkdir()
    store.root.chmod(0o700)
    for name in ("events.jsonl", "ended.json", "report.json"):
        (folder / name).touch()
    prepare = {"wheels": [], "with_system_packages": False, "code": "0" * 64, "job": "abc"}

    state, result, missing = ask(
        tmp_path,
        {"request": "prepare", **prepare},
        {"request": "result", "job": "abc"},
        {"request": "missing", "hashes": []},
    )

    assert state["answer"] == {"environment": None, "has_code": False, "job": "interrupted"}
    assert "the same command resumes it" in str(result["refused"])
    assert missing == {"answer": []}


@pytest.mark.parametrize("key", ["..", "a/b", ""])
def test_a_key_that_is_a_path_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(RefusedError):
        Jobs(Store(tmp_path)).folder(key)


def stored_wheel(store: Store, files: dict[str, str]) -> str:
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

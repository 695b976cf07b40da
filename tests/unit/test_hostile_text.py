"""Every output of a report, a check, a choice, a bundle and a profile whose texts are all hostile.

An option that writes another kind of output fails here, until it says how its text is judged.
"""

import csv
import inspect
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args, get_origin
from xml.etree import ElementTree

import pytest
from making.command_line import edgefit_here
from making.hostile import (
    LINE,
    TEXT,
    assert_harmless,
    assert_printable,
    blocks_of_markdown,
    count_of,
    harmless,
    plain,
    with_texts,
)
from making.model_report import every_kind, model_report
from making.tiny_report import MS, make_report
from typer.models import OptionInfo

from bench.devices.projection.projected import Factor, Projected
from bench.errors import InputError
from bench.report.files import parse_report, to_json
from bench.report.schema import Proxy, Report
from device_profiles.loading import load_profile
from edgefit.commands.check import check
from edgefit.commands.report import report

_WIDTHS = ("80", "140")
_OWN = re.compile("::(error|warning|notice) title=edgefit")


def _of_a_proxy() -> Report:
    proxy = Proxy(
        agrees=("a",), differs=("cores",), emulated=None, memory_limit_bytes=1 << 30, memory_held_by=None
    )
    report = make_report()
    basis = Projected(
        low_ns=MS,
        high_ns=4 * MS,
        basis="a run",
        basis_precision="fp32",
        basis_ns=2 * MS,
        factors=(Factor(what="its clock", value=1.0, reach=2.0),),
    )
    runs = tuple(run.model_copy(update={"provenance": "proxy", "projection": basis}) for run in report.runs)
    return report.model_copy(update={"proxy": proxy, "runs": runs, "profile": load_profile("raspberry-pi-5")})


def _is_report(document: Any) -> bool:
    try:
        parse_report(json.dumps(document).encode(), Path("tried.json"))
    except InputError:
        return False
    return True


@pytest.fixture(scope="module")
def documents() -> list[Any]:
    """Reports of a bundle, of a proxy and of model files, hostile wherever a report takes text."""
    made = [make_report(), _of_a_proxy(), model_report(every_kind())]
    return [with_texts(json.loads(to_json(one)), _is_report, TEXT, LINE) for one in made]


@pytest.fixture(params=range(3), ids=["bundle", "proxy", "models"])
def document(documents: list[Any], request: pytest.FixtureRequest) -> Any:
    """One of them."""
    return documents[request.param]


def test_the_reports_are_hostile_in_many_places(documents: list[Any]) -> None:
    assert [count_of(document) > 20 for document in documents] == [True] * 3
    assert all(document["name"] == LINE for document in documents)


def _written(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("words", [("report",), ("report", "--history"), ("choose", "--min-retention", "0")])
@pytest.mark.parametrize("width", _WIDTHS)
def test_a_terminal_shows_what_it_shows_of_harmless_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: Any, words: tuple[str, ...], width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    command, *options = words
    if command == "choose" and document["bundle"] is None:
        options = []
    shown = edgefit_here(command, _written(tmp_path, "r.json", document), *options)
    same = edgefit_here(command, _written(tmp_path, "r.json", harmless(document)), *options)

    assert shown.returncode == same.returncode != 1, shown.stderr
    assert_harmless(shown.stdout + shown.stderr)
    assert shown.stdout == same.stdout


def test_json_says_the_same_and_shows_nothing_to_follow(tmp_path: Path, document: Any) -> None:
    shown = edgefit_here("report", _written(tmp_path, "r.json", document), "--json").stdout

    assert_harmless(shown)
    assert json.loads(shown)[0]["name"] == LINE


@pytest.mark.parametrize("width", _WIDTHS)
def test_a_check_with_annotations_has_no_command_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: Any, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    path = _written(tmp_path, "r.json", document)

    lines = edgefit_here("check", path, "--baseline", path, "--github").stdout.splitlines()

    own = [line for line in lines if _OWN.match(line)]
    assert len(own) > 1
    assert_harmless("\n".join(line for line in lines if line not in own))
    assert_harmless("\n".join(line.replace("::", "") for line in own))


@pytest.mark.parametrize("key", ["unknown", "host"])
def test_an_error_about_a_hostile_file_is_one_entry(tmp_path: Path, document: Any, key: str) -> None:
    broken = {**document, TEXT: 1} if key == "unknown" else {**document, "host": TEXT}

    done = edgefit_here("report", _written(tmp_path, "r.json", broken))

    assert done.returncode == 2
    assert_harmless(done.stderr)
    assert all(line.startswith("  ") for line in done.stderr.splitlines()[1:])


class _Tags(HTMLParser):
    """What a page consists of: its tags, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")], attrs
        self.texts += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        (self.scripts if self._open in ("script", "style") else self.texts).append(data)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _page(text: str) -> list[str]:
    """Return the tags of a page, whose text shows everything, also in its charts."""
    page = _Tags()
    page.feed(text)
    for shown in page.texts:
        assert_harmless(shown.replace("\N{NO-BREAK SPACE}", " "))
    data = [script for script in page.scripts if script.lstrip().startswith("{")]
    for specification in data:
        for shown in _strings(json.loads(specification)):
            assert_harmless(shown)
    return page.tags


def _csv(text: str) -> list[str]:
    assert_harmless(text)  # CI logs show such files too
    lines = list(csv.reader(text.splitlines()))
    for cell in (cell for line in lines for cell in line):
        assert_printable(cell)
        assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
        assert not cell.startswith("-") or float(cell)
    return [str(len(line)) for line in lines]


def _junit(text: str) -> list[str]:
    assert_harmless(text)  # CI logs show such files too
    return [element.tag for element in ElementTree.fromstring(text).iter()]


def _bmf(text: str) -> list[str]:
    assert_harmless(text)
    return [str(len(measures)) for measures in json.loads(text).values()]


_PARTS: dict[str, Callable[[str], list[str]] | None] = {
    "html": _page,
    "markdown": blocks_of_markdown,
    "csv": _csv,
    "junit": _junit,
    "bmf": _bmf,
    "png": None,  # pixels
    "bundle": None,  # is read
}
"""For each option that names a file: what a file of its kind consists of, after its text was judged."""


def _file_options(command: Callable[..., None]) -> list[str]:
    """Return the options of a command that name a file."""
    found = []
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        of_type, *more = get_args(parameter.annotation) or (None,)
        is_path = Path in (of_type, *get_args(of_type)) and get_origin(of_type) is not list
        if is_path and any(isinstance(each, OptionInfo) for each in more):
            found.append(name)
    return found


@pytest.mark.parametrize("command", [report, check])
def test_a_written_file_consists_of_the_same_parts_as_one_of_harmless_text(
    tmp_path: Path, document: Any, command: Callable[..., None]
) -> None:
    kinds = [name for name in _file_options(command) if name != "baseline"]
    assert set(kinds) <= set(_PARTS), "say in _PARTS how the text of a new kind of file is judged"
    judged = {name: parts for name in kinds if (parts := _PARTS[name]) is not None}
    written = []
    for name, content in (("hostile", document), ("plain", plain(document))):
        path = _written(tmp_path, f"{name}.json", content)
        options = [word for kind in judged for word in (f"--{kind}", str(tmp_path / f"{name}.{kind}"))]
        baseline = ["--baseline", str(path)] if command is check else []
        done = edgefit_here(command.__name__, path, *baseline, *options)
        assert done.returncode in (0, 10, 12), done.stderr
        texts = {kind: (tmp_path / f"{name}.{kind}").read_text(encoding="utf-8") for kind in judged}
        written.append({kind: judged[kind](text) for kind, text in texts.items()})

    assert written[0] == written[1]

"""What is shown of bundles, runs, profiles and results in Python whose texts are all hostile."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from making.compared_report import Row, made_report
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
from making.source_bundle import KINDS, make_source_bundle
from making.tiny_report import make_report
from making.tiny_run import run_record
from pydantic import BaseModel, ValidationError
from rich.console import RenderableType

from bench.bundle.manifest import Bundle, Manifest, read_bundle
from bench.choose.choosing import Criteria, choose
from bench.choose.ship.shipping import ship
from bench.compare.comparing import compare_networks
from bench.errors import InputError
from bench.gate.check_reports import check_reports
from bench.gate.options import CheckOptions
from bench.render.comparison_markdown import comparison_to_markdown
from bench.report.measured_bundle import record_of
from bench.report.schema import Report as ReportRecord
from device_profiles.loading import load_profile
from device_profiles.profile import Profile
from device_profiles.settings import Budget
from edgefit.console import as_text
from edgefit.results import Checked, Choice, NetworkComparison, Report
from edgefit.views.bundles import bundle_view
from edgefit.views.profiles import profile_view, profiles_view
from edgefit.views.runs import run_view
from models.records import RunRecord


def hostile(record: BaseModel) -> Any:
    """The document of a record, hostile wherever it takes text."""

    def is_valid(document: Any) -> bool:
        try:
            tried = type(record).model_validate_json(json.dumps(document))
            if isinstance(tried, Manifest):
                _ = [artifact.inputs(tried.model.image_size) for artifact in tried.artifacts]
        except (ValidationError, InputError):
            return False
        return True

    found = with_texts(json.loads(record.model_dump_json(by_alias=True)), is_valid, TEXT, LINE)
    assert count_of(found) > 4
    return found


def shown(view: RenderableType) -> str:
    """What a file gets of it, which no terminal and no CI system follows."""
    text = as_text(view)
    assert_harmless(text)
    return text


@pytest.mark.parametrize("name", ["raspberry-pi-5", "jetson-nano"])
def test_a_profile_shows_its_text_as_text(name: str) -> None:
    document = hostile(load_profile(name))
    record, same = (Profile.model_validate_json(json.dumps(each)) for each in (document, harmless(document)))

    assert shown(profile_view(record)) == shown(profile_view(same))
    assert shown(profiles_view([record])) == shown(profiles_view([same]))


def test_a_run_shows_its_text_as_text() -> None:
    document = hostile(run_record({}))
    record, same = (RunRecord.from_json(json.dumps(each).encode()) for each in (document, harmless(document)))

    assert shown(run_view(record, Path(TEXT))) == shown(run_view(same, Path(TEXT)))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_bundle_and_what_is_shipped_of_it_show_their_text_as_text(tmp_path: Path, name: str) -> None:
    folder = make_source_bundle(tmp_path / "bundle", KINDS[name])
    document = hostile(read_bundle(folder).manifest)
    manifest, same = (Manifest.model_validate_json(json.dumps(each)) for each in (document, plain(document)))
    assert shown(bundle_view(manifest, Path(TEXT)))

    cards = []
    for number, each in enumerate((manifest, same)):
        bundle = Bundle(folder=folder, manifest=each, sha256="0" * 64)
        cards.append(_shipped(bundle, tmp_path / str(number)))

    assert cards[0] == cards[1]


def _shipped(bundle: Bundle, target: Path) -> list[str]:
    """Ship the first artifact; return the blocks of its card."""
    report = made_report({"onnx-fp32": Row(10)}, bundle=record_of(bundle))
    is_hostile = bundle.manifest.name == LINE
    report = report.model_copy(update={"created": TEXT if is_hostile else "words", "warnings": ()})
    run = report.runs[0].model_copy(update={"warnings": (TEXT if is_hostile else "words",)})
    report = report.model_copy(update={"runs": (run, *report.runs[1:])})
    ((choice, chosen),) = choose([report], Criteria(Budget()))
    assert chosen is not None
    ship(choice, chosen, bundle, target, overwrite=False)
    for script in target.glob("*.py"):
        compile(script.read_text(encoding="utf-8"), script.name, "exec")
    requirements = (target / "requirements.txt").read_text(encoding="utf-8")
    assert "FORGED" not in requirements
    return blocks_of_markdown((target / "CARD.md").read_text(encoding="utf-8"))


class _Notebook(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("img", "script", "a")
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        assert_printable(data)


def test_what_python_shows_of_a_result_is_text() -> None:
    report = ReportRecord.model_validate_json(json.dumps(hostile(make_report())))
    checked = check_reports(report, report, CheckOptions(), TEXT, TEXT)
    ((choice, _),) = choose([report], Criteria(Budget()))

    one = report.model_copy(update={"joint_run": "1"})
    networks = [one, one.model_copy(update={"name": "other"})]
    comparison = compare_networks(networks)
    shown = NetworkComparison.of(comparison, networks)
    blocks_of_markdown(comparison_to_markdown(comparison, networks))

    for result in (Report.of(report), Checked.of(checked), Choice.of(choice), shown):
        assert_harmless(str(result))
        assert_harmless(repr(result))
        assert "\n" not in repr(result)
        _Notebook().feed(result._repr_html_())

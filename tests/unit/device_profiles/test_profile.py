"""Profiles load strictly, and what is wrong with one is said with file, key and remedy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.runtimes.formats import FORMATS
from device_profiles import loading
from device_profiles.errors import ProfileError
from device_profiles.loading import load_profile, path_of, profile_names, read_profile
from device_profiles.schema import SCHEMA_FILE, schema_text

SHIPPED = sorted(Path(loading.__file__).parent.glob("*.yaml"))
LAPTOP = yaml.safe_load(Path(loading.__file__).with_name("laptop-cpu.yaml").read_text())
BOARD = yaml.safe_load(Path(loading.__file__).with_name("raspberry-pi-5.yaml").read_text())
TOO_MUCH = {"value": 99999.0, "kind": "measured", "source": "on my desk"}
ASKED_FOR = {
    "laptop-cpu",
    "laptop-i7-1185g7",
    "raspberry-pi-4",
    "raspberry-pi-5",
    "raspberry-pi-zero-2w",
    "jetson-nano",
    "jetson-orin-nano",
    "jetson-agx-orin",
}


def written(folder: Path, content: object, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(content))
    return path


def changed(base: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy in which the key at `path`, with dots, is another value, or gone if that is REMOVE."""
    content: dict[str, Any] = json.loads(json.dumps(base))
    *parents, last = path.split(".")
    place: Any = content
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    if value == "REMOVE":
        del place[last]
    else:
        place[last] = value
    return content


def numbers(value: object, sourced: bool, where: str) -> Iterator[str]:
    """Yield where a number stands without a kind and a source in a mapping around it."""
    if isinstance(value, dict):
        inside = sourced or {"kind", "source"} <= value.keys()
        for key, below in value.items():
            yield from numbers(below, inside, f"{where}.{key}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from numbers(below, sourced, f"{where}.{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and not sourced:
        yield where


def test_the_devices_asked_for_are_there() -> None:
    assert set(profile_names()) >= ASKED_FOR


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_profile_that_comes_along_loads_and_bears_its_files_name(path: Path) -> None:
    assert load_profile(path.stem).name == path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_number_has_its_kind_and_its_source(path: Path) -> None:
    assert list(numbers(yaml.safe_load(path.read_text()), False, path.stem)) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_profile_names_its_schema_for_editors(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=profile.schema.json\n")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_profile_of_a_board_says_of_every_format_where_it_runs(path: Path) -> None:
    runtimes = load_profile(path.stem).runtimes

    assert not runtimes or set(runtimes) == set(FORMATS)


def test_the_schema_beside_the_profiles_is_that_of_the_model_and_the_formats() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(FORMATS), "run: python -m bench.runtimes.profile_names"


def test_a_file_of_ones_own_is_given_by_its_path(tmp_path: Path) -> None:
    assert load_profile(str(written(tmp_path, {**LAPTOP, "name": "mine", "threads": 3}))).threads == 3


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ProfileError, match="unknown profile 'laptop-gpu'; did you mean 'laptop-cpu'"):
        load_profile("laptop-gpu")


@pytest.mark.parametrize(
    ("base", "key", "value", "words"),
    [
        (LAPTOP, "memory-cap-mb", 64, "unknown key 'memory-cap-mb'; did you mean 'memory_cap_mb'"),
        (LAPTOP, "budget.p95-ms", 4, "unknown key 'budget.p95-ms'; did you mean 'p95_ms'"),
        (LAPTOP, "extend", "x", "unknown key 'extend'; did you mean 'extends'"),
        (LAPTOP, "threads", "4", "threads: .*value: '4'.*remove the quotes"),
        (LAPTOP, "threads", 10**20, "threads: .*less than or equal to 4096"),
        (LAPTOP, "budget.source", "          ", "budget.source: .*at least 8 characters"),
        (LAPTOP, "description", "\x1b[31m", "description: "),
        (LAPTOP, "thread", 4, r"mine\.yaml: unknown key 'thread'; did you mean 'threads'\?"),
        (LAPTOP, "sampling.warmup", 1, "unknown key 'sampling.warmup'; did you mean 'warm_up'"),
        (LAPTOP, "sampling", "REMOVE", "the key 'sampling' is missing"),
        (LAPTOP, "threads", "many", r"threads: .*valid integer or .*'physical-cores' \(value: 'many'\)"),
        (LAPTOP, "threads", 0, "threads: .*greater than or equal to 1"),
        (LAPTOP, "sampling.blocks", 0, "sampling.blocks: .*greater than or equal to 1"),
        (LAPTOP, "sampling.check_after_processes", [8, 5], "check_after_processes: .*must be increasing"),
        (LAPTOP, "sampling.time_limit_s", float("nan"), "sampling.time_limit_s: .*finite"),
        (LAPTOP, "budget.retention", 1.2, "budget.retention: .*less than or equal to 1"),
        (LAPTOP, "budget.p95_ms", "fast", "budget.p95_ms: .*valid number"),
        (LAPTOP, "budget.source", "REMOVE", "the key 'budget.source' is missing; say who chose"),
        (LAPTOP, "name", "No Spaces", "name: "),
        (LAPTOP, "match", {"board": ["Acme"]}, "'device: this-machine' describes every machine"),
        (BOARD, "processor", "REMOVE", "the key 'processor' is missing; a profile with 'device: another'"),
        (BOARD, "processor.cores.source", "REMOVE", "'processor.cores.source' is missing: where the value"),
        (BOARD, "processor.cores.kind", "REMOVE", "'processor.cores.kind' is missing: one of measured"),
        (BOARD, "processor.cores.kind", "guessed", "processor.cores.kind: .*'guessed'"),
        (BOARD, "processor.cores", 4, "processor.cores: .*value: 4"),
        (BOARD, "processor.cores.value", 0, "processor.cores.value: .*greater than or equal to 1"),
        (BOARD, "processor.clock_mhz.value", 24_000_000, "must be between 100 and 10000 MHz"),
        (BOARD, "processor.features.value", ["asimdd"], "processor.features.value.0: .*'asimddp'"),
        (BOARD, "memory.left_free_mb", TOO_MUCH, "more than the smallest"),
        (BOARD, "heat.throttles_at_c.value", 800, "must be between 40 and 150 °C"),
        (BOARD, "rates.0.value", -1, "rates.0.value: .*greater than 0"),
        (BOARD, "rates.0.precision", "REMOVE", "rates.0: a copy rate has no 'precision'"),
        (BOARD, "published.0.kind", "measured", "published.0.kind: "),
        (BOARD, "published.0.millis", 3, "unknown key 'published.0.millis'"),
        (BOARD, "memory.sizes_mb.value", [], "memory.sizes_mb.value: .*at least 1 item"),
        (BOARD, "runtimes.onnx.providers", [], "runtimes.onnx: needs a 'reason'"),
        (BOARD, "match", {}, "match: needs 'board' or 'cpu'"),
    ],
)  # fmt: skip
def test_a_broken_profile_is_refused_with_file_key_and_remedy(
    tmp_path: Path, base: dict[str, Any], key: str, value: object, words: str
) -> None:
    with pytest.raises(ProfileError, match=words) as error:
        read_profile(written(tmp_path, changed(base, key, value)))

    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: [unclosed", "cannot be read as YAML"),
        ("just a sentence", "is not a profile"),
        ("- a\n- list", "is not a profile"),
        ("", "is not a profile"),
        ("\x00", "cannot be read as YAML"),
        ("name: &loop [*loop]", "an alias is not allowed"),
        ("name: a\nname: b", "the key 'name' occurs twice"),
        ("2024-01-01: 4", "unknown key '2024-01-01'"),
        ("description: !!python/object:os.system x", "the tag .* is not allowed in a profile"),
        ("threads: !!int abc", "'abc' is not a valid int"),
        ("? [a]\n: b", "a key must be text"),
    ],
)
def test_a_file_that_is_no_yaml_profile_is_refused_in_one_line(
    tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "p.yaml").write_text(content)

    with pytest.raises(ProfileError, match=words) as error:
        read_profile(tmp_path / "p.yaml")

    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no such profile file"):
        load_profile(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(ProfileError, match="not a profile, which is a file"):
        load_profile(f"{tmp_path}/")


def test_a_profile_extends_another_and_changes_a_few_fields(tmp_path: Path) -> None:
    left = {"value": 800.0, "kind": "measured", "source": "free -m on my own board"}
    content = {
        "extends": "raspberry-pi-5",
        "name": "my-pi",
        "memory": {"left_free_mb": left},
        "sampling": {"blocks": 3, "source": "my own choice, for a slow network"},
    }

    profile = read_profile(written(tmp_path, content))

    base = load_profile("raspberry-pi-5")
    assert profile.name == "my-pi"
    assert profile.memory is not None
    assert base.memory is not None
    assert profile.memory.left_free_mb.value == 800.0  # type: ignore[union-attr]
    assert profile.memory.sizes_mb == base.memory.sizes_mb
    own = {"blocks": 3, "source": "my own choice, for a slow network"}
    assert profile.sampling == base.sampling.model_copy(update=own)
    assert profile.published == base.published


def test_a_figure_is_replaced_together_with_its_source(tmp_path: Path) -> None:
    content = {"extends": "raspberry-pi-5", "name": "my-pi", "processor": {"clock_mhz": {"value": 3000}}}

    with pytest.raises(ProfileError, match=r"processor\.clock_mhz\.kind' is missing"):
        read_profile(written(tmp_path, content))


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, {"extends": "./b.yaml", "name": "a"}, "a.yaml")
    written(tmp_path, {"extends": "./a.yaml", "name": "b"}, "b.yaml")

    with pytest.raises(ProfileError, match=r"extends: '\./a\.yaml' leads back to this file"):
        read_profile(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("raspberry-pi-55", "extends: unknown profile 'raspberry-pi-55'; did you mean 'raspberry-pi-5'"),
        ("./nowhere.yaml", r"mine\.yaml: extends: there is no file .*nowhere\.yaml"),
        ("./raspberry-pi-5.yaml", "did you mean 'raspberry-pi-5'"),
        (5, "the key 'extends' must be a profile's name or path"),
    ],
)
def test_a_base_that_cannot_be_had_is_named(tmp_path: Path, base: object, words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        read_profile(written(tmp_path, {"extends": base, "name": "mine"}))


def test_a_folder_of_ones_own_is_listed_and_loaded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_PROFILES", str(tmp_path))
    path = written(tmp_path, {"extends": "raspberry-pi-5", "name": "shop-floor"}, "shop-floor.yaml")

    assert path_of("shop-floor") == path
    assert load_profile("shop-floor").description == load_profile("raspberry-pi-5").description


def test_without_a_variable_the_configuration_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEFIT_PROFILES", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "edgefit" / "profiles"
    folder.mkdir(parents=True)
    written(folder, {"extends": "laptop-cpu", "name": "desk"}, "desk.yaml")

    assert load_profile("desk").device == "this-machine"


def test_a_profile_of_ones_own_hides_none_that_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_PROFILES", str(tmp_path))
    written(tmp_path, LAPTOP, "laptop-cpu.yaml")

    with pytest.raises(ProfileError, match=r"laptop-cpu\.yaml: another profile has the name 'laptop-cpu'"):
        load_profile("laptop-cpu")


def test_a_profile_in_a_folder_bears_its_files_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFIT_PROFILES", str(tmp_path))
    written(tmp_path, {"extends": "laptop-cpu", "name": "other"}, "desk.yaml")

    with pytest.raises(ProfileError, match=r"desk\.yaml: the key 'name' is 'other', .*'desk'"):
        load_profile("desk")


def test_a_variable_that_names_no_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFIT_PROFILES", "/nowhere/at/all")

    with pytest.raises(ProfileError, match="EDGEFIT_PROFILES: /nowhere/at/all is not a folder"):
        profile_names()


@pytest.mark.parametrize(("text", "value"), [("010", None), ("1:30", None), ("1e2", 100.0), ("100", 100.0)])
def test_a_number_is_shown_as_it_is(tmp_path: Path, text: str, value: float | None) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"extends: laptop-cpu\nname: mine\nbudget: {{p95_ms: {text}, source: my own choice}}\n"
    )

    if value is None:
        with pytest.raises(ProfileError, match=r"budget\.p95_ms: "):
            read_profile(tmp_path / "mine.yaml")
    else:
        assert read_profile(tmp_path / "mine.yaml").budget.p95_ms == value


def test_a_section_that_is_changed_needs_a_source_of_its_own(tmp_path: Path) -> None:
    content = {"extends": "raspberry-pi-5", "name": "mine", "budget": {"p95_ms": 10}}

    with pytest.raises(ProfileError, match=r"the key 'budget\.source' is missing; say who chose these"):
        read_profile(written(tmp_path, content))


def test_a_profile_that_extends_another_has_a_name_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="the key 'name' is missing"):
        read_profile(written(tmp_path, {"extends": "raspberry-pi-5"}))


def test_what_is_wrong_with_a_base_is_said_of_the_base(tmp_path: Path) -> None:
    written(tmp_path, {"extends": "laptop-cpu", "name": "base", "threads": 0}, "base.yaml")

    with pytest.raises(ProfileError, match=r"base\.yaml: threads: "):
        read_profile(written(tmp_path, {"extends": "./base.yaml", "name": "mine"}))


def test_a_name_that_two_files_bear_disturbs_nobody_who_does_not_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_PROFILES", str(tmp_path))
    written(tmp_path, LAPTOP, "laptop-cpu.yaml")
    written(tmp_path, {"nonsense": 1}, ".#lock.yaml")

    assert load_profile("raspberry-pi-5").name == "raspberry-pi-5"
    assert ".#lock" not in profile_names()
    with pytest.raises(ProfileError, match="another profile has the name 'laptop-cpu'"):
        load_profile("laptop-cpu")


def test_a_device_file_and_a_huge_one_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "huge.yaml").write_text("#" * (2 << 20))

    with pytest.raises(ProfileError, match="has more than 256 KiB"):
        read_profile(tmp_path / "huge.yaml")
    with pytest.raises(ProfileError, match="not a profile, which is a file"):
        read_profile(Path("/dev/zero"))

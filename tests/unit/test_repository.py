"""What stands around the code, such as workflows, forms and the citation, agrees with the project."""

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from making.repository import ROOT

from edgefit import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
# Every way to write down where the repository is.
_MENTION = re.compile(r"(?:github\.com[/:]|uses: |//)([\w-]+)(?:/|\.github\.io/)edgefit\b")
_TEXT = (".md", ".toml", ".cff", ".yml", ".yaml", ".py", ".sh", ".jinja", ".txt")
_WHERE = ("bench", "device_profiles", "docs", "edgefit", "export", "models", "user_files", ".github")


def pythons() -> set[str]:
    """The versions of Python that the project says it runs on."""
    pattern = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    return {match[1] for one in PROJECT["classifiers"] if (match := pattern.fullmatch(one))}


def texts() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.suffix in _TEXT)
    for folder in _WHERE:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in _TEXT)


def workflow(path: Path) -> dict[str, Any]:
    """A workflow. YAML reads its key `on` as a truth value."""
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def steps(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in content["jobs"].values():
        yield from job.get("steps", ())


def test_every_mention_of_the_repository_has_the_owner_of_the_project_s_urls() -> None:
    owners = {owner for url in PROJECT["urls"].values() for owner in _MENTION.findall(url)}
    mentions = {
        path.relative_to(ROOT).as_posix(): set(found)
        for path in texts()
        if (found := _MENTION.findall(path.read_text(encoding="utf-8")))
    }

    assert len(owners) == 1
    assert {name: found for name, found in mentions.items() if found != owners} == {}
    assert {"CITATION.cff", "docs/ci-recipes.md", ".github/ISSUE_TEMPLATE/config.yml"} <= mentions.keys()


def test_pre_commit_runs_the_ruff_of_the_environment() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (revision,) = [one["rev"] for one in hooks if one["repo"].endswith("/ruff-pre-commit")]
    (version,) = re.findall(r"^ruff==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)

    assert revision == f"v{version}"


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    ids = set(re.findall(r"- id: (\S+)", hooks))

    assert {"ruff-check", "ruff-format", "mypy", "import-linter"} <= ids
    lint = re.findall(r"^\t\$\(BIN\)/(\S+)", make_rule("lint"), re.MULTILINE)
    assert set(lint) == {"ruff", "mypy", "lint-imports"}


def make_rule(target: str) -> str:
    text = (ROOT / "Makefile").read_text()
    match = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert match is not None
    return match[0]


def test_make_help_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    listed = set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE))

    assert phony - listed == {"check-python"}  # a step of the others
    assert listed <= phony


@pytest.mark.parametrize("name", ["test.yml", "release.yml"])
def test_workflows_try_every_python_of_the_classifiers(name: str) -> None:
    content = workflow(GITHUB / "workflows" / name)
    matrices = [job.get("strategy", {}).get("matrix", {}) for job in content["jobs"].values()]
    tried = {version for matrix in matrices for version in matrix.get("python", ())}
    tried |= {step.get("with", {}).get("python-version", "$") for step in steps(content)}

    assert {version for version in tried if not version.startswith("$")} == pythons()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_paste_nothing_into_scripts(path: Path) -> None:
    for step in steps(workflow(path)):
        assert "${{" not in step.get("run", "")


def test_only_the_job_that_publishes_may_identify_itself_and_it_waits_for_all_others() -> None:
    content = workflow(GITHUB / "workflows" / "release.yml")
    jobs = content["jobs"]

    assert content["permissions"] == {"contents": "read"}
    assert [name for name, job in jobs.items() if "permissions" in job] == ["publish"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"
    assert set(jobs["publish"]["needs"]) == jobs.keys() - {"check", "publish"}
    assert all("check" in jobs[name]["needs"] for name in ("test", "build"))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with what a release is checked against, of which everything agrees."""
    (tmp_path / "edgefit").mkdir()
    (tmp_path / "edgefit" / "__init__.py").write_text('"""Text."""\n\n__version__ = "0.2.0"\n')
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/them/edgefit"\n'
    )
    (tmp_path / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 0.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.3.0 (unreleased)\n\n## 0.2.0 (2026-12-01)\n")
    return tmp_path


def refusals(tag: str, repository: str, root: Path) -> list[str]:
    found: list[str] = runpy.run_path(str(GITHUB / "release_check.py"))["refusals"](tag, repository, root)
    return found


def test_a_tag_is_released_if_everything_agrees(release: Path) -> None:
    assert refusals("v0.2.0", "them/edgefit", release) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("pyproject.toml", "them", "OWNER", "the repository's owner is not set"),
        ("pyproject.toml", "them", "others", "this is them/edgefit, and pyproject.toml says others/edgefit"),
        ("edgefit/__init__.py", "0.2.0", "0.3.0", "the tag is v0.2.0, and edgefit/__init__.py says 0.3.0"),
        ("CITATION.cff", "version: 0.2.0", "version: 0.1.0", "CITATION.cff says 0.1.0"),
        ("CHANGELOG.md", "0.2.0 (2026-12-01)", "0.2.0 (unreleased)", "no line '## 0.2.0 (YYYY-MM-DD)'"),
    ],
)
def test_a_tag_is_refused_with_the_reason(release: Path, file: str, old: str, new: str, reason: str) -> None:
    path = release / file
    path.write_text(path.read_text().replace(old, new))

    assert reason in "; ".join(refusals("v0.2.0", "them/edgefit", release))


def test_a_release_is_refused_as_long_as_the_owner_is_not_set() -> None:
    repository = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    reasons = refusals(f"v{__version__}", repository, ROOT)

    assert any("owner is not set" in reason for reason in reasons) == repository.startswith("OWNER/")


def test_the_citation_says_what_the_project_says() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())

    assert cited["cff-version"] == "1.2.0"
    assert (cited["title"], cited["version"]) == (PROJECT["name"], __version__)
    assert (cited["abstract"], cited["license"]) == (PROJECT["description"], PROJECT["license"])
    assert cited["authors"] == PROJECT["authors"]
    assert cited["repository-code"] == PROJECT["urls"]["Repository"]


def test_every_package_says_that_it_has_types() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = tools["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert [name for name in packages if not (ROOT / name / "py.typed").is_file()] == []


def test_a_report_of_a_bug_is_asked_for_the_machine_and_for_nothing_of_patients() -> None:
    form = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text())
    fields = {field.get("id"): field for field in form["body"]}

    assert "edgefit doctor" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"]["required"]
    assert "patient" in fields["report"]["attributes"]["description"]
    assert fields["patients"]["attributes"]["options"][0]["required"]


def uses() -> Iterator[tuple[str, str]]:
    """Where an action is used, and what stands behind `uses:`."""
    for path in sorted([*GITHUB.rglob("*.yml"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]):
        for found in re.findall(r"\buses: (\S.*)", path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), found


def test_every_action_of_others_is_pinned_to_a_commit_with_its_version() -> None:
    own = ("./.github/", "OWNER/edgefit/.github/actions/check@COMMIT")
    of_others = [(place, used) for place, used in uses() if not used.startswith(own)]
    pin = re.compile(r"([\w.-]+/[\w.-]+)(?:/[\w.-]+)*@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")

    assert len(of_others) > 20
    assert [one for one in of_others if pin.fullmatch(one[1]) is None] == []
    pins = {match.groups() for _, used in of_others if (match := pin.fullmatch(used))}
    assert len(pins) == len({action for action, _, _ in pins})  # the same everywhere


def test_dependabot_updates_every_folder_with_pinned_actions() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    (actions,) = [one for one in updates if one["package-ecosystem"] == "github-actions"]
    folders = {f"/{path.parent.relative_to(ROOT).as_posix()}" for path in GITHUB.rglob("action.yml")}

    assert set(actions["directories"]) == {"/", *folders}


def test_checked_out_credentials_are_never_kept() -> None:
    kept = [
        path.name
        for path in WORKFLOWS
        for step in steps(workflow(path))
        if step.get("uses", "").startswith("actions/checkout@")
        and step.get("with", {}).get("persist-credentials") is not False
    ]
    recipes = (ROOT / "docs" / "ci-recipes.md").read_text()

    assert kept == []
    assert recipes.count("actions/checkout@") == recipes.count("persist-credentials: false")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_read_the_repository_and_nothing_else(path: Path) -> None:
    assert workflow(path)["permissions"] == {"contents": "read"}


def test_pip_looks_into_one_index_at_a_time() -> None:
    scripts = [ROOT / "Makefile", ROOT / "README.md", *GITHUB.rglob("*.sh"), *WORKFLOWS]
    two = [path.name for path in scripts if "--extra-index-url" in path.read_text()]

    assert two == []

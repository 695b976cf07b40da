"""The CI action's inputs."""

import re

import yaml
from making.repository import ROOT

ACTION = ROOT / ".github" / "actions" / "check"


def test_every_input_is_used_and_no_input_is_pasted_into_a_script() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    steps = action["runs"]["steps"]

    used = set(re.findall(r"inputs\.([a-z-]+)", yaml.safe_dump(action["runs"])))
    assert used == set(action["inputs"])
    for step in steps:
        assert "${{" not in step.get("run", "")
    for one in (*action["inputs"].values(), *action["outputs"].values()):
        assert "${{" not in one["description"]  # GitHub would take it for an expression and refuse the action
    given = {name for step in steps for name in step.get("env", {})}
    scripts = "".join(path.read_text() for path in sorted(ACTION.glob("*.sh")))
    for name in given:
        assert re.search(rf"\${{?{name}\b", scripts), name

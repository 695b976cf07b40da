"""The page of the command line: every command with its arguments, options, defaults, help and examples."""

import re
from dataclasses import dataclass

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from making.repository import ROOT
from making.shown_commands import commands, examples

Parameter = TyperArgument | TyperOption

EXIT_CODES = {
    0: "fine",
    1: "edgefit itself crashed; please report the text that it printed",
    2: "wrong usage, configuration or input; one sentence names the file, the value and what to do",
    3: "a requested runtime or precision is missing here, or the system is not Linux",
    4: "a case failed; the report is written anyway, and skipped cases do not count",
    5: "a board could not be reached or used",
    10: "`check`: the candidate is worse than a limit, a variant is missing, or it does not run",
    11: "`choose`: no variant meets the budget",
    12: "nothing could be compared: no latency in `check` and `compare`, no completed row in `choose`",
    129: "ended by a hang-up of the terminal (SIGHUP); a command that `nohup` started goes on",
    130: "interrupted by Ctrl-C (SIGINT); no unfinished output is left",
    141: "the program that reads the output closed it",
    143: "ended by `kill` (SIGTERM); no unfinished output is left",
}
ENVIRONMENT = {
    "EDGEFIT_CACHE": "The folder of the prediction cache, journals, downloaded data, wheels and TensorRT's "
    "engines. Default: `$XDG_CACHE_HOME/edgefit`, else `~/.cache/edgefit`.",
    "EDGEFIT_PROFILES": "The folder of your own profiles. Default: `$XDG_CONFIG_HOME/edgefit/profiles`, "
    "else `~/.config/edgefit/profiles`.",
    "EDGEFIT_SSH": "The command to use instead of `ssh`, such as `ssh -F ./config`.",
    "EDGEFIT_NO_WAIT": "If it is set, a command measures although another one measures on this machine. "
    "Each then disturbs the other.",
    "EDGEFIT_EMULATED": "Says, in words, that this machine is emulated. Its latencies are then proxies.",
    "TMPDIR": "The folder of temporary files. Where it cannot be written, no other one is taken, and a "
    "command that needs one stops. Default: `/tmp`.",
}
# The types that typer prints where an option names no value of its own.
_TYPES = {"<int>": "N", "<float>": "X", "<float range>": "X", "<int range>": "N", "<str>": "TEXT"}
# What typer adds behind a parameter's help, such as `[default: 0.99; 0<=x<=1]`.
_ADDED = re.compile(r"\s*\[(?P<added>(?:default|required|\d|x[<>])[^\[\]]*)\]$")
_RANGE = re.compile(r"(?P<low>[^<>=]+)<=x<=(?P<high>.+)")
_INTRODUCTION = """\
# Command line

This page lists every command of edgefit, with its arguments and options. `edgefit COMMAND --help` prints the
section of a command on the terminal.

Commands write results to stdout, and progress and warnings to stderr. With `--json`, a command writes one
JSON document to stdout.
`edgefit --version` prints the installed version of edgefit.
`edgefit --install-completion` lets the shell complete commands, options and profiles.
The [glossary](glossary.md) explains the terms that edgefit uses.

| command | what it does |
|---|---|
"""

_ERRORS = """\
Each error is one sentence on stderr. The sentence says what is wrong, which value was found, what would be
right, and what to do. With `--json`, edgefit also writes this sentence and the exit code to stdout, as
`{"error": …, "exit_code": …}`."""


@dataclass(frozen=True)
class ParameterText:
    """A parameter as the page writes it."""

    usage: str
    """How it is typed: `--out FILE`."""
    is_required: bool
    """Whether the command refuses to run without it."""
    help: str
    """What it is, with its default and its range."""

    @property
    def line(self) -> str:
        """Its line on the page."""
        required = " (required)" if self.is_required else ""
        return f"- **`{self.usage}`**{required}: {self.help}"


def command_page() -> str:
    """Return the whole page."""
    found = list(commands())
    rows = [
        f"| [{words}](#{words.replace(' ', '-')}) | {_first_sentence(command)} |" for words, command in found
    ]
    sections = [_section(words, command) for words, command in found]
    return "\n".join([_INTRODUCTION + "\n".join(rows) + "\n", *sections, _exit_codes(), _environment()])


def _section(words: str, command: TyperCommand) -> str:
    arguments = [_text(each, command) for each in command.params if isinstance(each, TyperArgument)]
    options = [_text(each, command) for each in command.params if isinstance(each, TyperOption)]
    required = [text.usage for text in (*arguments, *options) if text.is_required]
    optional = [f"[{text.usage}]" for text in arguments if not text.is_required]
    lines = [f"## {words}", "", _about(command), "", "```"]
    lines += [" ".join([words, *optional, *required, "[OPTIONS]"]), "```", ""]
    for title, group in (("Arguments", arguments), ("Options", options)):
        lines += [f"**{title}**", "", *(text.line for text in group), ""] if group else []
    return "\n".join([*lines, "**Examples**", "", "```", *examples(command), "```", "", *_further(words)])


def _further(words: str) -> list[str]:
    """A link to the page that shows a command at work, where there is one."""
    page = f"commands/{words.split()[1]}.md"
    is_there = (ROOT / "docs" / page).is_file()
    return [f"More on this command: [{' '.join(words.split()[:2])}]({page}).", ""] if is_there else []


def _about(command: TyperCommand) -> str:
    """A command's help before its examples."""
    return (command.help or "").partition("\b")[0].strip()


def _first_sentence(command: TyperCommand) -> str:
    return re.split(r"(?<=[.:]) |\n", _about(command), maxsplit=1)[0].rstrip(".:")


def _text(parameter: Parameter, command: TyperCommand) -> ParameterText:
    context = typer.Context(command)
    record = parameter.get_help_record(context)
    assert record is not None
    usage, text = record
    if isinstance(parameter, TyperArgument):
        usage = parameter.metavar or parameter.name.upper()
    for technical, shown in _TYPES.items():
        usage = usage.replace(technical, shown)
    match = _ADDED.search(text)
    added = "" if match is None else match["added"]
    help_text = " ".join(text[: None if match is None else match.start()].split())
    facts = [_fact(fact) for fact in added.split("; ") if fact not in ("", "required")]
    return ParameterText(usage, parameter.required, " ".join([help_text, *facts]))


def _fact(fact: str) -> str:
    """A default or a range as a sentence."""
    if (limits := _RANGE.fullmatch(fact)) is not None:
        return f"From {limits['low']} to {limits['high']}."
    if (least := fact.removeprefix("x>=")) != fact:
        return f"At least {least}."
    default = fact.removeprefix("default: ")
    is_in_words = default.startswith("(")
    return f"Default: {default.strip('()')}." if is_in_words else f"Default: `{default}`."


def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, "", _ERRORS, ""])


def _environment() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items()]
    return "\n".join(["## Environment variables", "", "| variable | meaning |", "|---|---|", *rows, ""])

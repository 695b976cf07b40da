"""A group of commands whose modules are imported when they are called: the list of all needs none of them."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

Function = Callable[..., None]


class LateCommand(TyperCommand):
    """Stands in the list for a command, or for a group of commands, which is made when it is called."""

    def __init__(self, name: str, line: str, load: Callable[[], "Function | typer.Typer"]) -> None:
        super().__init__(name, short_help=line)
        self._load = load

    @cached_property
    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself."""
        found = self._load()
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(self.name)(found)
            found = alone
        command = typer.main.get_command(found)
        assert isinstance(command, TyperCommand | TyperGroup)
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself, which is asked for its help or run from then on."""
        return self.loaded.make_context(info_name, args, parent, **extra)


class LightGroup(TyperGroup):
    """A group of commands whose own options are parsed without pydantic: to import it takes the longest."""

    def get_params(self, ctx: Any) -> Any:
        """Return the options before the command's name, each flag with a default.

        --help has none, nor have those that complete commands: typer imports pydantic to convert it.
        """
        options = super().get_params(ctx)
        for option in options:
            if getattr(option, "is_flag", False) and option.default is None:
                option.default = False
        return options

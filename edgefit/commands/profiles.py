"""`edgefit profiles`: what edgefit knows of devices. It parses and prints; device_profiles/ reads."""

import json
from typing import Annotated

import typer

from edgefit.options import AsJson
from edgefit.terminal import Output

profiles = typer.Typer(help="Look at device profiles.", no_args_is_help=True)


@profiles.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the profiles that come with edgefit."""
    from rich.markup import escape
    from rich.table import Table

    from device_profiles.loading import load_profile, profile_names

    output = Output(as_json)
    found = [load_profile(name) for name in profile_names()]
    table = Table(box=None, show_header=False, pad_edge=False)
    for profile in found:
        table.add_row(escape(profile.name), escape(profile.description))
    output.show(table)
    output.document(json.dumps([{"name": one.name, "description": one.description} for one in found]))


@profiles.command("show")
def show_profile(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A profile's name, or a file of your own.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one profile as it is used."""
    import yaml
    from rich.text import Text

    from device_profiles.loading import load_profile

    output = Output(as_json)
    profile = load_profile(name)
    output.show(Text(yaml.safe_dump(profile.model_dump(), sort_keys=False, allow_unicode=True).rstrip()))
    output.document(profile.model_dump_json())

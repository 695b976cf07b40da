"""Which variants an export makes: those that were asked for, as far as their exporters are installed here.

It opens no source and imports no exporter. makeable.py tells what a source cannot become.
"""

import importlib.util
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.variants import Precision, Variant, choose
from bench.errors import InputError, MissingRuntimeError
from bench.install_command import install_command
from bench.runtimes.formats import FormatRow
from export.options import ALL_PRECISIONS, ExportOptions, check_numbers


@dataclass(frozen=True)
class PlannedVariants:
    """The variants that were asked for."""

    variants: tuple[Variant, ...]
    """All of them, format by format."""
    impossible: Mapping[Variant, str]
    """Those that cannot be made here, whatever the source is, and why."""

    @property
    def possible(self) -> list[Variant]:
        """Those that can be made here of some source."""
        return [variant for variant in self.variants if variant not in self.impossible]


def plan(options: ExportOptions, table: Mapping[str, FormatRow]) -> PlannedVariants:
    """Return the requested variants; raises before any work is done.

    A format that the user names must be exportable here. Of all formats, those that are not are impossible.
    """
    check_numbers(options)
    names = _choose_all(options.precisions, list(ALL_PRECISIONS), "precision", "--precisions")
    precisions = [Precision(name) for name in names]
    if options.formats is None:
        formats = [name for name, row in table.items() if row.exporter is not None]
    else:
        formats = _choose_all(options.formats, list(table), "format", "--formats")
        for name in formats:
            _refuse_unusable(name, table[name], precisions, options)
    named = [Variant(name, precision) for name in formats for precision in precisions]
    variants = [variant for variant in named if options.only is None or variant in options.only]
    reasons = {variant: _why_impossible(table[variant.format], variant.precision) for variant in variants}
    planned = PlannedVariants(
        tuple(variants), {variant: reason for variant, reason in reasons.items() if reason is not None}
    )
    if not planned.possible:
        raise MissingRuntimeError(_none_here(planned))
    _check_int8_options(options, planned.possible, table)
    return planned


def _none_here(planned: PlannedVariants) -> str:
    return f"no format can be exported here: {'; '.join(dict.fromkeys(planned.impossible.values()))}"


def _why_impossible(row: FormatRow, precision: Precision) -> str | None:
    """Return why a variant cannot be made here, without any path of this machine: the bundle tells it."""
    if (reason := _not_offered(row)) is not None:
        return reason
    if missing := missing_packages_of(row):
        return (
            f"{_not_installed(missing)} where the bundle was made; edgefit's extra {row.build_extra} "
            f"installs {'it' if len(missing) == 1 else 'them'}"
        )
    if precision not in row.precisions:
        return row.why_not_all or f"{row.title} has no {precision.value}"
    return None


def _not_installed(packages: Sequence[str]) -> str:
    return f"{', '.join(packages)} {'is' if len(packages) == 1 else 'are'} not installed"


def _refuse_unusable(
    name: str, row: FormatRow, precisions: Sequence[Precision], options: ExportOptions
) -> None:
    """Raise for a format that the user named, and of which nothing can be made here."""
    exporter_of(name, row)
    if (reason := _not_offered(row)) is not None:
        raise MissingRuntimeError(f"{name} cannot be exported here: {reason}")
    if missing := missing_packages_of(row):
        raise MissingRuntimeError(
            f"{name} cannot be exported here, because {_not_installed(missing)}; "
            f"install {'it' if len(missing) == 1 else 'them'} with: {install_command(row.build_extra)}"
        )
    if not set(precisions) & set(row.precisions):
        lacking = " or ".join(precision.value for precision in precisions)
        why = f" ({row.why_not_all})" if row.why_not_all else ""
        raise InputError(f"{name} cannot be exported in {lacking}{why}; {_without(name, row, options)}")


def _without(name: str, row: FormatRow, options: ExportOptions) -> str:
    """Return how to leave out what a format does not have."""
    if options.only is not None:
        unusable = [str(each) for each in options.only if each.format == name]
        return f"leave {', '.join(unusable)} out of --only"
    return f"leave {name} out of --formats, or add {row.precisions[0].value} to --precisions"


def _not_offered(row: FormatRow) -> str | None:
    """Return that the exporter's packages are not offered for this machine or Python; None if they are."""
    machine, python = platform.machine(), sys.version_info[:2]
    elsewhere = f"with edgefit's extra {row.build_extra}, and measure the bundle here"
    if row.build_machines and machine not in row.build_machines:
        offered = " and ".join(row.build_machines)
        return (
            f"the packages that export {row.title} are offered for {offered} only, and this machine is "
            f"{machine}; export it on {offered} {elsewhere}"
        )
    if python < row.build_python:
        needed = "{}.{}".format(*row.build_python)
        return (
            f"the packages that export {row.title} need Python {needed} or newer, and this is Python "
            f"{'{}.{}'.format(*python)}; export it in an environment of Python {needed} {elsewhere}"
        )
    return None


def missing_packages_of(row: FormatRow) -> list[str]:
    """Return the packages of a format's exporter that are not installed, without importing them."""
    return [package for package in row.exporter_needs if importlib.util.find_spec(package) is None]


def is_exportable_here(row: FormatRow) -> bool:
    """Return whether a format's exporter is installed, and offered for this machine and Python."""
    return row.exporter is not None and _not_offered(row) is None and not missing_packages_of(row)


def exporter_of(name: str, row: FormatRow) -> str:
    """Return the module that exports a format; raises InputError if there is none."""
    if row.exporter is None:
        raise InputError(f"{name} can be measured but not exported; leave it out of --formats")
    return row.exporter


def _check_int8_options(
    options: ExportOptions, variants: Sequence[Variant], table: Mapping[str, FormatRow]
) -> None:
    """Refuse options that would change nothing: whoever gives them expects an effect."""
    choose(options.cpu, TARGETS, "CPU")
    is_int8_made = any(variant.precision in table[variant.format].calibrated for variant in variants)
    if options.cpu != PORTABLE and not is_int8_made:
        raise InputError(
            f"--cpu {options.cpu} has an effect on int8 only, and int8 is not exported; "
            "add int8 to --precisions, or leave --cpu out"
        )
    if options.qat:
        if options.min_retention == 0:
            raise InputError(
                "--qat trains until int8 meets --min-retention, which is 0; leave one of them out"
            )
        if not is_int8_made:
            raise InputError(
                "--qat has an effect on int8 only, and int8 is not exported; "
                "add int8 to --precisions, or leave --qat out"
            )


def _choose_all(names: Sequence[str], known: list[str], noun: str, option: str) -> list[str]:
    """Return the names, once each, in the order of `known`."""
    if not names:
        raise InputError(f"{option} is empty; choose from: {', '.join(known)}")
    chosen = {choose(name, known, noun) for name in names}
    return [name for name in known if name in chosen]

"""edgefit in Python: what the commands do, as functions. Each name is imported when it is first used."""

# As typing.TYPE_CHECKING. Nothing is imported here: a file of the user's may have the module's name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from edgefit.api import (
        Checked,
        Choice,
        EdgefitError,
        InputError,
        Inspection,
        MissingRuntimeError,
        NetworkComparison,
        Report,
        Verification,
        bench,
        check,
        choose,
        compare,
        export,
        finetune,
        inspect,
        read_report,
        verify,
    )

__version__ = "0.1.0"
__all__ = [
    "Checked",
    "Choice",
    "EdgefitError",
    "InputError",
    "Inspection",
    "MissingRuntimeError",
    "NetworkComparison",
    "Report",
    "Verification",
    "bench",
    "check",
    "choose",
    "compare",
    "export",
    "finetune",
    "inspect",
    "read_report",
    "verify",
]


if not TYPE_CHECKING:  # a type checker would believe in any name

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'edgefit' has no attribute '{name}'")
        from edgefit.own_packages import require_own

        require_own("bench", "device_profiles", "user_files")
        from bench.system.operating_system import require_posix

        require_posix()
        from user_files.own_folders import name_a_home

        name_a_home()
        from edgefit import api

        globals()[name] = getattr(api, name)
        return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

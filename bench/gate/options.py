"""What a check is asked to do."""

from dataclasses import dataclass, field

from bench.gate.findings import Limits


@dataclass(frozen=True)
class CheckOptions:
    """`only`: the variants to compare, all if empty; `seconds`: how long each variant is timed, apart from a
    second look at suspects; `skip_equal`: whether variants whose files are equal are taken for the same
    unmeasured; `strict`: what cannot be decided blocks too.
    """

    only: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    seconds: float = 20.0
    skip_equal: bool = False
    strict: bool = False

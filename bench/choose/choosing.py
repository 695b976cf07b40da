"""The pick of a profile, and the reason against every other variant. Pure: reports in, choices out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.bundle.variants import Precision
from bench.choose.candidates import Candidate, Field, fields
from bench.choose.comparing import TIE, Preference, Relation, compare
from bench.choose.pareto import dominating, front
from bench.choose.violations import MARGIN, Kept, kept, limits_of, misses
from bench.choose.wording import figures, precision, ratio, tie_lost, why_first, without_dot_product
from bench.record import Record
from bench.report.schema import Report
from device_profiles.settings import Budget

_MOST_NAMED = 3


@dataclass(frozen=True)
class Criteria:
    """What is asked of the pick.

    `budget`: limits that replace those of the profile, where they are given; a `retention` of None leaves the
    profile's, which `any_retention` takes away. `margin`: see limits.kept.
    """

    budget: Budget
    prefer: Preference = Preference.LATENCY
    margin: float = MARGIN
    any_retention: bool = False


Kind = Literal[
    "picked",
    "over a limit",
    "loses accuracy",
    "not shown to keep the accuracy",
    "tie",
    "not decided",
    "worse",
    "better",
    "not ranked",
]


class Remark(Record):
    """What is said of one row: that it is the pick, or why it is not. `front`: nobody beats it in all."""

    name: str
    variant: str | None = None
    provider: str | None = None
    kind: Kind
    reason: str
    front: bool = False


class Choice(Record):
    """The pick for a profile. `headline` says it in a line; `nearest`: by limit, who misses it by the least.

    `pick`: the name of its row, null if no variant meets the budget; `based_on`: what its latency is.
    """

    profile: str
    prefer: Preference = Preference.LATENCY
    budget: Budget
    margin: float
    pick: str | None
    variant: str | None = None
    provider: str | None = None
    report: str | None = None
    based_on: str
    headline: str
    verdicts: tuple[Remark, ...]
    nearest: tuple[str, ...] = ()
    has_rows: bool = True


def choose(reports: Sequence[Report], criteria: Criteria) -> list[tuple[Choice, Candidate | None]]:
    """Return for each profile the choice and, where there is one, the picked row."""
    return [_Chooser(field, criteria).choose() for field in fields(reports)]


class _Chooser:
    """Chooses among the rows of one profile."""

    def __init__(self, field: Field, criteria: Criteria) -> None:
        self._field = field
        self._prefer = criteria.prefer
        self._margin = criteria.margin
        asked = criteria.budget.model_dump(include={"p95_ms", "memory_mb", "size_mb", "retention"})
        given: dict[str, object] = {key: value for key, value in asked.items() if value is not None}
        # The latest report has the profile as it is now.
        budget = max(field.reports, key=lambda one: one.created).profile.budget
        if criteria.any_retention:
            given["retention"] = None
        if given:
            given["source"] = f"{criteria.budget.source}; the rest: {budget.source}"
        self._budget = budget.model_copy(update=given)
        self._limits = limits_of(self._budget)
        self._misses = {one.name: misses(one, self._limits) for one in field.ranked}
        self._kept = {one.name: kept(one, self._budget.retention, self._margin) for one in field.ranked}
        self._front = {one.name for one in front(field.ranked)}

    def choose(self) -> tuple[Choice, Candidate | None]:
        fitting = [one for one in self._field.ranked if self._fits(one)]
        shown = [one for one in fitting if self._kept[one.name].is_shown]
        pick, leader, tied = self._best(shown or fitting)
        choice = Choice(
            profile=self._field.profile,
            prefer=self._prefer,
            budget=self._budget,
            margin=self._margin,
            pick=None if pick is None else pick.name,
            variant=None if pick is None else pick.run.variant,
            provider=None if pick is None else pick.run.provider,
            report=None if pick is None else pick.report.name,
            based_on=self._field.provenance,
            headline=self._headline(pick, tied, shown or fitting),
            verdicts=tuple(self._verdicts(pick, leader)),
            nearest=() if pick is not None else tuple(self._nearest()),
            has_rows=bool(self._rankable()),
        )
        return choice, pick

    def _rankable(self) -> list[Candidate]:
        """Return the rows that have what is preferred."""
        if self._prefer is not Preference.ENERGY:
            return list(self._field.ranked)
        return [one for one in self._field.ranked if one.energy_mj is not None]

    def _fits(self, one: Candidate) -> bool:
        has_energy = self._prefer is not Preference.ENERGY or one.energy_mj is not None
        return not self._misses[one.name] and not self._kept[one.name].is_lost and has_energy

    def _best(self, among: Sequence[Candidate]) -> tuple[Candidate | None, Candidate | None, list[Candidate]]:
        """Return the pick, the leader, and those that tie with the leader: of these the smaller is picked."""
        if not among:
            return None, None, []
        leader = among[0]
        for one in among[1:]:
            if compare(one, leader, self._prefer).ratio < 1:
                leader = one
        tied = [
            one
            for one in among
            if one is leader or compare(one, leader, self._prefer).relation is Relation.TIE
        ]
        return min(tied, key=_tie_break), leader, tied

    def _verdicts(self, pick: Candidate | None, leader: Candidate | None) -> list[Remark]:
        ranked = [self._verdict(one, pick, leader) for one in self._field.ranked]
        picked = [one for one in ranked if one.kind == "picked"]
        others = [one for one in ranked if one.kind != "picked"]
        left = [Remark(name=name, kind="not ranked", reason=reason) for name, reason in self._field.others]
        return [*picked, *others, *left]

    def _verdict(self, one: Candidate, pick: Candidate | None, leader: Candidate | None) -> Remark:
        kind: Kind = "picked"
        reason = figures(one, self._kept[one.name])
        if one is not pick:
            kind, reason = self._against(one, pick, leader)
        return Remark(
            name=one.name,
            variant=one.run.variant,
            provider=one.run.provider,
            kind=kind,
            reason=reason,
            front=one.name in self._front,
        )

    def _against(self, one: Candidate, pick: Candidate | None, leader: Candidate | None) -> tuple[Kind, str]:
        """Return the reason against a row: the first that applies, for a later one would not matter."""
        over, accuracy = self._misses[one.name], self._kept[one.name]
        if over:
            return "over a limit", "; ".join(miss.sentence for miss in over)
        if accuracy.is_lost:
            return "loses accuracy", accuracy.sentence
        if self._prefer is Preference.ENERGY and one.energy_mj is None:
            return "not ranked", f"no energy: {one.run.energy_reason or 'it was not measured'}"
        assert pick is not None  # or this one, which fits, would have been
        assert leader is not None
        if not accuracy.is_shown and self._kept[pick.name].is_shown:
            return "not shown to keep the accuracy", accuracy.sentence
        return self._beside(one, pick, leader, accuracy)

    def _beside(self, one: Candidate, pick: Candidate, leader: Candidate, accuracy: Kept) -> tuple[Kind, str]:
        comparison = compare(one, pick, self._prefer)
        found = ratio(comparison, self._prefer)
        why = without_dot_product(one)
        beaten = [other.name for other in dominating(one, self._field.ranked) if not self._misses[other.name]]
        by = f"; dominated by {beaten[0]}" if beaten else ""
        warning = "" if accuracy.is_shown else f"; {accuracy.sentence}"
        match comparison.relation:
            case Relation.TIE:
                return "tie", f"{found}, within ±{TIE:.0%}, and {tie_lost(one, pick)}{by}{warning}"
            case Relation.UNDECIDED:
                because = "measure longer" if comparison.because is None else comparison.because
                return "not decided", f"{found}; {because}{why}{by}{warning}"
            case Relation.WORSE:
                return "worse", f"{found}{why}{by}{warning}"
            case Relation.BETTER:
                return (
                    "better",
                    f"{found}, yet no better than {leader.name}, with which the pick ties{by}{warning}",
                )

    def _headline(self, pick: Candidate | None, tied: Sequence[Candidate], among: Sequence[Candidate]) -> str:
        profile = self._field.profile + self._rests()
        if not self._field.ranked:
            return f"{profile}: no variant ran, so there is nothing to choose from"
        if not self._rankable():
            return f"{profile}: no variant's energy was measured, so there is nothing to choose by"
        if pick is None:
            return f"{profile}: no variant meets the budget of {self._budget_text()}"
        said = f"{profile}: {pick.name}, {figures(pick, self._kept[pick.name])}"
        if len(tied) > 1:
            others = ", ".join(one.name for one in tied if one is not pick)
            said += f"; a tie in {self._prefer.value} with {others}, of which it is {why_first(pick, tied)}"
        open_ = [
            one.name
            for one in among
            if one is not pick and compare(one, pick, self._prefer).relation is Relation.UNDECIDED
        ]
        if open_:
            against = ", ".join(open_) if len(open_) <= _MOST_NAMED else f"{len(open_)} others, see below"
            said += f"; not decided against {against}"
        if not self._kept[pick.name].is_shown:
            said += f"; {self._kept[pick.name].sentence}"
        return said

    def _rests(self) -> str:
        """Say beside the profile's name where its latencies are not the device's."""
        if self._field.provenance == "measured" or not self._field.ranked:
            return ""
        hosts = ", ".join(dict.fromkeys(one.report.host.cpu for one in self._field.ranked))
        projected = any(one.is_projected for one in self._field.ranked)
        also = ", and on projections" if projected else ""
        return f" (rests on a proxy, {hosts}{also}; not measured there)"

    def _budget_text(self) -> str:
        texts = [f"{limit.what} ≤ {limit.most:g} {limit.unit}" for limit in self._limits]
        if self._budget.retention is not None:
            texts.append(f"retention ≥ {self._budget.retention:g} less {self._margin:g}")
        return ", ".join(texts) or "no limits"

    def _nearest(self) -> list[str]:
        """Say for each limit who misses it by the least, and how many meet it."""
        said = []
        for limit in self._limits:
            found = [
                (miss, one)
                for one in self._field.ranked
                for miss in self._misses[one.name]
                if miss.limit == limit
            ]
            if found:
                miss, one = min(found, key=lambda pair: pair[0].excess)
                said.append(
                    f"{limit.what}: {self._met(len(found))}; nearest miss {one.name}: {miss.sentence}"
                )
        for judged in ("retention", "agreement", "one class"):
            lost = [
                each
                for each in self._field.ranked
                if self._kept[each.name].is_lost and self._kept[each.name].judged == judged
            ]
            if lost:
                best = max(lost, key=lambda each: each.agreeing or 0)
                sentence = self._kept[best.name].sentence.removeprefix("loses accuracy: ")
                said.append(f"{judged}: {self._met(len(lost))}; nearest miss {best.name}: {sentence}")
        return said

    def _met(self, missed: int) -> str:
        total = len(self._field.ranked)
        return f"met by {total - missed} of {total}"


def _tie_break(one: Candidate) -> tuple[float, float, bool, str]:
    """Return what decides a tie: the smaller, then the more accurate, then fp32."""
    return one.run.size_bytes or 0, -one.top1, precision(one) is not Precision.FP32, one.name

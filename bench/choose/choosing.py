"""The variant to ship for a profile, and the reason against each other one. Pure: reports in, choices out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.bundle.variants import Precision
from bench.choose.budget_violations import limits_of, retention_check, violations
from bench.choose.candidates import Candidate, CandidateSet, JudgedBy, candidate_sets
from bench.choose.comparing import Preference, Relation, compare
from bench.choose.other_networks import more_accurate_network
from bench.choose.pareto import Costs
from bench.choose.wording import (
    figures,
    latency_figure,
    ratio,
    tie_lost,
    why_first,
    without_dot_product,
)
from bench.devices.terms import Provenance
from bench.measurements import NoEnergy
from bench.record import Record
from bench.report.outputs_words import disagreement, outputs_sentence
from bench.report.retention import MARGIN, RetentionCheck
from bench.report.schema import Report
from bench.statistics.accuracy import MIN_AGREEMENT, MIN_SQNR_DB
from device_profiles.settings import Budget

_MOST_NAMED = 3
_LONGEST_HEADLINE = 80
_WITHOUT_LABELS = "accuracy was not compared, because the model files were measured without labels"
_INSTEAD: Mapping[JudgedBy, str] = {
    "agreement": f"at least {MIN_AGREEMENT:.0%} of the answers must have the {{}}'s class instead",
    "SQNR": f"the SQNR of the values against the {{}}'s must be at least {MIN_SQNR_DB:g} dB instead",
}


@dataclass(frozen=True)
class Criteria:
    """The limits that the choice has to meet, and the preference that ranks the variants."""

    budget: Budget
    """Limits that replace the profile's own, where they are given."""
    prefer: Preference = Preference.LATENCY
    """The quantity that ranks the variants that meet the budget."""
    margin: float = MARGIN
    """How far the lower end of retention's interval may lie below its limit."""
    any_retention: bool = False
    """Whether there is no limit of retention."""


Result = Literal[
    "chosen",
    "over a limit",
    "loses accuracy",
    "not shown to keep the accuracy",
    "loses agreement",
    "not shown to agree",
    "tie",
    "not better",
    "not decided",
    "worse",
    "better",
    "not ranked",
]


class CandidateResult(Record):
    """The result for one candidate."""

    name: str
    """The candidate's name, unique within the profile."""
    variant: str | None = None
    """Its variant; null where it is not ranked."""
    provider: str | None = None
    """Its provider; null where it is not ranked."""
    result: Result
    """Chosen, or why not."""
    reason: str
    """The figures of the chosen candidate, or the reason against this one."""
    on_front: bool = False
    """Whether it is on the Pareto front: no other candidate is at least as good in all and better in one."""


class Choice(Record):
    """The choice for a profile."""

    profile: str
    """The profile's name."""
    prefer: Preference = Preference.LATENCY
    """The quantity that ranked the variants."""
    budget: Budget
    """The limits that applied."""
    margin: float
    """By how much the lower end of the retention's interval may lie below the budget's retention."""
    chosen: str | None
    """The name of the chosen candidate; null if no variant meets the budget."""
    variant: str | None = None
    """The chosen variant."""
    provider: str | None = None
    """Its provider."""
    report: str | None = None
    """The name of the report that contains it."""
    based_on: Provenance
    """Whether the latencies were measured on the device itself or on a proxy for it."""
    headline: str
    """The result in one line."""
    explanation: tuple[str, ...]
    """Figures with their conditions, ties, and what is not decided, a sentence each."""
    candidates: tuple[CandidateResult, ...]
    """All candidates, the chosen one first."""
    nearest: tuple[str, ...] = ()
    """Where no candidate meets the budget: for each limit the candidate that exceeds it by the least."""
    has_rows: bool = True
    """Whether there was any candidate to choose from."""
    accuracy_compared: bool = True
    """Whether accuracy was compared; false for model files, and for a bundle without labels or classes."""
    judged_by: JudgedBy = "accuracy"
    """What the variants' answers were judged by: without labels their agreement with the source."""

    @property
    def front_of(self) -> str:
        """The quantities of the Pareto front."""
        if self.judged_by == "nothing":
            return "p50, memory and size"
        return f"p50, memory, size and {self.judged_by}"


def choose(reports: Sequence[Report], criteria: Criteria) -> list[tuple[Choice, Candidate | None]]:
    """Return for each profile the choice and, where there is one, the chosen candidate."""
    return [_Chooser(candidates, criteria).choose() for candidates in candidate_sets(reports)]


class _Chooser:
    """Chooses among the candidates of one profile."""

    def __init__(self, candidates: CandidateSet, criteria: Criteria) -> None:
        self._set = candidates
        self._prefer = criteria.prefer
        self._margin = criteria.margin
        self._budget = _budget_of(candidates, criteria)
        self._limits = limits_of(self._budget)
        ranked = candidates.ranked
        self._violations = {row.name: violations(row, self._limits) for row in ranked}
        self._checks = {
            row.name: retention_check(row, self._budget.retention, self._margin) for row in ranked
        }
        self._costs = Costs(ranked)
        self._front = {row.name for row in self._costs.front()}

    def choose(self) -> tuple[Choice, Candidate | None]:
        fitting = [row for row in self._set.ranked if self._fits(row)]
        shown = [row for row in fitting if self._checks[row.name].is_shown]
        among = shown or fitting
        chosen, leader, tied = self._best(among)
        choice = Choice(
            profile=self._set.profile,
            prefer=self._prefer,
            budget=self._budget,
            margin=self._margin,
            chosen=None if chosen is None else chosen.name,
            variant=None if chosen is None else chosen.run.variant,
            provider=None if chosen is None else chosen.run.config.provider,
            report=None if chosen is None else chosen.report.name,
            based_on=self._set.provenance,
            headline=self._headline(chosen),
            explanation=tuple(self._explanation(chosen, tied, among)),
            candidates=tuple(self._results(chosen, leader)),
            nearest=() if chosen is not None else tuple(self._nearest()),
            has_rows=bool(self._rankable()),
            accuracy_compared=self._set.judged_by == "accuracy",
            judged_by=self._set.judged_by,
        )
        return choice, chosen

    def _rankable(self) -> list[Candidate]:
        """Return the candidates that have a value of the preferred quantity."""
        if self._prefer is not Preference.ENERGY:
            return list(self._set.ranked)
        return [row for row in self._set.ranked if row.energy_mj is not None]

    def _fits(self, row: Candidate) -> bool:
        has_energy = self._prefer is not Preference.ENERGY or row.energy_mj is not None
        return not self._violations[row.name] and not self._checks[row.name].is_lost and has_energy

    def _best(self, among: Sequence[Candidate]) -> tuple[Candidate | None, Candidate | None, list[Candidate]]:
        """Return the choice, the leader, and all that tie with the leader. The smallest one is chosen."""
        if not among:
            return None, None, []
        leader = among[0]
        for row in among[1:]:
            if compare(row, leader, self._prefer).ratio < 1:
                leader = row
        tied = [
            row
            for row in among
            if row is leader or compare(row, leader, self._prefer).relation is Relation.TIE
        ]
        return min(tied, key=_tie_break), leader, tied

    def _results(self, chosen: Candidate | None, leader: Candidate | None) -> list[CandidateResult]:
        ranked = [self._result(row, chosen, leader) for row in self._set.ranked]
        first = [row for row in ranked if row.result == "chosen"]
        others = [row for row in ranked if row.result != "chosen"]
        left = [
            CandidateResult(name=name, result="not ranked", reason=reason)
            for name, reason in self._set.others
        ]
        return [*first, *others, *left]

    def _result(self, row: Candidate, chosen: Candidate | None, leader: Candidate | None) -> CandidateResult:
        result: Result = "chosen"
        reason = figures(row, self._checks[row.name])
        if row is not chosen:
            result, reason = self._against(row, chosen, leader)
        return CandidateResult(
            name=row.name,
            variant=row.run.variant,
            provider=row.run.config.provider,
            result=result,
            reason=reason,
            on_front=row.name in self._front,
        )

    def _against(
        self, row: Candidate, chosen: Candidate | None, leader: Candidate | None
    ) -> tuple[Result, str]:
        """Return the first reason that applies, because a later one would not matter."""
        over, check = self._violations[row.name], self._checks[row.name]
        has_labels = self._set.judged_by not in _INSTEAD
        if over:
            return "over a limit", "; ".join(violation.sentence for violation in over)
        if check.is_lost:
            return _without_repeating("loses accuracy" if has_labels else "loses agreement", check)
        if self._prefer is Preference.ENERGY and row.energy_mj is None:
            return "not ranked", f"no energy: {_why_no_energy(row)}"
        assert chosen is not None  # this candidate meets the budget, so one was chosen
        assert leader is not None
        if not check.is_shown and self._checks[chosen.name].is_shown:
            result: Result = "not shown to keep the accuracy" if has_labels else "not shown to agree"
            return _without_repeating(result, check)
        return self._against_chosen(row, chosen, leader, check)

    def _against_chosen(
        self, row: Candidate, chosen: Candidate, leader: Candidate, check: RetentionCheck
    ) -> tuple[Result, str]:
        comparison = compare(row, chosen, self._prefer)
        figure = ratio(comparison, self._prefer)
        why = without_dot_product(row)
        better = [other.name for other in self._costs.dominating(row) if not self._violations[other.name]]
        by = f"; dominated by {better[0]}" if better else ""
        differs = disagreement(row.report, row.run)
        accuracy = "" if check.is_shown else f"; {check.sentence}"
        accuracy += "" if differs is None else f"; {differs}"
        match comparison.relation:
            case Relation.TIE:
                near = f"within ±{comparison.tie:.0%}"
                return "tie", f"{figure}, {near}, and {tie_lost(row, chosen)}{by}{accuracy}"
            case Relation.NOT_BETTER:
                return "not better", f"{figure}{why}{by}{accuracy}"
            case Relation.UNDECIDED:
                because = "measure longer" if comparison.because is None else comparison.because
                return "not decided", f"{figure}; {because}{why}{by}{accuracy}"
            case Relation.WORSE:
                return "worse", f"{figure}{why}{by}{accuracy}"
            case Relation.BETTER:
                sentence = f"{figure}, but not better than {leader.name}, which ties with the choice"
                return "better", f"{sentence}{by}{accuracy}"

    def _headline(self, chosen: Candidate | None) -> str:
        profile = self._set.profile
        if not self._set.ranked:
            return f"{profile}: no {self._noun} ran"
        if not self._rankable():
            return f"{profile}: no {self._noun}'s energy was measured"
        if chosen is None:
            return f"{profile}: no {self._noun} meets the budget"
        is_single = len({row.report.name for row in self._set.ranked}) == 1
        case = chosen.run.case if is_single else f"{chosen.run.case} of {chosen.report.name}"
        names = ((chosen.name, True), (chosen.name, False), (case, False))
        headlines = [f"{profile}: {name}, {latency_figure(chosen, interval)}" for name, interval in names]
        return next((line for line in headlines if len(line) <= _LONGEST_HEADLINE), headlines[-1])

    def _explanation(
        self, chosen: Candidate | None, tied: Sequence[Candidate], among: Sequence[Candidate]
    ) -> list[str]:
        """Return the figures with their conditions, ties, and what is not decided, a sentence each."""
        based_on = self._based_on()
        unlabelled = self._unlabelled()
        if chosen is None:
            budget = [f"the budget is {self._budget_text()}"] if self._rankable() else []
            return [*unlabelled, *budget, *based_on]
        check = self._checks[chosen.name]
        outputs = outputs_sentence(chosen.report, chosen.run)
        sentences = [*unlabelled, *([] if outputs is None else [outputs]), figures(chosen, check)]
        if len(tied) > 1:
            others = ", ".join(row.name for row in tied if row is not chosen)
            sentences.append(
                f"a tie in {self._prefer.value} with {others}: {why_first(chosen, tied)} is chosen"
            )
        sentences += self._decided(chosen, [row for row in among if row is not chosen])
        if not check.is_shown:
            sentences.append(check.sentence)
        other = more_accurate_network(chosen, self._set.ranked, self._prefer)
        return [*sentences, *([] if other is None else [other]), *based_on, *self._unclaimed(chosen)]

    def _decided(self, chosen: Candidate, others: Sequence[Candidate]) -> list[str]:
        """Return against which others it is not decided; if against none, how much faster one may be."""
        comparisons = {row.name: compare(row, chosen, self._prefer) for row in others}
        relations = {name: comparison.relation for name, comparison in comparisons.items()}
        undecided = [name for name, relation in relations.items() if relation is Relation.UNDECIDED]
        if undecided:
            against = ", ".join(undecided) if len(undecided) <= _MOST_NAMED else f"{len(undecided)} others"
            return [f"not decided against {against}"]
        is_of_device = self._prefer is Preference.LATENCY and self._set.provenance == "measured"
        if not is_of_device or not others:
            return []
        limited = " within the budget" if len(others) < len(self._set.ranked) - 1 else ""
        most = max(comparison.most_better for comparison in comparisons.values())
        than = f"more than {math.ceil(100 * most)}% " if most else ""
        return [f"no other {self._noun}{limited} is {than}faster"]

    @property
    def _noun(self) -> str:
        return "model" if self._set.judged_by == "nothing" else "variant"

    def _unclaimed(self, chosen: Candidate) -> list[str]:
        """Return which classes have too few images to show that they keep their recall."""
        least = self._budget.retention
        if least is None or chosen.classes is None:
            return []
        sentence = chosen.classes.too_few(least - self._margin)
        return [] if sentence is None else [sentence]

    def _unlabelled(self) -> list[str]:
        """Return why accuracy was not compared, and what was in its place."""
        if self._set.judged_by == "accuracy" or not self._set.ranked:
            return []
        if self._set.judged_by == "nothing":
            return [_WITHOUT_LABELS]
        instead = _INSTEAD[self._set.judged_by].format(self._set.ranked[0].reference)
        return [f"accuracy was not compared, because {self._set.gap}; {instead}"]

    def _based_on(self) -> list[str]:
        """Return a sentence where the latencies are not the device's."""
        if self._set.provenance == "measured" or not self._set.ranked:
            return []
        hosts = ", ".join(dict.fromkeys(row.report.host.cpu for row in self._set.ranked))
        also = " and on projections" if any(row.is_projected for row in self._set.ranked) else ""
        return [f"based on a proxy ({hosts}){also}: not measured on {self._set.profile}"]

    def _budget_text(self) -> str:
        texts = [f"{limit.quantity} ≤ {limit.maximum:g} {limit.unit}" for limit in self._limits]
        if self._budget.retention is not None:
            texts.append(f"retention ≥ {self._budget.retention:g} − {self._margin:g}")
        if self._set.judged_by == "agreement":
            texts.append(f"agreement ≥ {MIN_AGREEMENT:g}")
        if self._set.judged_by == "SQNR":
            texts.append(f"SQNR ≥ {MIN_SQNR_DB:g} dB")
        return ", ".join(texts) or "no limits"

    def _nearest(self) -> list[str]:
        """Return for each limit how many candidates meet it, and which one exceeds it by the least."""
        sentences: list[str] = []
        for limit in self._limits:
            over = [
                (violation, row)
                for row in self._set.ranked
                for violation in self._violations[row.name]
                if violation.limit == limit
            ]
            if over:
                violation, row = min(over, key=lambda pair: pair[0].excess)
                met = self._met(len(over))
                sentences.append(
                    f"the limit of {limit.quantity} is {met}; the nearest is {row.name}: {violation.sentence}"
                )
        for judged in ("retention", "agreement", "one class", "SQNR"):
            checks = [(row, self._checks[row.name]) for row in self._set.ranked]
            lost = [(row, check) for row, check in checks if check.is_lost and check.judged == judged]
            if lost:
                row, check = max(lost, key=lambda pair: (pair[0].agreeing, pair[0].quality))
                sentence = check.sentence.removeprefix("loses accuracy: ").removeprefix("loses agreement: ")
                met = self._met(len(lost))
                sentences.append(f"the limit of {judged} is {met}; the nearest is {row.name}: {sentence}")
        return sentences

    def _met(self, over: int) -> str:
        total = len(self._set.ranked)
        return f"met by {total - over} of {total} candidates"


def _budget_of(candidates: CandidateSet, criteria: Criteria) -> Budget:
    """Return the profile's budget, with the limits of the criteria in place of its own."""
    limits = criteria.budget.model_dump(include={"p95_ms", "memory_mb", "size_mb", "retention"})
    changes: dict[str, object] = {key: value for key, value in limits.items() if value is not None}
    # The latest report has the present version of the profile.
    budget = max(candidates.reports, key=lambda report: report.created).profile.budget
    if criteria.any_retention:
        changes["retention"] = None
    if changes:
        changes["source"] = f"{criteria.budget.source}; the rest: {budget.source}"
    if candidates.judged_by != "accuracy":
        changes["retention"] = None
    return budget.model_copy(update=changes)


def _without_repeating(result: Result, check: RetentionCheck) -> tuple[Result, str]:
    """Return a result with its reason, which need not say the result again."""
    return result, check.sentence.removeprefix(f"{result}: ")


def _why_no_energy(row: Candidate) -> str:
    energy = row.measured.energy
    return energy.reason if isinstance(energy, NoEnergy) else "it was not measured on the device itself"


def _tie_break(row: Candidate) -> tuple[float, bool, float, bool, str]:
    """Return the key that decides a tie: the smaller, one whose outputs agree, the more accurate, fp32."""
    return row.size_bytes, row.disagrees, -row.quality, row.run.precision is not Precision.FP32, row.name

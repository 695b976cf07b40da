"""The sentences of a choice: what explains it, and how to read its table. Pure."""

from bench.choose.choosing import Choice


def explanation(choice: Choice) -> list[str]:
    """Return the explanation without the figures, which the row of the chosen candidate has."""
    figures = [candidate.reason for candidate in choice.candidates if candidate.result == "chosen"]
    return [sentence for sentence in choice.explanation if sentence not in figures]


def choice_notes(choice: Choice) -> tuple[str, ...]:
    """Return what the marks and the ratios of the table mean, and where the limits are from."""
    return (
        f"* on the Pareto front of {choice.front_of}",
        f"Ranked by {choice.prefer.value}. Ratios are to the choice, with a 95 % interval.",
        f"Budget: {choice.budget.source}",
    )

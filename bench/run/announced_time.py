"""What a run says of its time before it begins. Pure."""

from bench.harness.plan import Plan
from user_files.wording import counted


def sentence_on_time(plan: Plan) -> str:
    """Return how long the latencies of a plan may take, and how a user changes that."""
    count = len(plan.cases)
    seconds = plan.group_seconds(count, count)
    fewest = counted(plan.sampling.check_after_processes[0], "process", "processes")
    cooling = "" if plan.sampling.cool_to_c is None else ", cooling not counted"
    return (
        f"the latency of {counted(count, 'variant')} takes up to {seconds:.0f} s{cooling} (--seconds "
        f"changes that), and more only if {fewest} of each take longer; memory, accuracy and precision "
        "come first"
    )

"""The options that a case runs with. Case, worker request, row and comparison all hold this one record.

A new option is a field here, with a default because reports and journals of before do not have it; a flag of
the command line; and a line in each runtime that knows it. Journal, prediction cache, comparisons and page
read the fields by themselves.
"""

from pydantic import Field

from bench.record import Record


class RunOptions(Record):
    """What all cases of a run have in common."""

    threads: int = Field(ge=1)
    """Threads that the runtime may use for one inference."""
    variables: str = ""
    """The variables of the environment that its process keeps although they change how libraries compute or
    allocate, as a shell sets them; empty if there are none."""

    @property
    def label(self) -> str:
        """The options as they are shown beside a number."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{threads}, {self.variables}" if self.variables else threads

    @property
    def short_label(self) -> str:
        """The options for a narrow table cell."""
        return f"{self.threads} thr."

    def on(self, provider: str, batch: int = 1) -> "RunConfig":
        """Return these options on one provider, for a case whose inferences take `batch` inputs each."""
        return RunConfig.model_validate({**self.model_dump(), "provider": provider, "batch": batch})


class RunConfig(RunOptions):
    """The options of one case: those of the run, and where it runs."""

    provider: str
    """The runtime's own name for where it runs, such as `CPUExecutionProvider`, `GPU` or `cuda:0`."""
    batch: int = Field(default=1, ge=1)
    """How many inputs one inference takes: the size of the model's first axis."""

    @property
    def label(self) -> str:
        """The options as they are shown beside a number."""
        return f"{self.options.label}, batch {self.batch}"

    @property
    def options(self) -> RunOptions:
        """What this case has in common with the others of its run."""
        return RunOptions.model_validate(self.model_dump(include=set(RunOptions.model_fields)))

    def differences(self, other: "RunConfig") -> list[tuple[str, object, object]]:
        """Return the name of each option that differs, with its value here and in `other`."""
        return [
            (name, getattr(self, name), getattr(other, name))
            for name in type(self).model_fields
            if getattr(self, name) != getattr(other, name)
        ]

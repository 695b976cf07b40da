"""What crosses the wire between this machine and a board's agent: requests, answers and events.

The agent has the standard library alone and builds its answers as dictionaries. These records check them.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from bench.errors import BoardError
from bench.record import Record
from bench.remote.job_folder import Count, JobOutcome, JobRequest, ProgressEvent
from user_files.printable import printable, shortened

# A Raspberry Pi 5 lists the rails of its power chip in less than 2000 characters.
_LONGEST_OUTPUT = 4000
_PythonNumber: TypeAlias = Annotated[int, Field(ge=0, le=999)]
_LONGEST_KEY = 200
_MOST_KEYS, _MOST_FIELDS = 2, 100
# What a probe lists: a machine with a thousand CPUs has some thousand files.
_MOST_ENTRIES = 20_000
# What the agent reads of a file.
_LONGEST_FILE = 1 << 17
# Linux counts at most 8192 CPUs.
_CpuNumber: TypeAlias = Annotated[int, Field(ge=0, le=8191)]

_Line: TypeAlias = Annotated[str, Field(max_length=1000)]
_Path: TypeAlias = Annotated[str, Field(max_length=4096)]  # Linux takes no longer ones
_FileText: TypeAlias = Annotated[str, Field(max_length=_LONGEST_FILE)]


def _refuse_many(value: object) -> object:
    """Refuse a collection for its size alone: to check each of its members would take as long as it is."""
    if isinstance(value, (list, tuple, dict)) and len(value) > _MOST_ENTRIES:
        raise ValueError(f"it has {len(value)} entries, and no board has more than {_MOST_ENTRIES}")
    return value


_FEW = BeforeValidator(_refuse_many)

JobState: TypeAlias = Literal["unknown", "running", "interrupted", "ended"]
"""The state of a job on a board: `interrupted` is one that stopped before its end and can be resumed."""


class JobSpec(Record):
    """What the agent needs to start a job."""

    environment: str
    """The key of the environment that the job runs in."""

    code: str
    """The SHA-256 of the archive with edgefit's code."""

    files: Mapping[str, str]
    """The SHA-256 of each file of what is measured, by its path in the job's folder of files."""

    request: JobRequest
    """What the job's process reads."""


class ProbeRequest(Record):
    """Asks for facts and small files of the board; see agent.probing.probe."""

    request: Literal["probe"] = "probe"
    """The name of the request."""

    patterns: tuple[str, ...]
    """Glob patterns of the files to read."""

    vcgencmd: tuple[str, ...]
    """The arguments with which a Raspberry Pi's vcgencmd is called, one call each."""

    modules: Mapping[str, str]
    """The modules to look for, each with the name of its distribution."""

    group_files: tuple[str, ...]
    """The names of the files to read of the agent's control groups, and of those above them."""

    variables: tuple[str, ...]
    """How the names of the variables begin that the answer has."""


class PrepareRequest(Record):
    """Asks what the board has of a job; see agent.serving.Agent.do_prepare."""

    request: Literal["prepare"] = "prepare"
    """The name of the request."""

    wheels: tuple[str, ...]
    """The SHA-256 of each wheel of the environment."""

    with_system_packages: bool
    """Whether the environment sees the packages of the board's system."""

    code: str
    """The SHA-256 of the archive with edgefit's code."""

    job: str
    """The key of the job."""


class MissingRequest(Record):
    """Asks which files the board does not have; see agent.store.Store.missing."""

    request: Literal["missing"] = "missing"
    """The name of the request."""

    hashes: tuple[str, ...]
    """The SHA-256 of each file."""


class PutRequest(Record):
    """Announces a file, whose bytes follow; see agent.store.Store.put."""

    request: Literal["put"] = "put"
    """The name of the request."""

    sha256: str
    """The SHA-256 of the file."""

    size_bytes: int
    """How many bytes follow."""


class MakeEnvironmentRequest(Record):
    """Has an environment made of uploaded wheels; see agent.environments.Environments.make."""

    request: Literal["make_environment"] = "make_environment"
    """The name of the request."""

    key: str
    """The key of the environment."""

    wheels: tuple[str, ...]
    """The SHA-256 of each wheel."""

    with_system_packages: bool
    """Whether the environment sees the packages of the board's system."""

    imports: tuple[str, ...]
    """The modules that must be importable in it."""


class UnpackCodeRequest(Record):
    """Has edgefit's code unpacked; see agent.environments.Environments.unpack_code."""

    request: Literal["unpack_code"] = "unpack_code"
    """The name of the request."""

    sha256: str
    """The SHA-256 of the uploaded archive."""


class StartRequest(Record):
    """Starts a job; see agent.jobs.Jobs.start."""

    request: Literal["start"] = "start"
    """The name of the request."""

    job: str
    """The key of the job."""

    spec: JobSpec
    """What the agent needs to start it."""


class FollowRequest(Record):
    """Asks for the events of a job until it ends; see agent.jobs.Jobs.follow."""

    request: Literal["follow"] = "follow"
    """The name of the request."""

    job: str
    """The key of the job."""

    offset: int
    """The byte of the file of events at which to begin."""


class ResultRequest(Record):
    """Asks for the result of a job that ended; see agent.jobs.Jobs.result."""

    request: Literal["result"] = "result"
    """The name of the request."""

    job: str
    """The key of the job."""


class StopRequest(Record):
    """Ends the running job, whichever it is; see agent.jobs.Jobs.stop."""

    request: Literal["stop"] = "stop"
    """The name of the request."""


class DeleteJobRequest(Record):
    """Removes a job; see agent.jobs.Jobs.delete_job."""

    request: Literal["delete_job"] = "delete_job"
    """The name of the request."""

    job: str
    """The key of the job."""

    keep_journal: bool
    """Whether the job's journal stays, so that the job can be resumed."""


class CleanRequest(Record):
    """Removes edgefit's folder from the board; see agent.jobs.Jobs.clean."""

    request: Literal["clean"] = "clean"
    """The name of the request."""

    stop: bool
    """Whether a running job is ended first; without it, a running job is a reason to refuse."""


AgentRequest: TypeAlias = (
    ProbeRequest
    | PrepareRequest
    | MissingRequest
    | PutRequest
    | MakeEnvironmentRequest
    | UnpackCodeRequest
    | StartRequest
    | FollowRequest
    | ResultRequest
    | StopRequest
    | DeleteJobRequest
    | CleanRequest
)
"""Everything that the agent can be asked."""


class ProbeFacts(Record):
    """The answer to a ProbeRequest; see agent.probing.probe."""

    python: tuple[_PythonNumber, _PythonNumber, _PythonNumber]
    """The version of the board's python3."""

    implementation: _Line
    """The implementation of that Python, such as CPython."""

    abi_flags: _Line
    """The flags in the name of its binary interface: `t` is free-threaded."""

    bits: int
    """How many bits its pointers have."""

    architecture: _Line
    """The processor's architecture, as `uname -m` prints it."""

    libc: tuple[_Line, Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]] | None
    """The name and version of the C library; None if it does not name itself."""

    system: _Line
    """The name of the operating system's kernel, such as Linux."""

    kernel: _Line
    """The kernel's release."""

    os: _Line
    """The operating system's name and version."""

    usable_cpus: Annotated[tuple[_CpuNumber, ...], Field(min_length=1), _FEW]
    """The numbers of the CPUs that a process may use."""

    programs_above: Annotated[tuple[_Path, ...], _FEW]
    """The programs of the processes above the agent, an emulator's perhaps among them."""

    emulated: _Line | None
    """The value of EDGEFIT_EMULATED there; None if it is not set."""

    store: _Path
    """The path of edgefit's folder there."""

    may_write: bool
    """Whether the user who logs in can write that folder."""

    may_execute: bool
    """Whether its file system is mounted so that programs can run from it."""

    store_bytes: Count
    """The size of that folder."""

    disk_free_bytes: Count
    """The free space of that folder's disk."""

    modules: Annotated[dict[str, _Line], _FEW]
    """The versions of those requested modules that can be imported."""

    files: Annotated[dict[_Path, _FileText], _FEW]
    """The text of each requested file that exists."""

    variables: Annotated[dict[str, _FileText], _FEW] = Field(default_factory=dict)
    """The variables of the environment there that were asked for."""

    vcgencmd: Annotated[dict[str, Annotated[str, Field(max_length=_LONGEST_OUTPUT)]], _FEW]
    """The output of each call of vcgencmd that succeeded."""

    stat_before: _FileText
    """The text of /proc/stat before the one in `files`."""


class BoardState(Record):
    """The answer to a PrepareRequest: what the board has of a job."""

    environment: Annotated[str, Field(pattern="^[0-9a-f]{1,64}$")] | None
    """The key of an environment there that holds the wheels; None if none does."""

    has_code: bool
    """Whether edgefit's code is there."""

    job: JobState
    """The state of the job."""


class JobResult(JobOutcome):
    """The answer to a ResultRequest."""

    report: str | None
    """The text of the report; None if the job left none."""


class RemovedFolder(Record):
    """The answer to a CleanRequest."""

    folder: _Path
    """The path of edgefit's folder."""

    size_bytes: Count
    """How many bytes it held; 0 if it did not exist."""


class Answer(Record):
    """The agent's answer to a request."""

    answer: JsonValue
    """What the request's answer is; `read_answer` checks it."""


class Refusal(Record):
    """The agent cannot do what was requested."""

    refused: str
    """The reason, and what to do."""


class JobEvent(Record):
    """A job that is followed made progress."""

    event: ProgressEvent
    """The progress."""

    offset: Count
    """The byte of the file of events at which the next event begins."""


class JobDied(Record):
    """A job that is followed ended without an outcome."""

    died: str
    """What is known of it, with the last lines that it wrote."""


class Alive(Record):
    """A job that is followed runs, and had no event for a while."""

    alive: Literal[True]
    """Nothing else is known."""


FollowMessage: TypeAlias = JobEvent | JobDied | Alive
"""What the agent sends while it follows a job."""

AgentMessage: TypeAlias = Answer | Refusal | FollowMessage
"""One line that the agent sends."""

_MESSAGE: TypeAdapter[AgentMessage] = TypeAdapter(AgentMessage)

T = TypeVar("T")


def read_message(board: str, line: bytes) -> AgentMessage:
    """Check one line that a board sent; raises BoardError if it is no message of the agent."""
    try:
        # It is read before it is checked: pydantic's errors of a JSON text keep a copy of it for each fault.
        return _MESSAGE.validate_python(_small_object(from_json(line, allow_inf_nan=False)))
    except ValueError:  # of which ValidationError is one
        raise BoardError(
            f"{board}: the board sent {line[:80]!r}, which is not a message of edgefit's agent; run the"
            " command again, and look at what the board's login scripts print if this comes back"
        ) from None


def _small_object(value: object) -> object:
    """Refuse what has more keys than any message: each of them would be a fault for each kind of message."""
    if isinstance(value, dict) and len(value) > _MOST_KEYS:
        raise ValueError("a message has one or two keys")
    return value


def read_answer(board: str, kind: type[T], answer: JsonValue) -> T:
    """Check what a board's agent answered; raises BoardError with the first fault."""
    if isinstance(answer, dict) and len(answer) > _MOST_FIELDS:
        raise invalid_answer(board, f"it has {len(answer)} keys, and no answer has more than {_MOST_FIELDS}")
    try:
        # JSON has no tuples, so a list may stand for one.
        return TypeAdapter(kind).validate_python(answer, strict=False)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the answer"
        what = fault["msg"].removeprefix("Value error, ")
        raise invalid_answer(board, f"{shortened(printable(where), _LONGEST_KEY)}: {what}") from None


def invalid_answer(board: str, fault: str) -> BoardError:
    """Return the error for an answer of a board's agent that cannot be right."""
    return BoardError(
        f"{board}: the answer of edgefit's agent is not valid ({fault}); run the command again, and "
        "check which machine answers at this address if this comes back"
    )

"""A board that does what no board of edgefit does: a script in the place of ssh, and an agent of its own.

As a program it is that agent: `python hostile_board.py BEHAVIOUR ANSWER`, where ANSWER is a file with what a
Raspberry Pi answers to a probe. It needs the standard library alone, so that it starts at once.
"""

import itertools
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _PI: dict[str, Any] = json.loads(Path(sys.argv[2]).read_text())
else:
    from making.probed_board import pi_4

    _PI = pi_4()

_FLOOD = b"x" * (1 << 16)


def hostile_ssh(folder: Path, behaviour: str) -> str:
    """Return a command for EDGEFIT_SSH that reaches a board with this behaviour."""
    program, answer_file = folder / "ssh", folder / "answer.json"
    answer_file.write_text(json.dumps(_PI))
    words = (sys.executable, "-S", "-E", __file__, behaviour, str(answer_file))
    says_how = '[ "$word" = -G ] && exec ssh -q -F /dev/null "$@"'
    program.write_text(f"#!/bin/sh\nfor word; do {says_how}; done\nexec {shlex.join(words)}\n")
    program.chmod(0o755)
    return shlex.quote(str(program))


def pi(**changes: object) -> dict[str, Any]:
    """Return the answer of a Raspberry Pi; `changes` replace whole values."""
    return {**_PI, **changes}


def requests() -> Iterator[dict[str, Any]]:
    """Yield what the laptop asks for, until it is gone."""
    loader = sys.stdin.buffer.readline()
    assert loader
    size = int(sys.stdin.buffer.readline())
    sys.stdin.buffer.read(size)
    while line := sys.stdin.buffer.readline():
        if line.strip():
            yield json.loads(line)


def send(message: object) -> None:
    """Send a line."""
    write(json.dumps(message).encode() + b"\n")


def write(data: bytes) -> None:
    """Send bytes."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def answer(value: object) -> Callable[[], None]:
    """Return the behaviour of answering each request with this."""

    def behave() -> None:
        for _ in requests():
            send({"answer": value})

    return behave


def line(data: bytes) -> Callable[[], None]:
    """Return the behaviour of answering each request with this line."""

    def behave() -> None:
        for _ in requests():
            write(data + b"\n")

    return behave


def probed_then(*messages: object) -> Callable[[], None]:
    """Return the behaviour of a Raspberry Pi until it is asked for more than a probe; then it sends these."""

    def behave() -> None:
        for request in requests():
            if request["request"] == "probe":
                send({"answer": pi()})
                continue
            for message in messages:
                send(message)

    return behave


def followed_by(events: Callable[[], Iterator[object]]) -> Callable[[], None]:
    """Return the behaviour of a board that measures already, and sends these events."""

    def behave() -> None:
        for request in requests():
            match request["request"]:
                case "probe":
                    send({"answer": pi()})
                case "prepare":
                    send({"answer": {"environment": None, "has_code": False, "job": "running"}})
                case "follow":
                    for event in events():
                        send(event)
                    send({"answer": None})
                case "result":
                    send({"answer": {"exit_code": 0, "message": None, "report": "{}"}})
                case _:
                    send({"answer": None})

    return behave


def _endless(descriptor: int, piece: bytes) -> Callable[[], None]:
    def behave() -> None:
        for _ in requests():
            while True:
                os.write(descriptor, piece)

    return behave


def _drip() -> None:
    for _ in requests():
        while True:
            write(b"{")
            time.sleep(0.1)


def _silent() -> None:
    for _ in requests():
        time.sleep(600)


def _deaf() -> None:
    """Read nothing, so that whatever is sent stands still."""
    time.sleep(600)


def _files(**files: str) -> Callable[[], None]:
    return answer(pi(files={**_PI["files"], **files}))


def _says(length: int) -> Callable[[], Iterator[object]]:
    def events() -> Iterator[object]:
        for offset in itertools.count(1):
            event = {"kind": "say", "sentence": "\x1b[2J" + "x" * length}
            yield {"event": event, "offset": offset}

    return events


def _advances() -> Iterator[object]:
    yield {"event": {"kind": "begin", "task": "t", "total": 1}, "offset": 1}
    for offset in range(2, 20_000):
        yield {"event": {"kind": "advance", "steps": 1, "note": "n"}, "offset": offset}


_NESTED = b'{"answer": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

BEFORE_THE_AGENT: dict[str, Callable[[], None]] = {
    "banner": lambda: _flood_without_end(2),
    "login_output": lambda: _flood_without_end(1),
    "silent_login": lambda: time.sleep(600),
    "ends_at_once": lambda: None,
}
"""What the board does in the place of starting the agent."""


def _flood_without_end(descriptor: int) -> None:
    while True:
        os.write(descriptor, _FLOOD)


BEHAVIOURS: dict[str, Callable[[], None]] = {
    "no_newline": _endless(1, _FLOOD),
    "empty_lines": _endless(1, b"\n" * 1000),
    "endless_lines": _endless(1, b"nonsense\n"),
    "error_output": _endless(2, _FLOOD),
    "drip": _drip,
    "silent": _silent,
    "deaf": _deaf,
    "no_json": line(b"\xff\xfe\x00nonsense"),
    "nested": line(_NESTED),
    "not_a_number": line(b'{"answer": NaN}'),
    "huge_integer": line(b'{"answer": ' + b"9" * 10_000 + b"}"),
    "lone_surrogate": line(b'{"answer": "\\ud800"}'),
    "both": line(b'{"answer": null, "refused": "no"}'),
    "other_keys": line(b'{"result": null}'),
    "array": line(b"[]"),
    "unasked_event": line(b'{"alive": true}'),
    "died": line(b'{"died": "x"}'),
    "null_answer": answer(None),
    "text_answer": answer("x" * 200_000),
    "list_answer": answer([1] * 10_000),
    "long_refusal": line(json.dumps({"refused": "\x1b[2J" + "x" * 200_000}).encode()),
    "other_types": answer(pi(bits="64", python="3.11")),
    "long_keys": answer(pi(**{"k" * 200_000: 1})),
    "huge_count": answer(pi(disk_free_bytes=10**30)),
    "negative_size": answer({"folder": "/x", "size_bytes": -1}),
    "long_folder": answer({"folder": "/x" * 100_000, "size_bytes": 1}),
    "files_outside": _files(**{"/../../outside": "x"}),
    "files_in_files": _files(**{"/sys/fs/cgroup/cpu.max": "", "/sys/fs/cgroup/cpu.max/cpu.max": ""}),
    "nul_in_path": _files(**{"/proc/a\0b": ""}),
    "long_path": _files(**{f"/sys/class/power_supply/{'x' * 300}/type": ""}),
    "many_files": answer(pi(files={f"/proc/{number}": "" for number in range(50_000)})),
    "much_content": answer(pi(files={f"/{number}/cpu.max": "x" * 100_000 for number in range(100)})),
    "many_cpus": _files(**{"/sys/devices/system/cpu/online": "0-99999999999"}),
    "no_cpu_time": answer(pi(stat_before="cpu 1\n")),
}
"""What the agent does when it is asked for something."""

WHEN_IT_MEASURES: dict[str, Callable[[], None]] = {
    "other_state": probed_then({"answer": {"environment": "../..", "has_code": True, "job": "ended"}}),
    "unknown_state": probed_then({"answer": {"environment": None, "has_code": True, "job": "well"}}),
    "event_for_answer": probed_then({"event": {"kind": "say", "sentence": "s"}, "offset": 1}),
    "many_sentences": followed_by(_says(100)),
    "long_sentences": followed_by(_says(200_000)),
    "many_steps": followed_by(_advances),
    "longer_events": followed_by(_says(300_000)),
}
"""What the agent does when it is to measure."""


MAKE_WAIT = ("banner", "login_output", "silent_login", "drip", "silent", "deaf", "error_output")
"""Those that a laptop leaves because of the time that passes."""


def main() -> None:
    """Be the board."""
    behaviour = sys.argv[1]
    if behaviour in BEFORE_THE_AGENT:
        BEFORE_THE_AGENT[behaviour]()
        return
    write(b"\nedgefit-board 3.11.2\n")
    {**BEHAVIOURS, **WHEN_IT_MEASURES}[behaviour]()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

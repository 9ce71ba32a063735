"""A reading of the project that is not done again while the files it opened, and the folders it listed, are as before.

The pages of a book ask for the plan of a study a hundred times, and reading one means checking everything that it
cites. Whoever watches which files are read (a chapter's kernel, `file_parts`) hears the same of a kept reading as of
the first.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from hhp_stats.files.file_parts import BEGIN, END, UNHEARD_BEGIN, UNHEARD_END

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 64  # readings kept of one function: more projects than that are open in no process
_LISTED = ("os.scandir", "os.listdir")
_CODE = (".py", ".pyc")
Event = tuple[str, tuple[Any, ...]]
State = bytes | tuple[str, ...] | None  # what stands in a file, or the names in a folder; None where it is gone


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    events: Sequence[Event]
    states: Sequence[tuple[str, State]]


class _Recording(threading.local):
    """What is heard in a thread while it reads: the project that is read, and the events."""

    root = ""
    events: list[Event] | None = None
    states: dict[str, State] | None = None


_recording = _Recording()
_contents: dict[str, State] = {}  # the last state of each path, one object for all readings that saw it


Reading = Callable[Concatenate[Path, P], T]


def kept_reading(read: Reading[P, T]) -> Reading[P, T]:
    """A function of the project's root, and of other values, whose answer is kept while what it read is unchanged.

    Contents are compared, not dates. The answer is shared: nobody may edit it. What it raises is not kept.
    """
    kept: dict[tuple[Any, ...], _Kept[T]] = {}

    @wraps(read)
    def reading(root: Path, /, *given: P.args, **named: P.kwargs) -> T:
        key = (root, given, tuple(sorted(named.items())))
        found = kept.get(key)
        if found is not None and _as_before(found.states):
            for event, values in found.events:
                sys.audit(event, *values)
            return found.value
        before = (_recording.root, _recording.events, _recording.states)
        events: list[Event] = []
        states: dict[str, State] = {}
        _recording.root, _recording.events, _recording.states = f"{root.absolute()}{os.sep}", events, states
        try:
            value = read(root, *given, **named)
        finally:
            _recording.root, _recording.events, _recording.states = before
            if before[1] is not None and before[2] is not None:
                before[1].extend(events)
                before[2].update(states)
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = _Kept(value, tuple(events), tuple(states.items()))
        return value

    return reading


def _as_before(states: Sequence[tuple[str, State]]) -> bool:
    """Whether everything stands as it did; asked a thousand times a chapter, so the hooks are told once for all of
    it.
    """
    with _unheard():
        return all(_now(path) is state for path, state in states)


def _state(path: str) -> State:
    """What stands there now; the same object as the last time where it is equal."""
    with _unheard():
        return _now(path)


@contextmanager
def _unheard() -> Iterator[None]:
    """Nobody counts what is opened meanwhile."""
    events, _recording.events = _recording.events, None
    sys.audit(UNHEARD_BEGIN)
    try:
        yield
    finally:
        sys.audit(UNHEARD_END)
        _recording.events = events


def _now(path: str) -> State:
    now: State
    try:
        # Nearly all are files: to ask first, or to make a Path, takes as long as to read what stands there.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            now = file.readall()
    except (IsADirectoryError, PermissionError):  # the second where a folder is opened on Windows
        now = _names_in(path)
    except OSError:
        now = None
    if _contents.get(path, _contents) != now:
        _contents[path] = now
    return _contents[path]


def _names_in(folder: str) -> State:
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208
    except OSError:
        return None


def _hear(event: str, values: tuple[Any, ...]) -> None:
    """Note what a reading opens and lists, and which parts it takes."""
    events, states = _recording.events, _recording.states
    if events is None or states is None:
        return
    if event in (BEGIN, END):
        events.append((event, values))
    elif event == "open" or event in _LISTED:
        if not isinstance(values[0], str):
            return
        path = str(Path(values[0]).absolute())
        if f"{path}{os.sep}".startswith(_recording.root) and not path.endswith(_CODE):
            events.append((event, values))
            if path not in states:
                states[path] = _state(path)


sys.addaudithook(_hear)

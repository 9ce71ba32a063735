"""A folder that takes another's place when it is whole; the other stays until then, whatever happens between.

Beside the output stand, while a rendering runs, `.NAME.new-PID`, which is being built, and for a moment
`.NAME.old-PID`, which was there before. Whichever of them a killed process left, the next run puts right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hhp_stats.files import rendering_marker
from hhp_stats.files.output_guard import OutputGuard, OutputRefused
from hhp_stats.files.unfinished import mend, noted, put_right, remove_rendering
from hhp_stats.processes.at_work import located


@contextmanager
def replaced(output: Path, guard: OutputGuard) -> Iterator[Path]:
    """A folder to build a rendering in; it takes the place of `output` when all went well.

    Raises OutputRefused, before anything is built and again when the folder is to be replaced, where `output` holds
    what no rendering wrote.
    """
    put_right(guard.root)
    place = guard.folder(output)
    mend(place)
    guard.folder(output)  # what was mended may be no rendering
    place.parent.mkdir(parents=True, exist_ok=True)
    building, retired = (place.with_name(f".{place.name}.{word}-{os.getpid()}") for word in ("new", "old"))
    with located(place), noted(guard.root, place, kind="rendering"):
        try:
            building.mkdir()
            rendering_marker.begin(building)
            yield building
            rendering_marker.mark(building, rendering_marker.place_of(place, guard.root))
            guard.folder(output)
            guard.adopt(place)
            _exchange(output, place, building, retired)
        finally:
            remove_rendering(building)
            remove_rendering(retired)


def _exchange(output: Path, place: Path, building: Path, retired: Path) -> None:
    try:
        if place.exists():
            place.rename(retired)
            # Only now can nobody put another file in: under its old name the folder could still be written to.
            reason = rendering_marker.what_speaks_against(retired, None)
            if reason:
                raise OutputRefused(
                    output, f"it changed while the report was rendered: {reason}", "Move that away and render again."
                )
        building.rename(place)
    except BaseException:
        if retired.exists() and not place.exists():
            retired.rename(place)
        raise

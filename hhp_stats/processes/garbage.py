"""How often Python looks for objects that only hold each other."""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000


def look_seldom() -> None:
    """Look for garbage in cycles once `NEW_OBJECTS` more objects were made than freed; Python's own number is 700.

    A command makes hundreds of thousands of objects that it keeps to its end, modules and pages among them, and nearly
    all others are freed as soon as nobody holds them: what the search finds is little, and it took two seconds in a
    hundred. Copies of this process do as it does.
    """
    _, older, oldest = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, older, oldest)

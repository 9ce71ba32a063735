"""Where do the numbers of each study come from, and what must a reader be told of them?

While the release is synthetic there are three kinds of numbers. Those of a study whose outcomes are published come
back as they were published. Those of a study of which no document prints an outcome are invented: its data hold either
no effect, or effects that somebody chose and planted. And a table that a user brought is what it is. Which study is
which follows from its plan, from the lists of published figures and from whether the generator draws it.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from hhp_stats.files.file_parts import as_part
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import PLANS, StudyEntry, catalogue, study_entry
from hhp_stats.plan.records import read_plan_file
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.markdown import escaped
from hhp_stats.present.status import read_release

Origin = Literal["given", "reproduced", "without effect", "planted"]
INVENTED: frozenset[Origin] = frozenset({"without effect", "planted"})
INVENTED_SIGN = "\u2020"  # beside the name of a study whose effects are invented
_PUBLISHED = "data/published"
_SIZES = ("n", "n_clusters")  # columns of a result that say how many, not what was found


@as_part
def origins(root: Path) -> dict[str, Origin]:
    """The origin of each study's numbers, by key.

    "given": real data, or a table that the generator did not draw; "reproduced": drawn so that published figures of its
    outcomes come back; "without effect" and "planted": drawn, and no document prints a figure of an outcome.
    """
    release = read_release(root)
    return {
        entry.study: _origin(root, entry) if release.is_synthetic(entry.study) else "given" for entry in catalogue(root)
    }


def _origin(root: Path, entry: StudyEntry) -> Origin:
    if not (root / PLANS / f"synthetic_{entry.study}.toml").is_file():
        return "given"
    # What pilots say are themes and counts: nothing in them is an effect, published or not.
    if entry.kind == "pilot" or _outcomes(root, entry.study) & _printed_outcomes(root, entry.study):
        return "reproduced"
    return "without effect" if entry.simulated_without_effect else "planted"


def _outcomes(root: Path, study: str) -> frozenset[str]:
    """What the plan's results are about: its outcomes, or its experiments."""
    raw = read_plan_file(root, f"{PLANS}/{study}.toml")
    found: list[Any] = []
    for key in ("outcomes", "experiments"):
        listed = raw.get(key, {})
        found += listed if isinstance(listed, Mapping) else [entry.get("id") for entry in listed]
    return frozenset(str(name) for name in found)


def _printed_outcomes(root: Path, study: str) -> frozenset[str]:
    """Second parts of the results that a published figure is compared with: means, differences, p; not sizes alone."""
    found = set()
    for path in sorted((root / _PUBLISHED).glob("mapping_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                ids = str(row.get("result_id") or row.get("result_ids") or "").split()
                if row.get("column") not in _SIZES:
                    found |= {key.split("/")[1] for key in ids if key.startswith(f"{study}/")}
    return frozenset(found)


def invented(root: Path) -> tuple[StudyEntry, ...]:
    """The studies whose effects are invented, in the order of the plans; none once the data are real."""
    known = origins(root)
    return tuple(entry for entry in catalogue(root) if known[entry.study] in INVENTED)


def signed(name: str) -> str:
    """The name of a study whose effects are invented, as it stands in tables and figures."""
    return f"{name}\u00a0{INVENTED_SIGN}"


def sign_note(root: Path, studies: Collection[str] | None = None) -> str:
    """What the sign means, for the note of a table that shows `studies` (all); "" where none of them carries it."""
    found = [entry for entry in invented(root) if studies is None or entry.study in studies]
    if not found:
        return ""
    return f"{INVENTED_SIGN} Invented: no document gives an outcome of this study as a number. {_how(root, found)}"


def how_invented(root: Path) -> str:
    """Of which studies no outcome is published, and what their data hold; "" where nothing is invented."""
    found = invented(root)
    if not found:
        return ""
    names = listed_words([entry.inside for entry in found], last="or")
    return f"No document gives an outcome of {names} as a number. {_how(root, found)}"


def _how(root: Path, entries: Collection[StudyEntry]) -> str:
    """How the effects of these studies were made up, in whole sentences."""
    known = origins(root)
    said: list[str] = []
    for origin, words in (
        ("planted", "hold effects that were chosen and planted"),
        ("without effect", "hold no effect"),
    ):
        names = [entry.inside for entry in entries if known[entry.study] == origin]
        if names:
            said.append(f"{'The data' if not said else 'those'} of {listed_words(names)} {words}")
    return "; ".join(said) + "."


def banner_sentence(root: Path) -> str:
    """What the cover and the foot of every page add to the notice of synthetic data; "" where nothing is invented."""
    names = [entry.inside for entry in invented(root)]
    if not names:
        return ""
    them, of = "it" if len(names) == 1 else "them", listed_words(names, last="or")
    return f"No document gives an outcome of {of} as a number: the effects shown for {them} are invented."


def uncounted(root: Path, studies: Collection[str], *, what: str = "effects") -> str:
    """Which of `studies` a tally of `what` leaves out, and why; "" where it counts all."""
    names = [entry.inside for entry in invented(root) if entry.study in studies]
    if not names:
        return ""
    whom = "is not counted: its" if len(names) == 1 else "are not counted: their"
    return f"{capital(listed_words(names))} {whom} {what} are invented."


def invented_notice(study: str, *, root: Path | None = None) -> str:
    """The Markdown notice at the head of the chapter of a study whose effects are invented; "" for every other."""
    home = root or find_root()
    entry, origin = study_entry(home, study), origins(home).get(study)
    if origin not in INVENTED:
        return ""
    drawn = (
        "therefore generated **without any effect**: what differs between the arms is chance"
        if origin == "without effect"
        else "therefore generated with effects that were **chosen and planted**, so that the analysis has something to"
        " find"
    )
    return (
        f'::: {{.callout-warning title="The effects in this chapter are invented"}}\n'
        f"No public document gives an outcome of the {escaped(entry.noun)} as a number. The data behind this"
        f" chapter were {drawn}. The chapter shows how such a trial is analysed and how much it could have found. It"
        " says nothing about what was offered.\n:::\n"
    )

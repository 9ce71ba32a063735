"""What the release says about itself: which studies are synthetic and which real, from when, and whether a render is
for the team alone.

`disclosure = "off"` in `data/manifest.toml` prints every count of people, small ones too, and puts a mark at the head
of every chapter. It stands in the manifest, not in the environment, because what a chapter's cells printed is kept
between renders under a key made of files: a switch outside them could leave an internal page in a published report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import StudyEntry, catalogue, study_entry
from hhp_stats.plan.programme import PROGRAMME
from hhp_stats.present.listing import listed_words
from hhp_stats.present.markdown import escaped
from hhp_stats.present.origins import banner_sentence, how_invented, invented_notice
from hhp_stats.present.status import read_release

if TYPE_CHECKING:
    from hhp_stats.present.marks import Sentence

WHOLE = ""  # the report as a whole, among the pages of `banners`

_INTERNAL = (
    '::: {.callout-warning title="Internal: not for publication"}\n'
    "Disclosure control is switched off: counts of very few people are shown.\n"
    ":::\n"
)
_ABOUT_NOBODY = (
    "computer-generated data, made to match the published documents. No record describes a real person,"
    " team or authority, and no result here is a finding about the programme."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The studies of the report by what their data are."""

    synthetic: tuple[StudyEntry, ...]
    real: tuple[StudyEntry, ...]

    @property
    def mixed(self) -> bool:
        """Whether there are both."""
        return bool(self.synthetic and self.real)


def standing(root: Path) -> Standing:
    """Which studies are synthetic, and which real?"""
    release = read_release(root)
    entries = catalogue(root) if (root / PROGRAMME).is_file() else ()
    return Standing(
        synthetic=tuple(entry for entry in entries if release.is_synthetic(entry.study)),
        real=tuple(entry for entry in entries if not release.is_synthetic(entry.study)),
    )


def notice(study: str = "", *, root: Path | None = None) -> str:
    """The Markdown notices at the head of a chapter: of the one about `study`, or of one about no single study.

    Empty once the data are real and small counts withheld.
    """
    home = root or find_root()
    release = read_release(home)
    notices = [_INTERNAL] if release.internal else []
    if study:
        study_entry(home, study)  # a wrong key is refused
        if release.is_synthetic(study):
            where = "chapter" if standing(home).mixed else "report"
            notices.append(_synthetic(f"Every figure in this {where} is computed from a synthetic release:"))
            if invented := invented_notice(study, root=home):
                notices.append(invented)
        return "\n".join(notices)
    found = standing(home)
    if found.mixed:
        concerned = _concerned(found)
        notices.append(_synthetic(f"{concerned[:1].upper()}{concerned[1:]} from a synthetic release:", about=home))
    elif found.synthetic or (release.synthetic and not found.real):
        notices.append(_synthetic("Every figure in this report is computed from a synthetic release:", about=home))
    return "\n".join(notices)


def _synthetic(head: str, *, about: Path | None = None) -> str:
    """The notice; on a page about no single study of the project `about` it names the studies with invented effects."""
    words = [head, _ABOUT_NOBODY, *([] if about is None else [banner_sentence(about)])]
    said = escaped(" ".join(filter(None, words)))
    return f'::: {{.callout-important title="Synthetic data"}}\n{said}\n:::\n'


def _concerned(found: Standing) -> str:
    """Whose figures are synthetic, by the shorter list of names: `figures of the letters trial are computed`."""
    if len(found.synthetic) <= len(found.real):
        return f"figures of {_names(found.synthetic)} are computed"
    return f"figures of all studies but {_names(found.real)} are computed"


def _names(entries: Sequence[StudyEntry]) -> str:
    return listed_words([f"the {entry.noun}" for entry in entries])


def banners(root: Path, own_words: str = "") -> str | Mapping[str, str] | None:
    """The notice on every page and on the cover; `own_words` are those of the book's settings.

    None, the book's own words, while all studies are synthetic and none has invented effects; "" where all are real;
    else by chapter, and under `WHOLE` that of the cover and of every page about no single study.
    """
    release, found = read_release(root), standing(root)
    made_up = banner_sentence(root) if found.synthetic else ""
    if not found.mixed:
        if not (found.synthetic or (release.synthetic and not found.real)):
            return ""
        return {WHOLE: f"{own_words} {made_up}".strip()} if made_up else None
    nobody = "No such number describes a real person, team or authority."
    whole = f"Synthetic data in part: {_concerned(found)} from a synthetic release."
    own = "Synthetic data: this chapter is computed from a synthetic release."
    pages = {WHOLE: f"{whole} {nobody} {made_up}".strip()}
    for entries, words in ((found.synthetic, f"{own} {nobody}"), (found.real, "")):
        pages |= {page: words for entry in entries for page in (entry.chapter, *entry.pages)}
    return pages


def while_synthetic(study: str, words: str, *, real: str = "", root: Path | None = None) -> Sentence:
    """Words that hold only while the data of a study are synthetic; `real` stands in their place once they are not.

    A sentence, since a chapter may print one that says nothing, but no empty text.
    """
    home = root or find_root()
    study_entry(home, study)  # a wrong key is refused
    from hhp_stats.present.marks import Sentence  # which loads what draws: not where a command asks for the status

    return Sentence(words if read_release(home).is_synthetic(study) else real)


def data_in_words(*, root: Path | None = None) -> str:
    """What the data behind the chapters are, for a chapter about the whole programme."""
    home = root or find_root()
    found = standing(home)
    made = (
        "Where figures are published, the synthetic data were made to match them, down to the published digit where"
        " that is possible."
    )
    if how := how_invented(home):
        made += f" {how} What the chapters of these studies report is how the analysis works, and nothing else."
    if not found.synthetic:
        return "The data behind every chapter are those that the studies collected."
    if not found.real:
        return f"The data behind every chapter are synthetic for now. {made}"
    they = "it" if len(found.real) == 1 else "they"
    return (
        f"The data of {_names(found.real)} are those that {they} collected; those of {_names(found.synthetic)} are"
        f" synthetic for now. {made}"
    )

"""Which raw files does a study need, in the order of the work, and which of them are there?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hhp_stats.intake.dictionary import WAVES, load_study, returns_planned
from hhp_stats.intake.draw_log import allocation_rule, log_file
from hhp_stats.intake.manifest import Manifest, sha256_of
from hhp_stats.intake.raw_files import study_of
from hhp_stats.intake.raw_places import KINDS, raw_kind
from hhp_stats.intake.returns import RETURN_TYPES
from hhp_stats.intake.survey_export import EXPORT_TYPES
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.individual import load_individual_plan

State = Literal["recorded", "not recorded", "changed since it was recorded", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on the way to the results: files with their state, and what to do where one is missing."""

    title: str
    files: Mapping[str, State]
    remedy: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The files that are not there."""
        return tuple(file for file, state in self.files.items() if state == "missing")


def steps(root: Path, study: str, manifest: Manifest, *, kept: Collection[str] = ()) -> tuple[Step, ...]:
    """What is needed, in the order in which a trial collects it; `kept` are the synthetic files that were there."""
    found_steps: list[Step] = []

    def step(title: str, places: Sequence[Sequence[str]], remedy: str) -> None:
        """A step whose files are there under the first name of each place, or another that is read as well."""
        found = {}
        for names in places:
            there = [name for name in names if (root / name).is_file()]
            found[(there or names)[0]] = _state(root, manifest, there[0]) if there else "missing"
        if found:
            found_steps.append(Step(title=title, files=found, remedy=remedy))

    as_received = "Put the files there as they were received."
    allocation = [f"data/allocation/{study}.csv"]
    if returns_planned(root, study):
        slugs = [site.slug for site in load_study(root, study).sites]
        waves = {
            wave: [[f"data/returns/{study}/{slug}/{wave}{suffix}" for suffix in RETURN_TYPES] for slug in slugs]
            for wave in WAVES
        }
        send = f"`hhp template {study} AUTHORITY --wave {{}} --to FOLDER` makes the workbook to send out."
        step("baseline returns", waves["baseline"], f"{as_received} {send.format('baseline')}")
        if allocation_rule(root, study) is not None:
            draw = f"`hhp randomise --study {study} --seed NUMBER --to {allocation[0]}` draws both from the baselines."
            step("allocation list and its log", [allocation, [log_file(study)]], draw)
        step("who has which survey code", [[f"data/surveys/{study}/linkage.csv"]], as_received)
        step("baseline survey", [_export(study, "baseline")], as_received)
        step("log of the course", [[f"data/course_log/{study}.csv"]], as_received)
        for wave in WAVES[1:]:
            step(f"{wave} returns", waves[wave], f"{as_received} {send.format(wave)}")
        step("endline survey", [_export(study, "endline")], as_received)
        return tuple(found_steps)
    if study_entry(root, study).topic == "":
        plan = load_individual_plan(root, study)
        if plan.data is not None:
            step("table of the trial", [[plan.data.file]], as_received)
            return tuple(found_steps)
    # The others are read where the synthetic release had them.
    there = sorted(name for name in {*manifest.files, *kept} if _of(root, name, study))
    for title in sorted((KINDS[key] for key in KINDS if key != "qualitative"), key=_place):
        names = [name for name in there if raw_kind(name) == title]
        exports = [_export(study, Path(name).stem) for name in names if title == KINDS["surveys"]]
        step(title, exports or [[name] for name in names], as_received)
    return tuple(found_steps)


def _place(title: str) -> int:
    """Lists of who was drawn come first, what was observed later."""
    return 0 if title == KINDS["allocation"] else 1


def _of(root: Path, name: str, study: str) -> bool:
    return study_of(name, [each.study for each in catalogue(root)]) == study


def _export(study: str, wave: str) -> list[str]:
    return [f"data/surveys/{study}/{wave}{suffix}" for suffix in EXPORT_TYPES]


def _state(root: Path, manifest: Manifest, name: str) -> State:
    if name not in manifest.files:
        return "not recorded"
    return "recorded" if manifest.files[name] == sha256_of(root / name) else "changed since it was recorded"

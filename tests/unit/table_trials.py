"""Trials on plain tables for tests: a made-up one of three arms in surgeries, and what writes any of them into a
project.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.intake.manifest import MANIFEST, record_files
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.present.field_trials import FIGURES_ON_TABLE, SAID_ON_TABLE, FieldTrialChapter
from hhp_stats.present.field_trials.tables_on_table import TABLES_ON_TABLE

KEY = "walks"
DICTIONARY = """column,meaning,kind,unit,minimum,maximum,allowed,missing
who,Number of the patient,identifier,,,,,
arm,What was offered,arm,,,,,
surgery,Surgery,cluster,,,,,
region,Region,category,,,,Coast|Hills,
woman,Woman,0/1,,,,,
years,Age,number,years,18,100,,-9
steps_0,Steps a day before,number,thousand steps,0,40,,
steps_6,Steps a day after six months,number,thousand steps,0,40,,
steps_12,Steps a day after a year,number,thousand steps,0,40,,
pain_12,Pain after a year,number,points,0,10,,NA
fell,Fell within a year,0/1,,,,,
seen,Day of the last visit,date,,,,,
"""
PLAN = """study = "walks"
title = "Walks on prescription: cluster trial of surgeries"
chapter = "report/12-walks.qmd"
name = "Walks"
short = "walks"
phase = "second"
order = 20
seed = 11

[design]
kind = "cluster trial"
randomised = 240
cluster = "surgery"
clusters = 24
strata = ["region"]

[disclosure]
rule = "withhold"
threshold = 5
zeros = "published"

[words]
person = ["patient", "patients"]
cluster = ["surgery", "surgeries"]

[data]
file = "data/tables/walks.csv"
person = "who"

[data.columns]
who = "Patient No"
arm = "offered"
steps_0 = "steps.before"

[[arms]]
id = "usual_care"
value = "usual care"
label = "Usual care"

[[arms]]
id = "leaflet"
value = 2
label = "GP leaflet"

[[arms]]
id = "coach"
value = "coach"
label = "NHS coach"

[[populations]]
id = "older"
label = "Patients of sixty and over on the coast"
where = "years >= 60 and region == 'Coast'"

[[outcomes]]
id = "steps"
label = "Steps a day"
role = "primary"
better = "higher"
waves = { baseline = "steps_0", month_6 = "steps_6", month_12 = "steps_12" }

[[outcomes]]
id = "pain"
label = "Pain (NRS)"
better = "lower"
column = "pain_12"

[[outcomes]]
id = "fell"
label = "Fell"
kind = "binary"
better = "lower"
column = "fell"

[model]
terms = ["baseline", "years", "region"]
beside = ["unadjusted", "strata", "hedges-g", "cluster-means", "wild-bootstrap", "randomisation", "logit", "imputation"]
imputations = 5

[balance]
columns = ["steps_0", "years", "woman", "region"]

[[analyses]]
id = "steps/itt_older/cr2"
label = "Older patients on the coast"
population = "older"
terms = ["baseline"]
contrast = "coach minus leaflet"

[[power]]
id = "achieved"
label = "With those analysed"
alpha = 0.05
power = 0.8
"""


def walks(seed: int = 5, *, effect: float = 2.0) -> pd.DataFrame:
    """240 patients of 24 surgeries, eight an arm; pain is known of nobody in one arm, and one surgery has two patients.

    The coach adds `effect` thousand steps, the leaflet nothing.
    """
    rng = np.random.default_rng(seed)
    size = np.full(24, 10)
    size[0], size[1] = 2, 18
    surgery = np.repeat(np.arange(24), size)
    arm = np.array(["usual care", "2", "coach"])[surgery % 3]
    region = np.where(surgery < 12, "Coast", "Hills")
    level = rng.normal(0, 0.5, 24)[surgery]
    before = np.clip(rng.normal(8, 2, 240), 0, 40)
    after = np.clip(0.7 * before + level + effect * (arm == "coach") + rng.normal(3, 1, 240), 0, 40)
    frame = pd.DataFrame(
        {
            "Patient No": [f"P{number:04d}" for number in range(240)],
            "offered": arm,
            "surgery": [f"S{s:02d}" for s in surgery],
            "region": region,
            "woman": rng.integers(0, 2, 240),
            "years": rng.integers(30, 90, 240).astype(float),
            "steps.before": before.round(2),
            "steps_6": after.round(2),
            "steps_12": (after + rng.normal(0, 0.5, 240)).clip(0, 40).round(2),
            "pain_12": rng.integers(0, 11, 240).astype(float),
            "fell": rng.integers(0, 2, 240),
            "seen": "2024-03-05",
        }
    )
    frame.loc[frame["offered"] == "2", "pain_12"] = np.nan
    frame.loc[rng.random(240) < 0.25, ["steps_12"]] = np.nan
    frame.loc[rng.random(240) < 0.1, "years"] = -9.0
    return frame


def write_trial(
    project: Path, *, key: str, plan: str, dictionary: str, table: pd.DataFrame | None, status: str = "real"
) -> Path:
    """Enter a trial into a project; `table` None leaves the file that is there. Returns the project."""
    (project / "data/tables").mkdir(exist_ok=True)
    (project / f"data/plan/{key}.toml").write_text(plan, encoding="utf-8")
    (project / f"data/plan/{key}.dictionary.csv").write_text(dictionary, encoding="utf-8")
    if table is not None:
        table.to_csv(project / f"data/tables/{key}.csv", index=False)
    manifest = project / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    if "[status_of]" not in text:
        manifest.chmod(0o644)
        manifest.write_text(text.replace("[files]", f'[status_of]\n{key} = "{status}"\n\n[files]', 1), encoding="utf-8")
    record_files(project)
    return project


def write_walks(
    project: Path, table: pd.DataFrame | None = None, *, plan: str = PLAN, dictionary: str = DICTIONARY
) -> Path:
    """Enter the made-up trial into a project."""
    return write_trial(project, key=KEY, plan=plan, dictionary=dictionary, table=walks() if table is None else table)


@contextmanager
def with_a_key(folder: Path) -> Iterator[None]:
    """Identifiers are made by a key below `folder` meanwhile."""
    key = folder / "key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(key))
        yield


def everything_said(chapter: FieldTrialChapter) -> list[str]:
    """What every sentence, table and figure of a chapter on a table says, by every name that the chapter may ask for."""
    report = chapter.report
    of_one = {"effect", "standardised", "short", "robustness", "spread", "alike"}
    of_groups = () if report.plan.design.cluster else ("alike", "clusters")
    said = []
    for name in SAID_ON_TABLE:
        if name in ("number", "fact", "words", *of_groups):
            continue
        asked = [f"{name}/{o.id}/{a.id}" for o, a in report.comparisons] if name in of_one else [name]
        said += [chapter.say(each) for each in asked]
    for name in TABLES_ON_TABLE:
        if name in of_groups:
            continue
        asked = [f"{name}/{o.id}/{a.id}" for o, a in report.comparisons] if name == "versions" else [name]
        said += [
            re.sub(r"<style.*?</style>|<[^>]*>", " ", chapter.table(each).as_raw_html(), flags=re.DOTALL)
            for each in asked
        ]
    for name in FIGURES_ON_TABLE:
        asked = [f"{name}/{o.id}" for o in report.measured] if name == "arms" else [name]
        for each in asked:
            figure = chapter.figure(each)
            said += [figure.caption, figure.alt]
            assert (report.root / "report" / figure.path).is_file()
    return said


def without_other_trials(root, home):
    """A project below `home` that has plans and dictionary but no raw files, so that writing its manifest is quick."""
    for part in ("data/plan", "data/published"):
        shutil.copytree(root / part, home / part)
    for name in ("data/dictionary.csv", "data/spellings.csv"):
        shutil.copy(root / name, home / name)
    (home / MANIFEST).write_text('status = "real"\n\n[files]\n', encoding="utf-8")
    return home

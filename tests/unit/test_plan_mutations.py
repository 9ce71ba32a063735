"""Whatever is wrong with a plan, of whatever kind, is said by PlanError: no other error, and never silence.

Of every place that the plans have (entries of a list, and tables side by side, are one place) the first is changed in
turn: another type, an unknown key, a name with a letter too many.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from table_trials import DICTIONARY, KEY, PLAN

from hhp_stats.errors import PlanError
from hhp_stats.intake.raw_places import raw_names
from hhp_stats.plan.any_plan import plan_in, plan_of
from hhp_stats.plan.clauses import load_clause_status
from hhp_stats.plan.conduct import load_commitments, load_deviations
from hhp_stats.plan.conflicts import load_conflicts, load_departures, load_sources
from hhp_stats.plan.estimands import load_estimands
from hhp_stats.plan.plan_file import PlanFile

Place = tuple[str | int, ...]

# Words that nothing compares with anything: printed, or the name of the entry itself.
PRINTED = frozenset(
    [
        "title",
        "name",
        "short",
        "chapter",
        "phase",
        "asks",
        "design",
        "participants",
        "outcomes",
        "known",
        "unit",
        "construct",  # any words; a slip is seen where the plans are compared (test_catalogue)
        "label",
        "rule",
        "basis",
        "about",
        "note",
        "question",
        "baseline_unit",
        "absence",
        "turnover",
        "cost",
        "reason",
        "randomised",
        "analysed",
        "response",
        "person",
        "cluster",
        "cognitive",
        "control",
        "treatment",
        "missing",
        "noun",
        "synthetic",
    ]
)
OF_ENTRIES = frozenset({"id", "key", "code", "slug"})
# Columns and files of the data: refused, with the nearest there is, where these are read.
OF_DATA = frozenset(
    [
        "column",
        "baseline",
        "weight",
        "within",
        "items",
        "options",
        "levels",
        "base",
        "value",
        "pages",
        "reads",
        "who",
        "arm",
        "steps_0",
        "method",
    ]
)
TABLES_SIDE_BY_SIDE = ("outcomes", "populations", "power", "models", "published", "arm_labels", "columns")


def places(part: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every table and every leaf of a plan; a list of tables is one place, its first entry for all."""
    if isinstance(part, Mapping):
        yield place, part
        for key, value in part.items():
            yield from places(value, (*place, key))
    elif isinstance(part, list) and part and isinstance(part[0], Mapping):
        for number, value in enumerate(part):
            yield from places(value, (*place, number))
    else:
        yield place, part


def kind_of(place: Place) -> tuple[str, ...]:
    """What an entry shares with its neighbours."""
    return tuple(
        "#" if isinstance(step, int) or (at and place[at - 1] in TABLES_SIDE_BY_SIDE and len(place) > at) else step
        for at, step in enumerate(place)
    )


def with_value(part: Any, place: Place, value: Any) -> Any:
    """The plan with another value at one place."""
    if not place:
        return value
    step, rest = place[0], place[1:]
    if isinstance(step, int):
        return [with_value(entry, rest, value) if at == step else entry for at, entry in enumerate(part)]
    return {**part, step: with_value(part[step], rest, value)}


@pytest.fixture(scope="module")
def home(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plans of the project, and that of a trial on a plain table."""
    home = tmp_path_factory.mktemp("plans")
    for part in ("data/plan", "data/published"):
        shutil.copytree(root / part, home / part)
    shutil.copy(root / "data/dictionary.csv", home / "data/dictionary.csv")
    (home / f"data/plan/{KEY}.toml").write_text(PLAN, encoding="utf-8")
    (home / f"data/plan/{KEY}.dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    return home


def studies(home: Path) -> list[str]:
    return [path.stem for path in sorted((home / "data/plan").glob("*.toml")) if b"\n[design]" in path.read_bytes()]


def test_every_place_refuses_what_it_cannot_hold(home):
    seen: set[tuple[object, ...]] = set()
    changed, silent = 0, []
    for study in studies(home):
        source = PlanFile.open(home, study)
        kind = type(plan_in(source)).__name__
        for place, value in places(source.raw):
            own = (kind, *kind_of(place))
            if own in seen:
                continue
            seen.add(own)
            for made in wrong_values(place, value):
                changed += 1
                try:
                    plan_in(PlanFile(root=home, study=study, raw=with_value(source.raw, place, made)))
                except PlanError as refused:
                    assert refused.file.startswith("data/plan/") and refused.place and refused.remedy
                else:
                    silent.append((study, place, made))
    assert [(study, place) for study, place, _ in silent] == []
    assert changed > 500, "the plans have more places than were tried"


def wrong_values(place: Place, value: Any) -> Iterator[Any]:
    """What a place cannot hold."""
    if isinstance(value, Mapping):
        yield {**value, "unheard_of": [["x"]]}
        return
    yield [["x"]]
    name = str(place[-1])
    if place[0] in ("published", "glance") or name in PRINTED | OF_ENTRIES | OF_DATA:
        return
    if isinstance(value, str) and (name != "contrast" or "cohort" not in value):  # words of a moderator's difference
        yield value + "q"
    if isinstance(value, list) and value and isinstance(value[0], str):
        yield [value[0] + "q", *value[1:]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


OTHERS = {
    "commitments.toml": ("commitment", load_commitments),
    "deviations.toml": ("deviation", load_deviations),
    "conflicts.toml": ("conflict", load_conflicts),
    "departures.toml": ("departure", load_departures),
    "sources.toml": ("source", load_sources),
    "clause_status.toml": ("clause", load_clause_status),
    "estimands.toml": ("handling", load_estimands),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("damage", ["another list", "unknown key", "no table"])
def test_lists_beside_the_plans_are_read_as_strictly(home, name, damage):
    key, load = OTHERS[name]
    path = home / "data/plan" / name
    whole = path.read_text(encoding="utf-8")
    text = {
        "another list": whole + f'\n[[{key}s]]\nid = "X1"\n',
        "unknown key": whole.replace(f"[[{key}]]", f"[[{key}]]\nunheard_of = 1", 1),
        "no table": f'{key} = ["x"]\n',
    }[damage]
    path.write_text(text, encoding="utf-8")
    try:
        with pytest.raises(PlanError) as refused:
            load(home)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert refused.value.remedy


def test_the_nearest_name_is_offered(home):
    path = home / "data/plan/goal_setting.toml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace('better = "lower"', 'better = "lowr"', 1), encoding="utf-8")
    try:
        with pytest.raises(PlanError, match="Did you mean 'lower'"):
            plan_of(home, "goal_setting")
    finally:
        path.write_text(whole, encoding="utf-8")


@pytest.mark.parametrize("content", ["study = 'x'".encode("utf-16"), bytes.fromhex("d0cf11e0a1b11ae1"), b"[[x]"])
def test_a_plan_that_is_no_text_is_refused_by_its_name(home, content):
    """Every file of the plans is read for the names that it gives to files and columns."""
    for path in sorted((home / "data/plan").glob("*.toml")):
        whole = path.read_bytes()
        path.write_bytes(content)
        try:
            with pytest.raises(PlanError, match=path.name) as refused:
                raw_names(home)
        finally:
            path.write_bytes(whole)
        assert refused.value.remedy

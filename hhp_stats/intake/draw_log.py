"""What does the log of a randomisation say? Every draw with its balance tests, as `hhp randomise` writes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.errors import PlanError, Problem
from hhp_stats.intake.container import Refused
from hhp_stats.intake.lists import LIST_UNREADABLE
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows
from hhp_stats.plan.records import read_plan_file

HEADINGS = "log_heading"  # other spellings of its columns, in data/spellings.csv
TRUE, FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})

LOG_CELLS = Rule(
    code="A05",
    severity="error",
    rule=(
        "The log of the randomisation must hold draws numbered from 1, one seed, p-values from 0 to 1, and whether each"
        " draw was accepted."
    ),
    remedy="Restore the log that `hhp randomise` wrote; it is never edited.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLog:
    """The log as read: `draws` has draw, one column a test of the rule, accepted; empty where it cannot be read."""

    file: str
    draws: pd.DataFrame
    seed: int
    problems: tuple[Problem, ...] = ()
    sha256: str = ""
    missing: bool = False

    @property
    def readable(self) -> bool:
        """Whether there is a draw to repeat."""
        return not self.problems and not self.draws.empty


def allocation_rule(root: Path, study: str) -> AllocationRule | None:
    """The acceptance rule by which the plan says that teams were drawn; None where it says nothing of the kind."""
    file = f"data/plan/{study}.toml"
    plan = read_plan_file(root, file)
    said = plan.get("design", {}).get("randomisation")
    if said is None:
        return None
    try:
        return AllocationRule(max_redraws=int(said["max_redraws"]), alpha=float(said["balance_alpha"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(
            file,
            "design.randomisation",
            f"The rule cannot be read ({type(error).__name__}).",
            "Give max_redraws and balance_alpha.",
        ) from None


def log_file(study: str) -> str:
    """Where the log of a study lies."""
    return f"data/allocation/{study}_log.csv"


def read_draw_log(root: Path, *, study: str, rule: AllocationRule, spellings: Spellings) -> DrawLog:
    """Which draws were made, by which seed, and what did the balance tests say? Problems are collected in the
    result.
    """
    file = log_file(study)
    path = root / file
    if not path.is_file():
        return DrawLog(file=file, draws=pd.DataFrame(), seed=0, missing=True)
    try:
        text = read_text(path).text
        rows = [row for row in split_rows(text, likely_delimiter(text, lines=1)) if any(map(str.strip, row))]
    except (Refused, OSError) as refused:
        found = refused.found if isinstance(refused, Refused) else type(refused).__name__
        return _refused(file, LIST_UNREADABLE.problem(file=file, value=found))
    other = spellings.of(HEADINGS)
    heads = [other.get(same(head), same(head)) for head in rows[0]] if rows else []
    wanted = ("draw", *rule.tests, "accepted", "seed")
    lacking = [name for name in wanted if heads.count(name) != 1]
    if lacking or len(rows) < 2:
        words = f"not once: {', '.join(lacking)}" if lacking else "no draw"
        return _refused(file, LIST_UNREADABLE.problem(file=file, cell="row 1", value=words))
    problems: list[Problem] = []
    records, seeds = [], []
    for number, row in enumerate(rows[1:], start=1):
        cells = dict(zip(heads, map(str.strip, row), strict=False))
        try:
            record, seed = _draw(cells, number, rule.tests)
        except (ValueError, KeyError) as error:
            problems.append(LOG_CELLS.problem(file=file, cell=f"row {number + 1}", value=str(error).strip("'\"")))
            continue
        records.append(record)
        seeds.append(seed)
    if len(set(seeds)) > 1:
        problems.append(LOG_CELLS.problem(file=file, cell="column seed", value=f"{len(set(seeds))} seeds"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if problems:
        return DrawLog(file=file, draws=pd.DataFrame(), seed=0, problems=tuple(problems), sha256=digest)
    return DrawLog(file=file, draws=pd.DataFrame(records), seed=seeds[0], sha256=digest)


def _refused(file: str, problem: Problem) -> DrawLog:
    return DrawLog(file=file, draws=pd.DataFrame(), seed=0, problems=(problem,))


def _draw(cells: dict[str, str], number: int, tests: tuple[str, ...]) -> tuple[dict[str, object], int]:
    """One draw and its seed. Raises ValueError or KeyError naming the column."""
    if not cells["draw"].isascii() or not cells["draw"].isdigit() or int(cells["draw"]) != number:
        raise ValueError(f"draw is not {number}")
    record: dict[str, object] = {"draw": number}
    for test in tests:
        try:
            value = float(cells[test])
        except ValueError:
            raise ValueError(f"{test} is no number") from None
        if not 0 <= value <= 1:
            raise ValueError(f"{test} is outside 0 to 1")
        record[test] = value
    if cells["accepted"].casefold() not in TRUE | FALSE:
        raise ValueError("accepted is neither true nor false")
    record["accepted"] = cells["accepted"].casefold() in TRUE
    seed = cells["seed"]
    if not (seed.isascii() and seed.isdigit()) or len(seed) > 18:
        raise ValueError("seed is no whole number")
    return record, int(seed)

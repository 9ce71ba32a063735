"""Rules about the randomisation of teams: does the allocation list say what was drawn, and does the log repeat?

What is repeated is judged in three steps (`design.replay`). Arms follow from the strata on the list, the seed and the
number
of draws: no return can excuse a difference. Strata and p-values are made again from the baseline returns as they were
received, and, where that does not agree, with the ledger applied: lines of the ledger may be older or younger than
the draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.replay import balance_of_draws, drawn_arms, log_differences
from hhp_stats.design.strata import make_strata
from hhp_stats.errors import EstimationError, Problem
from hhp_stats.intake.draw_log import DrawLog
from hhp_stats.intake.findings import Finding, listed, rows_of
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule

LOG = "log"  # the unit that a finding about the log names
DRAW_COLUMNS = ("draw", "p_role", "p_service", "accepted", "seed", "agrees", "note")
AGREES = "teams, strata, arms and p-values agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisationCheck:
    """What the rules look at.

    `received` is the randomisation list (everyone on a baseline return, see `baseline_list`) before the ledger,
    `corrected` after it; both are None where a baseline return is missing or could not be read, which is said
    elsewhere.
    """

    allocation: ListFile
    log: DrawLog
    rule: AllocationRule
    received: pd.DataFrame | None
    corrected: pd.DataFrame | None
    _strata: dict[int, pd.Series | None] = field(default_factory=dict, compare=False)

    def strata(self, people: pd.DataFrame | None) -> pd.Series | None:
        """The stratum of each team from the baseline returns, `received` or `corrected`; None where they cannot be
        made, which other rules explain.
        """
        if people is not None and self.received is not None and people.equals(self.received):
            people = self.received  # the ledger changed nothing that strata rest on
        if id(people) not in self._strata:
            self._strata[id(people)] = _strata(people)
        return self._strata[id(people)]

    def teams(self) -> pd.DataFrame:
        """The allocation list with one row a team, as far as it is complete."""
        frame = self.allocation.frame.dropna(subset=["team_id", "local_authority", "stratum", "treatment"])
        return frame.drop_duplicates("team_id", ignore_index=True)

    def same_teams(self, people: pd.DataFrame | None) -> bool:
        """Whether list and baseline returns hold the same teams (X22 and A02 say where they do not)."""
        return people is not None and set(people["team_id"]) == set(self.teams()["team_id"])


def baseline_list(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The randomisation list from baseline returns (authority -> table): what strata and balance tests use, and
    nothing later.
    """
    parts = [
        pd.DataFrame(
            {
                "staff_id": f"{authority}|" + frame["staff_id"].astype("str"),
                "team_id": frame["team_id"],
                "local_authority": authority,
                "role": frame["role"],
                "agency": frame["agency"],
                "service_years": frame["service_months"] / 12,
                "absence_days": frame["illness_days"],
            }
        )
        for authority, frame in frames.items()
        if len(frame)
    ]
    columns = ["staff_id", "team_id", "local_authority", "role", "agency", "service_years", "absence_days"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _arms_not_drawn(check: RandomisationCheck) -> Iterator[Finding]:
    if not check.allocation.readable or not check.log.readable:
        return
    teams = check.teams()
    drawn = drawn_arms(teams, seed=check.log.seed, draw=len(check.log.draws))
    differs = teams.loc[(teams["treatment"] != drawn).to_numpy()]
    everyone = f", like all {len(teams)} teams of the list" if len(differs) == len(teams) else ""
    for authority, part in differs.groupby("local_authority", sort=True):
        of = int((teams["local_authority"] == authority).sum())
        named = listed(
            f"{t} (listed {a:g}, drawn {1 - a:g})" for t, a in zip(part["team_id"], part["treatment"], strict=True)
        )
        value = (
            f"{len(part)} of {of} teams of {authority} in the other arm than draw {len(check.log.draws)} of seed"
            f" {check.log.seed} gives{everyone}: {named}"
        )
        yield Finding(
            rule=ARMS, file=check.allocation.file, cell=rows_of(part["row"]), value=value, units=tuple(part["team_id"])
        )


def _strata(people: pd.DataFrame | None) -> pd.Series | None:
    if people is None:
        return None
    try:
        return make_strata(people=people).set_index("team_id")["stratum"]
    except EstimationError:
        return None


def other_strata(check: RandomisationCheck, people: pd.DataFrame | None) -> pd.DataFrame | None:
    """Teams of the list whose stratum the returns do not give: with `made`, the one they give. None: it cannot be
    told.
    """
    made = check.strata(people)
    if made is None or not check.allocation.readable:
        return None
    teams = check.teams()
    teams = teams.assign(made=teams["team_id"].map(made))
    return teams.loc[teams["made"].notna() & (teams["made"] != teams["stratum"])]


def _strata_not_made(check: RandomisationCheck) -> Iterator[Finding]:
    received, corrected = other_strata(check, check.received), other_strata(check, check.corrected)
    if received is None or received.empty or (corrected is not None and corrected.empty):
        return
    for authority, part in received.groupby("local_authority", sort=True):
        of = int((check.teams()["local_authority"] == authority).sum())
        named = listed(
            f"{t} ({s}, made {m})" for t, s, m in zip(part["team_id"], part["stratum"], part["made"], strict=True)
        )
        yield Finding(
            rule=STRATA,
            file=check.allocation.file,
            cell=rows_of(part["row"]),
            units=tuple(part["team_id"]),
            group=str(authority),
            value=(
                f"{len(part)} of {of} teams of {authority} in another stratum than their baseline return gives: {named}"
            ),
        )


def _log_differs(check: RandomisationCheck) -> Iterator[Finding]:
    found = log_gaps(check)
    if found:
        named = listed(f"{column} of draw {draw}: {what}" for draw, column, what in found)
        yield Finding(
            rule=LOGGED, file=check.log.file, cell=rows_of(draw + 1 for draw, _, _ in found), value=named, units=(LOG,)
        )


def log_gaps(check: RandomisationCheck) -> list[tuple[int, str, str]]:
    """What the log says otherwise than the draws repeated from the baseline returns; empty where either version
    agrees.
    """
    if not check.allocation.readable or not check.log.readable:
        return []
    best: list[tuple[int, str, str]] = []
    for people in (check.received, check.corrected):
        if people is None or not check.same_teams(people):
            continue
        try:
            again = balance_of_draws(
                people, check.teams(), rule=check.rule, seed=check.log.seed, draws=len(check.log.draws)
            )
        except EstimationError as error:
            found = [(1, "draw", f"cannot be repeated ({error})")]
        else:
            found = log_differences(check.log.draws, again, rule=check.rule)
        if not found:
            return []
        best = best or found
    return best


def _log_missing(check: RandomisationCheck) -> Iterator[Finding]:
    if check.log.missing:
        yield Finding(rule=NO_LOG, file=check.log.file, value="no file", units=(LOG,))


NO_LOG = Rule(
    code="A11",
    severity="error",
    find=_log_missing,
    rule=(
        "Where the plan says how teams were drawn, the log of the draws must be there: without it nothing shows that"
        " the list was drawn."
    ),
    remedy="Put the log next to the allocation list.",
)
ARMS = Rule(
    code="A06",
    severity="error",
    fields=("treatment",),
    find=_arms_not_drawn,
    rule="Every team must be in the arm that the log's seed draws within the strata of the list.",
    remedy="Restore the list that was drawn, or its log.",
)
STRATA = Rule(
    code="A07",
    severity="error",
    fields=("stratum",),
    find=_strata_not_made,
    rule="Every team must be in the stratum that the baseline returns give, as received or as corrected by the ledger.",
    remedy=(
        "Restore the list; if a baseline return was replaced after the randomisation, the strata of the list are those"
        " of the draw."
    ),
)
LOGGED = Rule(
    code="A08",
    severity="error",
    find=_log_differs,
    rule=(
        "The seed and the baseline returns must reproduce the draws of the log: p-values, acceptance, number of draws."
    ),
    remedy=(
        "Restore the log; if a baseline return was replaced after the randomisation, the log tells what was drawn on."
    ),
)
CORRECTED = Rule(
    code="A09",
    severity="note",
    fields=("stratum",),
    rule="Corrections of baseline returns after the randomisation do not change strata: those of the draw are used.",
    remedy="Nothing to do.",
)
RANDOMISATION_RULES: tuple[Rule, ...] = (NO_LOG, ARMS, STRATA, LOGGED)


def randomisation_findings(check: RandomisationCheck) -> list[Finding]:
    """Everything that the rules find."""
    return [finding for rule in RANDOMISATION_RULES if rule.find is not None for finding in rule.find(check)]


def corrected_strata(check: RandomisationCheck) -> list[Problem]:
    """A note where the ledger would put teams into other strata than those they were drawn in."""
    received, corrected = other_strata(check, check.received), other_strata(check, check.corrected)
    if received is None or corrected is None or len(received) or corrected.empty:
        return []
    value = f"with the ledger {len(corrected)} teams would be in another stratum: {listed(corrected['team_id'])}"
    return [CORRECTED.problem(file=check.allocation.file, cell=rows_of(corrected["row"]), value=value)]


def _in_short(findings: list[Finding]) -> str:
    """What does not agree, without naming a team: this is published, where a deviation lets the run go on."""
    said = []
    for rule, what in ((ARMS, "arm"), (STRATA, "stratum")):
        teams = sum(len(finding.units) for finding in findings if finding.rule is rule)
        if teams:
            said.append(f"{teams} {'team' if teams == 1 else 'teams'} in another {what}")
    if any(finding.rule is LOGGED for finding in findings):
        said.append("other draws or p-values than logged")
    return " and ".join(said)


def draws_repeated(check: RandomisationCheck, findings: list[Finding]) -> pd.DataFrame:
    """One row a logged draw (`DRAW_COLUMNS`), with whether all that follows from it agrees, and else what does not."""
    if not check.log.readable:
        return pd.DataFrame(columns=list(DRAW_COLUMNS))
    note = AGREES if not findings else _in_short(findings)
    draws = check.log.draws.rename(columns={"p_service_years": "p_service"})
    return draws.assign(seed=check.log.seed, agrees=not findings, note=note)[list(DRAW_COLUMNS)]

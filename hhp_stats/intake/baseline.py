"""Who is to be randomised? The baseline returns alone: on the day of the draw nothing later exists."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.across import Returns, across_problems
from hhp_stats.intake.corrections import apply_ledger
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.ledger import Ledger, read_ledger
from hhp_stats.intake.manifest import verify_manifest
from hhp_stats.intake.raw_files import studies
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.returns import RETURN_TYPES, read_return
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_file import MISSING_RETURN
from hhp_stats.intake.rules_randomisation import baseline_list
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.team_names import shared_names, told_apart

BASELINE = "baseline"


def load_baseline_list(root: Path, study: str) -> pd.DataFrame:
    """Everyone on a baseline return, with what strata and balance tests use (`rules_randomisation.baseline_list`).

    Lines of the ledger about the baseline are applied. Raises DataError, with every problem of severity error, where a
    return is missing or breaks a rule, or a raw file is not the one that the manifest records.
    """
    plan, fields = load_study(root, study), load_dictionary(root)
    spellings = load_spellings(root, fields)
    problems: list[Problem] = verify_manifest(root, study=study)
    returns: dict[str, dict[str, Return]] = {}
    for site in plan.sites:
        names = [f"data/returns/{study}/{site.slug}/{BASELINE}{suffix}" for suffix in RETURN_TYPES]
        file = next((name for name in names if (root / name).is_file()), None)
        if file is None:
            problems.append(MISSING_RETURN.problem(file=names[0]))
            continue
        ret = read_return(
            root / file, file=file, wave=BASELINE, study=plan, fields=fields, spellings=spellings, site=site
        )
        returns[site.local_authority] = {BASELINE: ret}
    readable = {site: waves for site, waves in returns.items() if waves[BASELINE].readable}
    whole = read_ledger(root, study=plan, studies=studies(root))
    ledger = Ledger(lines=[(n, line) for n, line in whole.lines if line.wave == BASELINE], problems=whole.problems)
    apply_ledger(ledger, readable, study=plan, spellings=spellings)
    for waves in readable.values():
        check_return(waves[BASELINE])
    shared = shared_names({one: [waves[BASELINE].frame["team_id"]] for one, waves in readable.items()}, spellings)
    for authority, waves in readable.items():
        waves[BASELINE].frame = told_apart(waves[BASELINE].frame, authority, shared)
    together = Returns(study=plan, by_site=readable)
    for rule in ACROSS_RULES:
        if rule.find is not None:
            problems += across_problems(rule, rule.find(together))
    problems += ledger.problems
    problems += [problem for waves in returns.values() for problem in waves[BASELINE].problems]
    errors = [problem for problem in dict.fromkeys(problems) if problem.severity == "error"]
    if errors:
        raise DataError(errors)
    return baseline_list({site: waves[BASELINE].frame for site, waves in returns.items()})

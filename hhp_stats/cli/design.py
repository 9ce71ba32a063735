"""Commands for design: randomise teams from baseline returns, and power calculations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hhp_stats.cli.shared import app, out, print_json, progress_bar
from hhp_stats.errors import EstimationError
from hhp_stats.files.project_root import find_root
from hhp_stats.intake.raw_files import studies


@app.command(
    epilog="Example: `hhp power --people 1850 --attrition .1 --icc .1 --cluster-size 7 --cv .5 --correlation .6`"
)
def power(
    people: Annotated[int, typer.Option(help="People in both arms before attrition.", min=4)],
    cluster_size: Annotated[
        float, typer.Option(help="People a team on average; 1 for individual randomisation.", min=1)
    ] = 1,
    icc: Annotated[float, typer.Option(help="Intraclass correlation.", min=0, max=1)] = 0.0,
    cv: Annotated[float, typer.Option(help="Coefficient of variation of team sizes.", min=0)] = 0.0,
    correlation: Annotated[float, typer.Option(help="Correlation of baseline and endline.", min=0, max=0.99)] = 0.0,
    attrition: Annotated[float, typer.Option(help="Share lost.", min=0, max=0.99)] = 0.0,
    baseline: Annotated[
        float | None, typer.Option(help="A proportion in the control arm, for a binary outcome.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Two-sided level.", min=0.0001, max=0.5)] = 0.05,
    wanted: Annotated[float, typer.Option("--power", help="Power.", min=0.5, max=0.999)] = 0.8,
    simulated: Annotated[
        int, typer.Option(help="Simulated trials to hold the formula against, a thousand or more; 0 for none.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the simulated trials.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """The smallest effect a trial can detect: standard deviations, or for a proportion both directions.

    With `--simulated`, also in that many simulated trials: the effect that the wanted share of them finds, or, of a
    proportion, the share that finds what the formula gives; beside it the standard error of the simulation. Formulas
    take normal quantiles, as Stata's clustersampsi; of few teams, or few people, read the effect by Student's t.
    """
    import math

    import numpy as np

    from hhp_stats.design.detectable_effect import ErrorRates
    from hhp_stats.design.planned_trial import PlannedTrial

    try:
        trial = PlannedTrial(
            people=people,
            cluster_size=cluster_size,
            icc=icc,
            size_cv=cv,
            correlation=correlation,
            attrition=attrition,
            baseline=baseline,
            rates=ErrorRates(alpha=alpha, power=wanted),
        )
        record: dict[str, float | None] = {
            "people": trial.analysed,
            "design_effect": trial.teams.variance_inflation,
            **{_DETECTABLE[name]: None if math.isnan(value) else value for name, value in trial.detectable().items()},
        }
        if simulated:
            with progress_bar(ticking=False) as bar:
                task = bar.add_task("Simulating", total=None)
                found = trial.simulated(
                    trials=simulated,
                    rng=np.random.default_rng(seed),
                    progress=lambda done, total: bar.update(task, completed=done, total=total, refresh=True),
                )
            for name, (value, error) in found.items():
                record |= {f"simulated_{name}": value, f"simulated_{name}_error": error}
    except EstimationError as error:  # nothing but the options decides: they were the wrong ones
        raise typer.BadParameter(f"no trial of this kind can be had: {error}") from None
    if as_json:
        print_json(record)
        return
    for key, number in record.items():
        shown = "none: even the largest could be chance" if number is None else f"{number:.4f}"
        out.print(f"{_POWER_WORDS[key]:<48} {shown}")


_DETECTABLE = {"sd": "detectable_sd", "sd_t": "detectable_sd_t", "fall": "fall_to", "rise": "rise_to"}
_POWER_WORDS = {
    "people": "People analysed",
    "design_effect": "Design effect",
    "detectable_sd": "Detectable effect, standard deviations",
    "detectable_sd_t": "By Student's t, for few teams or few people",
    "fall_to": "Detectable fall, to",
    "rise_to": "Detectable rise, to",
    "simulated_sd": "In simulated trials, standard deviations",
    "simulated_sd_error": "Standard error of the simulation",
    "simulated_fall": "Share of simulated trials that find the fall",
    "simulated_fall_error": "Standard error of the simulation",
    "simulated_rise": "Share of simulated trials that find the rise",
    "simulated_rise_error": "Standard error of the simulation",
}


@app.command(epilog="Example: `hhp randomise --seed 20190503 --to allocation.csv`")
def randomise(
    seed: Annotated[int, typer.Option(help="Of the draws; write it into the trial's log.")],
    to: Annotated[Path, typer.Option(help="File for the allocation list; the log of draws is written beside it.")],
    study: Annotated[str | None, typer.Option(help="Key of the study's plan; default: the study with returns.")] = None,
) -> None:
    """Draw teams from the baseline returns by the plan's rule, with strata, redraws and a log that can be replayed.

    List and log are read as they are by everything that follows. Columns of teams that the plan's equation names
    beside them, such as another trial's arm, are 0 everywhere: the draw knows nothing of them.
    """
    from hhp_stats.files.output_guard import OutputGuard
    from hhp_stats.intake.allocation_pair import AllocationPair
    from hhp_stats.intake.baseline import load_baseline_list
    from hhp_stats.intake.dictionary import load_dictionary, load_study, study_with_returns
    from hhp_stats.intake.draw_log import allocation_rule
    from hhp_stats.intake.lists import also_drawn
    from hhp_stats.intake.manifest import study_status
    from hhp_stats.intake.team_names import as_returned
    from hhp_stats.plan.load import load_plan
    from hhp_stats.studies.goal_setting.allocation import drawn

    root = find_root()
    study = study or study_with_returns(root)
    if study not in studies(root) or allocation_rule(root, study) is None:
        able = ", ".join(key for key in studies(root) if allocation_rule(root, key) is not None)
        raise typer.BadParameter(
            f"the plan of this study has no rule by which teams are drawn; that of {able} has one."
        )
    pair = AllocationPair(to, OutputGuard(root=root, command="hhp randomise", for_folders=("data/allocation",)))
    pair.check()
    if seed < 0:
        raise typer.BadParameter("the seed is a whole number, zero or more")
    allocation = drawn(load_baseline_list(root, study), load_plan(root, study), seed=seed)
    release = study_status(root, study)
    also = also_drawn(load_dictionary(root), load_study(root, study))
    names = as_returned(allocation.teams)
    teams = allocation.teams.assign(team_id=names, **dict.fromkeys(also, 0), release=release)
    pair.write(teams, allocation.log.assign(seed=seed, release=release))
    out.print(
        f"{len(allocation.teams)} teams, {int(allocation.teams['treatment'].sum())} of them treated, after"
        f" {len(allocation.log)} draws; wrote {to} and {pair.log}. SHA-256 {allocation.digest}",
        markup=False,
    )
    if also:
        out.print(f"{' and '.join(also)}: 0 for every team; enter the others before `hhp accept` records the list.")

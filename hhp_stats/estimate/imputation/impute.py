"""Multiple imputation by chained equations: the public functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hhp_stats.estimate.imputation.chain import ChainResult, run_chains
from hhp_stats.estimate.imputation.completed import Imputations, ImputedValues
from hhp_stats.estimate.imputation.diagnostics import ImputationDiagnostics, distribution_rows, r_hat, trace_frame
from hhp_stats.estimate.imputation.layout import Group
from hhp_stats.estimate.imputation.plan import ImputationPlan
from hhp_stats.estimate.imputation.prepare import check_frame, groups_of, prepare_group
from hhp_stats.processes.blocks import in_blocks
from hhp_stats.processes.progress import Progress, silent

SECONDS = 1e-8  # one number in one iteration takes about this long
# Chains side by side in one block: enough to be worth a call, few enough for the processor's own memory. Of
# large groups a block holds one chain, so that memory does not grow with the chains.
BLOCK_CHAINS, BLOCK_NUMBERS = 25, 1_500_000
_DISTRIBUTION = (
    "group",
    "variable",
    "source",
    "level",
    "n",
    "share",
    "mean",
    "std_dev",
    "q05",
    "q25",
    "q50",
    "q75",
    "q95",
)


def impute(
    frame: pd.DataFrame, plan: ImputationPlan, *, n_jobs: int | None = None, progress: Progress = silent
) -> Imputations:
    """What values may the missing ones have had, given everything that was observed?

    Estimator: chained equations. In each group (arm) apart, or in all together, missing values start as draws from the
    observed ones; then each incomplete variable in turn, fewest missing first, is drawn from the
    posterior predictive distribution of its model (`ImputedVariable.kind`) given its
    predictors (by default the complete terms and the current values of all others), `plan.iterations` times round;
    `plan.imputations` chains run independently. With teams, numeric variables get a team effect drawn from its
    posterior (flat prior on the intraclass correlation, which matters where an arm has only a handful of teams), so
    completed data keep the clustering of the observed; categorical variables get the observed shares among the
    team-mates. Composites follow their items.

    Shapes: `frame` one row a person; the result holds m numbers per missing value. Units: as given.
    Assumptions: values are missing at random given the predictors; each univariate model holds.
    The same plan, frame and package versions give the same numbers, for any `n_jobs` (None takes the
    joblib configuration in force, else every core for long work); more imputations leave the first ones as
    they were.
    Refuses: unknown names (UnknownName); a variable all of whose values are missing in a group, or an
    empty frame (NoObservations); constant, infinite or wrongly typed values, incomplete terms,
    unknown arm or team (ImputationRefused); more coefficients than observed values (CollinearTerms).
    Predictors that determine each other get a ridge of 1e-5 of their variance, noted in the diagnostics.
    Sources: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., sections 3.2-3.6 and
    4.5, chapter 7; Rubin (1987), p. 167, for the linear draw.
    """
    (completed,) = impute_together([(frame, plan)], n_jobs=n_jobs, progress=progress)
    return completed


def impute_together(
    tasks: Sequence[tuple[pd.DataFrame, ImputationPlan]], *, n_jobs: int | None = None, progress: Progress = silent
) -> list[Imputations]:
    """`impute` for several frames and plans: the same numbers, with no core waiting at the end of each."""
    prepared: list[tuple[pd.DataFrame, ImputationPlan, list[Group]]] = []
    jobs, places, seconds = [], [], 0.0
    for frame, plan in tasks:
        check_frame(frame, plan)
        groups = [prepare_group(frame, plan, label, rows) for label, rows in groups_of(frame, plan)]
        chains = [seed.spawn(len(groups)) for seed in np.random.SeedSequence(plan.seed).spawn(plan.imputations)]
        for place, group in enumerate(groups):
            for block in np.array_split(np.arange(len(chains)), -(-len(chains) // _block_size(group))):
                jobs.append((group, plan.iterations, [chains[chain][place] for chain in block]))
                places.append((len(prepared), place))
        seconds += SECONDS * plan.imputations * plan.iterations * sum(map(_cells, groups))
        prepared.append((frame, plan, groups))
    sizes = [len(seeds) for _, _, seeds in jobs]
    told = iter(range(1, sum(sizes) + 1))

    def chains_done(blocks: int, _all: int) -> None:
        for chain in told:
            progress(chain, sum(sizes))
            if chain == sum(sizes[:blocks]):
                return

    results: list[list[list[ChainResult]]] = [[[] for _ in groups] for _, _, groups in prepared]
    blocks = in_blocks(run_chains, jobs, chains_done, seconds=seconds, n_jobs=n_jobs)
    for (task, place), found in zip(places, blocks, strict=True):
        results[task][place] += found
    return [
        Imputations(
            frame=frame,
            plan=plan,
            imputed=_gather(groups, found, plan),
            diagnostics=_diagnostics(groups, found),
            made_by=f"{__name__}.{impute_together.__name__}",
        )
        for (frame, plan, groups), found in zip(prepared, results, strict=True)
    ]


def _block_size(group: Group) -> int:
    """Chains that go side by side: fixed by the size of the group alone."""
    widest: int = max(target.complete.shape[1] + len(target.varying) for target in group.targets)
    return max(1, min(BLOCK_CHAINS, BLOCK_NUMBERS // (widest * len(group.rows))))


def _cells(group: Group) -> int:
    """Numbers that one iteration works through: people times predictors of every variable with gaps."""
    return sum(
        target.complete.size + len(target.varying) * len(target.complete)
        for target in group.targets
        if len(target.missing)
    )


def _gather(groups: list[Group], results: list[list[ChainResult]], plan: ImputationPlan) -> dict[str, ImputedValues]:
    """Values of all groups side by side, each variable with one set of levels."""
    imputed = {}
    for variable in plan.variables:
        targets = [
            (group, target, chains)
            for group, chains in zip(groups, results, strict=True)
            for target in group.targets
            if target.name == variable.name
        ]
        found = {level for _, target, _ in targets for level in target.levels}
        levels = tuple(level for level in variable.levels if level in found) or tuple(sorted(found))
        rows, values = [], []
        for group, target, chains in targets:
            rows.append(group.rows[target.missing])
            if len(target.missing):
                drawn = np.stack([chain.values[target.key] for chain in chains])
                if levels and target.levels != levels:
                    drawn = np.array([levels.index(level) for level in target.levels], dtype=np.float64)[
                        drawn.astype(np.intp)
                    ]
                values.append(drawn)
            else:
                values.append(np.empty((plan.imputations, 0)))
        imputed[variable.name] = ImputedValues(
            rows=np.concatenate(rows), values=np.concatenate(values, axis=1), levels=levels
        )
    return imputed


def _diagnostics(groups: list[Group], results: list[list[ChainResult]]) -> ImputationDiagnostics:
    traces, convergence, rows = [], [], []
    notes: list[str] = []
    for group, chains in zip(groups, results, strict=True):
        notes += group.notes
        targets = [target for target in group.targets if len(target.missing)]
        notes += [f"{t.label}: nothing of {t.name} is missing" for t in group.targets if not len(t.missing)]
        means = np.stack([chain.means for chain in chains])
        sds = np.stack([chain.sds for chain in chains])
        for label in dict.fromkeys(target.label for target in targets) or [group.label]:
            places = [place for place, target in enumerate(targets) if target.label == label]
            names = [targets[place].name for place in places]
            traces.append(trace_frame(label, names, means[:, :, places], sds[:, :, places]))
        for place, target in enumerate(targets):
            ridged = sum(chain.ridged[target.key] for chain in chains)
            if ridged:
                fits = means.shape[0] * means.shape[1]
                notes.append(
                    f"{target.label}: predictors of {target.name} determine each other; ridge in {ridged} of {fits}"
                    " fits"
                )
            head = {"group": target.label, "variable": target.name}
            convergence.append(
                {**head, "r_hat_mean": r_hat(means[:, :, place]), "r_hat_std_dev": r_hat(sds[:, :, place])}
            )
            drawn = np.stack([chain.values[target.key] for chain in chains])
            for source, values in (("observed", target.known), ("imputed", drawn)):
                rows += distribution_rows(
                    group=target.label, variable=target.name, source=source, values=values, levels=target.levels
                )
    return ImputationDiagnostics(
        trace=pd.concat(traces, ignore_index=True),
        convergence=pd.DataFrame(convergence, columns=["group", "variable", "r_hat_mean", "r_hat_std_dev"]),
        distributions=pd.DataFrame(rows, columns=list(_DISTRIBUTION)),
        notes=tuple(notes),
    )

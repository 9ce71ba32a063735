"""Rows made ready for the models, and counts for the chapter: never persons."""

from __future__ import annotations

import pandas as pd

from hhp_stats.plan.experiments import ExperimentPlan


def prepared_decisions(decisions: pd.DataFrame) -> pd.DataFrame:
    """One row a decision with `outcome` (0 or 100, missing where not answered), `cell`, and the model's dummies."""
    joint = (decisions["evaluation"] == "joint").astype("float64")
    minority = (decisions["name"] == "minority ethnic").astype("float64")
    name = decisions["name"].map({"minority ethnic": "minority", "white british": "white_british"})
    return decisions.assign(
        outcome=100 * decisions["progressed"],
        cell=decisions["evaluation"] + "_" + name,
        joint=joint,
        minority=minority,
        joint_minority=joint * minority,
        second_name_set=(decisions["name_set"] == 2).astype("float64"),
        this_first=(decisions["first_experiment"] == "progression").astype("float64"),
    )


def prepared_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a participant with `outcome` (the sum of three scores), `cell`, and the model's dummies."""
    shown = scores["name_shown"]
    return scores.assign(
        outcome=scores["total"],
        cell=shown,
        blinded=(shown == "blinded").astype("float64"),
        white_british=(shown == "white_british").astype("float64"),
        this_first=(scores["first_experiment"] == "evaluation_score").astype("float64"),
    )


def flow(decisions: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Participants, rows and answers of each condition: `experiment`, `condition`, `people`, `rows`, `answered`."""
    rows = []
    for condition, part in decisions.groupby("evaluation", sort=True):
        rows.append(
            ("progression", condition, part["participant"].nunique(), len(part), int(part["progressed"].notna().sum()))
        )
    for shown, part in scores.groupby("name_shown", sort=True):
        rows.append(
            ("evaluation_score", shown, part["participant"].nunique(), len(part), int(part["total"].notna().sum()))
        )
    return pd.DataFrame(rows, columns=["experiment", "condition", "people", "rows", "answered"])


def conditions(decisions: pd.DataFrame, scores: pd.DataFrame, plan: ExperimentPlan) -> pd.DataFrame:
    """By cell of both experiments: people, rows, answered, positive decisions or mean score."""
    rows = []
    for frame in (decisions, scores):
        for cell in plan.cells.values():
            part = frame.loc[frame["cell"] == cell.id]
            if part.empty:
                continue
            positive = int((part["outcome"] > 0).sum()) if cell.experiment == "progression" else None
            rows.append(
                (
                    cell.experiment,
                    cell.id,
                    cell.label,
                    part["participant"].nunique(),
                    len(part),
                    int(part["outcome"].notna().sum()),
                    positive,
                )
            )
    return pd.DataFrame(rows, columns=["experiment", "cell", "label", "people", "rows", "answered", "positive"])


def name_sets(decisions: pd.DataFrame, plan: ExperimentPlan) -> pd.DataFrame:
    """By condition and combination of names: people, and the rate of each kind of name."""
    rows = []
    for condition in ("joint", "separate"):
        for name_set in (1, 2):
            part = decisions.loc[(decisions["evaluation"] == condition) & (decisions["name_set"] == name_set)]
            rates = part.groupby("minority")["outcome"].mean()
            people = part["participant"].nunique()
            rows.append((condition, name_set, people, float(rates[1.0]), float(rates[0.0])))
    return pd.DataFrame(rows, columns=["evaluation", "name_set", "people", "minority", "white_british"])


def score_distribution(scores: pd.DataFrame, plan: ExperimentPlan) -> pd.DataFrame:
    """Share of each condition that gave each total score: `cell`, `score`, `people`, `share`."""
    experiment = plan.experiments["evaluation_score"]
    rows = []
    for cell in plan.cells_of(experiment.id):
        values = scores.loc[scores["cell"] == cell.id, "outcome"].dropna()
        counts = values.astype(int).value_counts()
        for score in range(int(experiment.low), int(experiment.high) + 1):
            people = int(counts.get(score, 0))
            rows.append((cell.id, score, people, people / len(values)))
    return pd.DataFrame(rows, columns=["cell", "score", "people", "share"])


def chosen_per_person(decisions: pd.DataFrame, plan: ExperimentPlan) -> pd.DataFrame:
    """How many of the applications did participants put forward? `evaluation`, `chosen`, `people`, `share`."""
    chosen = decisions.groupby(["participant", "evaluation"])["progressed"].sum().astype(int).reset_index(name="chosen")
    total = chosen["evaluation"].value_counts()
    counts = chosen.groupby(["evaluation", "chosen"]).size().reset_index(name="people")
    return counts.assign(share=counts["people"] / counts["evaluation"].map(total))


def chosen_over_limit(decisions: pd.DataFrame, plan: ExperimentPlan) -> pd.DataFrame:
    """How many applications were put forward on average, and who passed the limit? `evaluation` (or all), `people`,
    `mean`, `over`, `share`.
    """
    people = decisions.groupby(["participant", "evaluation"])["progressed"].sum().rename("chosen").reset_index()
    rows = []
    for name in ("all", *sorted(people["evaluation"].unique())):
        part = people if name == "all" else people.loc[people["evaluation"] == name]
        over = int((part["chosen"] > plan.fact("limit")).sum())
        rows.append((name, len(part), float(part["chosen"].mean()), over, over / len(part)))
    return pd.DataFrame(rows, columns=["evaluation", "people", "mean", "over", "share"])


def pair_choices(decisions: pd.DataFrame) -> pd.DataFrame:
    """Joint condition: of pairs with both decisions, how many had both, one or neither put forward."""
    joint = decisions.loc[decisions["evaluation"] == "joint"]
    wide = joint.pivot_table(index=["participant", "pair"], columns="name", values="progressed", aggfunc="first")
    wide = wide.reindex(columns=["minority ethnic", "white british"]).dropna()  # of neither, where nobody decided
    minority, white = wide["minority ethnic"] == 1, wide["white british"] == 1
    parts = {
        "both": minority & white,
        "minority ethnic alone": minority & ~white,
        "White British alone": ~minority & white,
        "neither": ~minority & ~white,
    }
    rows = [(choice, int(mask.sum()), float(mask.mean())) for choice, mask in parts.items()]
    return pd.DataFrame(rows, columns=["choice", "pairs", "share"])


def roles(decisions: pd.DataFrame) -> pd.DataFrame:
    """Participants by role and condition of the first experiment."""
    people = decisions.drop_duplicates("participant")
    return people.groupby(["role", "evaluation"]).size().reset_index(name="people")

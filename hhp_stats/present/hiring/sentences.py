"""The sentences of the chapter on the hiring experiments; numbers and directions are read off rows and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from hhp_stats.present import prose
from hhp_stats.present.hiring.published import impossible_error, lattice, literal_scores, printed_p, quarter, reproduced
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import apart, count, interval, number, p_clause, p_value, percent, plural, side, spelled

Row = Mapping[str, Any]
SMALL_DIFFERENCE = 5.0  # percentage points, for the recommendation on further trials


def evidence(row: Row, *, digits: int, unit: str = "") -> str:
    """`95% CI 10.4 to 21.8 points, p < .001`."""
    return prose.uncertainty(row, digits=digits, unit=unit)


def is_clear(row: Row) -> bool:
    """Does the interval lie on one side of zero?"""
    return prose.is_clear(row)


def towards(row: Row, *, words: tuple[str, str]) -> str:
    """The word for the sign of an estimate: the first if positive, the second if negative."""
    found = side(row["estimate"])
    return words[0] if found > 0 else words[1] if found < 0 else "neither " + " nor ".join(words)


def _rates(report: HiringReport, *cells: str) -> list[str]:
    """Rates of cells that a sentence compares, in per cent."""
    return [
        f"{rate}%"
        for rate in apart(*(report.row("progression", f"mean_{cell}")["estimate"] for cell in cells), digits=1)
    ]


def sample(report: HiringReport) -> str:
    """How many took part in what."""
    joint, separate = (report.count("progression", f"people_{condition}") for condition in ("joint", "separate"))
    arms = [
        f"{count(report.row('evaluation_score', f'mean_{cell.id}')['n'])} ({cell.label[:1].lower() + cell.label[1:]})"
        for cell in report.plan.cells_of("evaluation_score")
    ]
    return (
        f"{plural(report.count('progression', 'participants'), 'participant')} took both experiments. In the first,"
        f" {count(joint)} saw the applications in pairs and {count(separate)} one after the other. In the second, the"
        f" application was shown to {', '.join(arms[:-1])} and {arms[-1]}."
    ).replace("white British", "White British")


def answered(report: HiringReport) -> str:
    """How many decisions were made."""
    rows, made = report.count("progression", "rows"), report.count("progression", "answered")
    return (
        f"With ten applications each, there were {count(rows)} decisions, of which {count(made)}"
        f" ({percent(made / rows)}) were answered; the other {count(rows - made)} are not analysed."
    )


def _change(report: HiringReport, name: str, label: str, estimand: str) -> str:
    row = report.row("progression", estimand)
    word = towards(row, words=("more", "less"))
    joint, separate = _rates(report, f"joint_{name}", f"separate_{name}")
    return (
        f"Seen in pairs, candidates with {label} names were shortlisted in {joint} of decisions. Seen one after the"
        f" other, they were shortlisted in {separate}. That is {number(abs(row['estimate']), 1)} percentage"
        f" points {word} often in"
        f" pairs ({evidence(row, digits=1, unit=' points')}), {_verdict(row)}."
    )


def _verdict(row: Row) -> str:
    return "a clear difference" if is_clear(row) else prose.MAY_BE_CHANCE


def question_1(report: HiringReport) -> str:
    """Minority ethnic names, joint against separate."""
    return _change(report, "minority", "minority ethnic", "minority_joint_vs_separate")


def question_2(report: HiringReport) -> str:
    """White British names, joint against separate."""
    return _change(report, "white_british", "White British", "white_british_joint_vs_separate")


def question_3(report: HiringReport) -> str:
    """The gap in the separate condition."""
    row = report.row("progression", "white_british_vs_minority_separate")
    word = towards(row, words=("more", "less"))
    return (
        "Seen one after the other, White British names were shortlisted"
        f" {number(abs(row['estimate']), 1)} percentage points {word} often than minority ethnic names"
        f" ({evidence(row, digits=1, unit=' points')}), {_verdict(row)}."
    )


def joint_gap(report: HiringReport) -> str:
    """The unplanned fourth comparison."""
    row = report.row("progression", "minority_vs_white_british_joint")
    word = towards(row, words=("more", "less"))
    return (
        f"When seen in pairs, candidates with minority ethnic names were shortlisted {number(abs(row['estimate']), 1)}"
        f" percentage points {word} often than candidates with White British names"
        f" ({evidence(row, digits=1, unit=' points')}), {_verdict(row)}."
    )


def interaction(report: HiringReport) -> str:
    """How much the gap changes between conditions."""
    row = report.row("progression", "interaction")
    return (
        "Taken together, evaluation in pairs moved the gap between the two kinds of name by"
        f" {number(abs(row['estimate']), 1)} points {towards(row, words=('towards', 'away from'))} minority ethnic"
        f" names ({evidence(row, digits=1, unit=' points')})."
    )


def progression_holm(report: HiringReport) -> str:
    """What adjusting for three comparisons changes."""
    return _holm(report, "progression")


def _holm(report: HiringReport, experiment: str) -> str:
    rows = report.contrasts(experiment, planned=True)
    before, after = (
        int((rows["p_value"] < report.plan.alpha).sum()),
        int((rows["p_adjusted"] < report.plan.alpha).sum()),
    )
    values = ", ".join(p_value(p, alpha=report.plan.alpha) for p in rows["p_adjusted"])
    return (
        f"Of {spelled(len(rows))} planned comparisons, {'none' if before == 0 else spelled(before)}"
        f" {'have' if before > 1 else 'has'} a p-value below {number(report.plan.alpha)}; after Holm's adjustment"
        f" {'none' if after == 0 else spelled(after)} {'do' if after > 1 else 'does'} (adjusted values {values})."
    )


def progression_robust(report: HiringReport) -> str:
    """Do the other versions agree with the planned one?"""
    parts = []
    for contrast in report.plan.contrasts_of("progression"):
        if not contrast.planned:
            continue
        base = report.row("progression", contrast.id)
        others = [
            report.row("progression", contrast.id, m.id)
            for m in report.plan.methods_of("progression")
            if m.kind != "planned"
        ]
        same = sum(
            is_clear(row) == is_clear(base) and (not is_clear(base) or row["estimate"] * base["estimate"] > 0)
            for row in others
        )
        parts.append(f"{contrast.label} ({spelled(same)} of {spelled(len(others))})")
    return (
        f"The number of sensitivity analyses that lead to the same conclusion as the planned one: {'; '.join(parts)}."
    )


def clustering(report: HiringReport) -> str:
    """What clustering does to the standard errors."""
    planned, naive = (
        report.row("progression", "minority_joint_vs_separate"),
        report.row("progression", "minority_joint_vs_separate", "hc2"),
    )
    ratio = planned["std_error"] / naive["std_error"]
    return (
        "Decisions of one participant are similar: the standard error of the first comparison is"
        f" {number(planned['std_error'])} points with clustering and would be {number(naive['std_error'])} without it,"
        f" smaller by a factor of {number(ratio, 1)}."
    )


def limit(report: HiringReport) -> str:
    """How often the limit of five was passed."""
    asked = report.plan.fact("limit")
    row: Any = report.table("chosen_over_limit").set_index("evaluation").loc["all"]
    mean, share = row["mean"], row["share"]
    return (
        f"Participants were asked to shortlist {spelled(int(asked))} of the ten candidates at most. On average they"
        f" shortlisted {number(mean, 1)}, and {percent(share, 0)} of them went over the limit."
    )


def pairs(report: HiringReport) -> str:
    """What was done with pairs."""
    table = report.table("pair_choices").set_index("choice")["share"]
    return (
        f"In {percent(table['both'], 0)} of the pairs both candidates were shortlisted and in"
        f" {percent(table['neither'], 0)} neither. In {percent(table['minority ethnic alone'], 0)} of all pairs"
        " only the"
        " candidate with the minority ethnic name was shortlisted, and in"
        f" {percent(table['White British alone'], 0)} only the one with the White British name."
    )


def name_sets(report: HiringReport) -> str:
    """Rates by combination of names."""
    rows = [report.row("progression", "white_british_vs_minority_separate", f"set{number_}-cr1") for number_ in (1, 2)]
    words = " and ".join(
        f"{number(row['estimate'], 1)} points in the {which} combination ({p_clause(row['p_value'])})"
        for row, which in zip(rows, ("first", "second"), strict=True)
    )
    return (
        "Which application had which name was varied, so that the quality of an application and the name on it can"
        f" be separated. The gap of the separate condition, White British minus minority ethnic, is {words}."
    )


def _score(report: HiringReport, estimand: str, method: str = "") -> str:
    row = report.row("evaluation_score", estimand, method)
    contrast = report.plan.contrasts[estimand]
    first, second = (report.plan.cells[cells[0]] for cells in (contrast.plus, contrast.minus))
    means = apart(*(report.row("evaluation_score", f"mean_{cell.id}")["estimate"] for cell in (first, second)))
    names = [cell.label.lower().replace("british", "British").replace("white", "White") for cell in (first, second)]
    return (
        f"With “{names[0]}” the average score was {means[0]} points. That is {number(abs(row['estimate']))} points"
        f" {towards(row, words=('more', 'less'))} than with “{names[1]}” ({means[1]}; {evidence(row, digits=2)}),"
        f" {_verdict(row)}."
    )


def score_1(report: HiringReport) -> str:
    """Blinded against minority."""
    return _score(report, "blinded_vs_minority")


def score_2(report: HiringReport) -> str:
    """Blinded against White British."""
    return _score(report, "blinded_vs_white_british")


def score_3(report: HiringReport) -> str:
    """Minority against White British."""
    return _score(report, "minority_vs_white_british")


def score_holm(report: HiringReport) -> str:
    """What adjusting for three comparisons changes."""
    return _holm(report, "evaluation_score")


def score_variance(report: HiringReport) -> str:
    """How the second contrast hangs on the variance."""
    found = {key: report.row("evaluation_score", "blinded_vs_white_british", key) for key in ("hc2", "welch", "pooled")}
    below = [key for key, row in found.items() if row["p_value"] < report.plan.alpha]
    if len(below) in (0, len(found)):
        where = f"{'all' if below else 'none'} of these {'lie' if below else 'lies'} below {number(report.plan.alpha)}"
    else:
        where = (
            f"{spelled(len(below))} of these {'lies' if len(below) == 1 else 'lie'} below {number(report.plan.alpha)},"
            " so a verdict would depend on the method"
        )
    p = {key: p_value(row["p_value"], alpha=report.plan.alpha) for key, row in found.items()}
    return (
        f"Against White British names the p-value is {p['hc2']} with robust standard errors, "
        f"{p['welch']} by Welch's test of the two conditions alone and {p['pooled']} if one variance is "
        f"taken for all three; {where}."
    )


def score_spread(report: HiringReport) -> str:
    """Do the spreads of the arms differ?"""
    spread = {
        cell.id: report.row("evaluation_score", f"sd_{cell.id}", "raw")["estimate"]
        for cell in report.plan.cells_of("evaluation_score")
    }
    return (
        f"The standard deviation of scores is {number(spread['blinded'])} points with the name removed,"
        f" {number(spread['minority'])} with a minority ethnic and {number(spread['white_british'])} with a"
        " White British"
        " name."
    )


def score_sizes(report: HiringReport) -> str:
    """The differences in standard deviations."""
    rows = [
        report.row("evaluation_score", contrast.id, "hedges-g")
        for contrast in report.plan.contrasts_of("evaluation_score")
    ]
    return (
        "In standard deviations the three differences are "
        + ", ".join(f"{number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})" for row in rows)
        + "."
    )


def detectable(report: HiringReport) -> str:
    """What the experiments could have found."""
    first = [
        report.row("progression", f"mdes_{c.id}")["estimate"]
        for c in report.plan.contrasts_of("progression")
        if c.planned
    ]
    second = [
        report.row("evaluation_score", f"mdes_{c.id}")["estimate"] for c in report.plan.contrasts_of("evaluation_score")
    ]
    return (
        f"With samples of this size, the first experiment can detect differences of {number(min(first), 1)} to"
        f" {number(max(first), 1)} percentage points and the second differences of {number(min(second), 1)} to"
        f" {number(max(second), 1)} points, each in four cases out of five."
    )


def needed(report: HiringReport) -> str:
    """How many participants a smaller difference would take."""
    aim = SMALL_DIFFERENCE
    found = [
        report.row("progression", f"mdes_{c.id}")["estimate"]
        for c in report.plan.contrasts_of("progression")
        if c.planned
    ]
    people = report.count("progression", "participants")
    return (
        f"To find a difference of {number(aim, 0)} percentage points with the variation seen here, such a trial would"
        f" need between {count(round(people * (min(found) / aim) ** 2, -2))} and"
        f" {count(round(people * (max(found) / aim) ** 2, -2))} participants."
    )


def fact(key: Literal["limit", "voucher", "pairs", "applications"]) -> Callable[[HiringReport], str]:
    """A number of the design."""
    return lambda report: number(report.plan.fact(key), 0)


SENTENCES: dict[str, Callable[[HiringReport], str]] = {
    "sample": sample,
    "answered": answered,
    "question_1": question_1,
    "question_2": question_2,
    "question_3": question_3,
    "joint_gap": joint_gap,
    "interaction": interaction,
    "progression_holm": progression_holm,
    "progression_robust": progression_robust,
    "clustering": clustering,
    "limit": limit,
    "pairs": pairs,
    "name_sets": name_sets,
    "score_1": score_1,
    "score_2": score_2,
    "score_3": score_3,
    "score_holm": score_holm,
    "score_variance": score_variance,
    "score_spread": score_spread,
    "score_sizes": score_sizes,
    "detectable": detectable,
    "needed": needed,
    "impossible_error": impossible_error,
    "lattice": lattice,
    "quarter": quarter,
    "literal_scores": literal_scores,
    "printed_p": printed_p,
    "reproduced": reproduced,
    "voucher": fact("voucher"),
    "limit_number": fact("limit"),
    "pairs_number": fact("pairs"),
    "applications": fact("applications"),
}

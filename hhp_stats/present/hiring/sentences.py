"""The sentences of the chapter on the hiring experiments; numbers and directions are read off rows and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hhp_stats.present.hiring.progression import (
    clustering,
    interaction,
    joint_gap,
    limit,
    name_sets,
    pairs,
    progression_holm,
    progression_robust,
    question_1,
    question_2,
    question_3,
)
from hhp_stats.present.hiring.published import impossible_error, lattice, literal_scores, printed_p, quarter, reproduced
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.hiring.scores import (
    detectable,
    needed,
    score_1,
    score_2,
    score_3,
    score_holm,
    score_sizes,
    score_spread,
    score_variance,
)
from hhp_stats.present.numbers import count, lowered, number, percent, plural


def sample(report: HiringReport) -> str:
    """How many took part in what."""
    joint, separate = (report.count("progression", f"people_{condition}") for condition in ("joint", "separate"))
    arms = [
        f"{count(report.result('evaluation_score', f'mean_{cell.id}')['n'])} ({lowered(cell.label)})"
        for cell in report.plan.cells_of("evaluation_score")
    ]
    return (
        f"Both experiments had the same {plural(report.count('progression', 'participants'), 'participant')}. In the"
        f" first, {count(joint)} saw the applications in pairs and {count(separate)} one after the other. In the"
        f" second, the application was shown to {', '.join(arms[:-1])} and {arms[-1]}."
    )


def answered(report: HiringReport) -> str:
    """How many decisions were made."""
    rows, made = report.count("progression", "rows"), report.count("progression", "answered")
    return (
        f"With ten applications each, there were {count(rows)} decisions, of which {count(made)}"
        f" ({percent(made / rows)}) were answered; the other {count(rows - made)} are not analysed."
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

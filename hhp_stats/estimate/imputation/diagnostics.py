"""Did the chains settle, and do the imputed values look like values that could have been observed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hhp_stats.regression.model_matrix import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationDiagnostics:
    """What a reader needs to trust an imputation; three long frames and notes.

    trace: group, variable, imputation, iteration, mean, std_dev of the imputed values.
    convergence: group, variable, r_hat_mean, r_hat_std_dev.
    distributions: group, variable, source (observed or imputed, all m together), level, n, share,
    mean, std_dev, q05, q25, q50, q75, q95; one row per level for categorical variables.
    notes: what the machinery had to do: ridges, predictors that do not vary, nothing missing.
    """

    trace: pd.DataFrame
    convergence: pd.DataFrame
    distributions: pd.DataFrame
    notes: tuple[str, ...]


def r_hat(chains: Array) -> float:
    """Have parallel chains mixed? The potential scale reduction factor of `chains` (m, iterations).

    R = sqrt(((n - 1)/n W + B/n) / W) over the second half of each chain, n its length, W the mean
    variance within chains, B/n the variance of the chain means. Near 1 the chains have mixed; values
    above about 1.1 after a dozen iterations ask for more. NaN where fewer than two iterations are
    left or the chains never move. Source: Gelman and Rubin (1992), Statistical Science 7, 457-472
    (without the correction for their df).
    """
    kept = chains[:, chains.shape[1] // 2 :]
    length = kept.shape[1]
    if len(kept) < 2 or length < 2:
        return float("nan")
    within = float(kept.var(axis=1, ddof=1).mean())
    if within == 0:
        return float("nan")
    between = float(kept.mean(axis=1).var(ddof=1))
    return float(np.sqrt(((length - 1) / length * within + between) / within))


def trace_frame(group: str, names: list[str], means: Array, sds: Array) -> pd.DataFrame:
    """Long frame of the chains' paths: means and sds (m, iterations, variables)."""
    count, iterations, variables = means.shape
    order = (2, 0, 1)
    return pd.DataFrame(
        {
            "group": group,
            "variable": np.repeat(names, count * iterations),
            "imputation": np.tile(np.repeat(np.arange(1, count + 1), iterations), variables),
            "iteration": np.tile(np.arange(1, iterations + 1), variables * count),
            "mean": means.transpose(order).ravel(),
            "std_dev": sds.transpose(order).ravel(),
        }
    )


def distribution_rows(
    *, group: str, variable: str, source: str, values: Array, levels: tuple[object, ...]
) -> list[dict[str, object]]:
    """Summary of observed or imputed values (any shape); codes where there are `levels`."""
    flat = np.ravel(values)
    head: dict[str, object] = {"group": group, "variable": variable, "source": source, "level": "", "n": flat.size}
    if levels:
        counts = np.bincount(flat.astype(np.intp), minlength=len(levels))
        total = max(flat.size, 1)
        return [{**head, "level": str(x), "share": c / total} for x, c in zip(levels, counts, strict=True)]
    if not flat.size:
        return []
    points = np.quantile(flat, [0.05, 0.25, 0.5, 0.75, 0.95])
    spread = float(flat.std(ddof=1)) if flat.size > 1 else float("nan")
    named = dict(zip(("q05", "q25", "q50", "q75", "q95"), map(float, points), strict=True))
    return [{**head, "mean": float(flat.mean()), "std_dev": spread, **named}]

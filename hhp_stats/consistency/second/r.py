"""The programme in R that a reviewer runs to get one result: base R with sandwich and clubSandwich."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hhp_stats.consistency.second.frames import FOLDER
from hhp_stats.consistency.second.python import RESULTS
from hhp_stats.consistency.second.recipe import FIELDS, INTERCEPT, Recipe

_POOLED = """m <- length(estimates)
within <- mean(variances)
between <- var(estimates)
estimate <- mean(estimates)
variance <- within + (1 + 1 / m) * between  # Rubin (1987)
share <- (1 + 1 / m) * between / variance
"""
_BARNARD_RUBIN = """observed <- (df + 1) / (df + 3) * df * (1 - share)  # Barnard and Rubin (1999)
df <- 1 / (share^2 / (m - 1) + 1 / observed)
"""
_NORMAL_POOLED = "df <- (m - 1) / share^2\n"
_TAIL = """std_error <- sqrt(variance)
p_value <- 2 * pt(-abs(estimate / std_error), df)
conf_low <- estimate - qt({high}, df) * std_error
conf_high <- estimate + qt({high}, df) * std_error
"""


def r_programme(recipe: Recipe) -> str:
    """A complete programme that reads the analysis frame, to be run in the project's folder, and prints the row."""
    study = recipe.result_id.split("/")[0]
    library = "library(clubSandwich)" if _small(recipe) else "library(sandwich)"
    needs = recipe.estimator in ("ols", "logit") and recipe.covariance != "classical"
    place = f"{RESULTS}/{study}/{FOLDER}"
    kinds = ", ".join(f'{name} = "character"' for name in recipe.categories)
    texts = f', na.strings = "", colClasses = c({kinds})' if kinds else ""
    lines = [
        f"# {recipe.result_id}",
        *([library] if needs else []),
        f'people <- read.csv("{place}/{recipe.frame}.csv"{texts})',
    ]
    pick = [f"data <- data[data${name} == 1, ]" for name in recipe.only]
    if recipe.known:
        pick.append(f"data <- data[complete.cases(data[{_c(recipe.known)}]), ]")
    body = BODIES[recipe.estimator](recipe)
    if recipe.imputed:
        inner = [
            "values <- completed[completed$imputation == number, ]",
            "data <- people",
            f"for (name in {_c(recipe.filled)}) {{",
            "  gap <- !is.na(values[[name]])",
            "  data[match(values$person[gap], data$person), name] <- values[[name]][gap]",
            "}",
            *pick,
            *body,
            "estimates[number] <- estimate",
            "variances[number] <- variance",
            *(["freedoms[number] <- df"] if _small(recipe) else []),
        ]
        lines += [
            f'completed <- read.csv("{place}/{recipe.imputed}.csv.gz")',
            "estimates <- variances <- freedoms <- numeric(0)",
            f"for (number in 1:{recipe.imputations}) {{",
            *("  " + line for line in inner),
            "}",
        ]
    else:
        lines += ["data <- people", *pick, *body]
    text = "\n".join(lines) + "\n"
    if recipe.estimator == "two-step":
        text += (
            "std_error <- df <- p_value <- conf_low <- conf_high <- NA  # the second step's own errors would be too"
            " small\n"
        )
    elif recipe.estimator != "welch":
        if not _small(recipe):
            text += "df <- {}\n".format(
                {"clusters": _clusters(recipe), "residual": "df.residual(fit)", "normal": "Inf"}[recipe.df]
            )
        elif recipe.imputed:
            text += "df <- mean(freedoms)\n"
        if recipe.imputed:
            text += _POOLED + (_NORMAL_POOLED if recipe.df == "normal" else _BARNARD_RUBIN)
        text += _TAIL.format(high=f"{0.5 + recipe.conf_level / 2:.10g}")
    if recipe.quantity == "odds_ratio":
        text += "estimate <- exp(estimate)  # from log odds to odds\nstd_error <- std_error * estimate\n"
        text += "conf_low <- exp(conf_low)\nconf_high <- exp(conf_high)\n"
    return text + "".join(f'cat(sprintf("{name:<10} %.16g\\n", {name}))\n' for name in FIELDS)


def _small(recipe: Recipe) -> bool:
    """Whether the recipe needs clubSandwich: its covariances and Satterthwaite's degrees of freedom."""
    return recipe.estimator == "ols" and (recipe.covariance in ("CR2", "CR3") or recipe.df == "satterthwaite")


def _c(names: Sequence[str]) -> str:
    return "c(" + ", ".join(f'"{name}"' for name in names) + ")"


def _clusters(recipe: Recipe) -> str:
    counts = [f"length(unique(data${name}))" for name in recipe.clusters]
    return (counts[0] if len(counts) == 1 else f"min({', '.join(counts)})") + " - 1"


def _terms(recipe: Recipe, *, without: str = "") -> list[str]:
    found = [
        f"relevel(factor({term.column}), {term.quoted})" if term.base else term.column
        for term in recipe.terms
        if term.column != without
    ]
    return found or ["1"]


def _formula(outcome: str, terms: Sequence[str]) -> str:
    """The formula over as many lines as it needs."""
    text, line = "", f"{outcome} ~ {terms[0]}"
    for term in terms[1:]:
        if len(line) + len(term) > 92:
            text, line = text + line + " +\n    ", term
        else:
            line += f" + {term}"
    return text + line


def _chosen(recipe: Recipe) -> list[str]:
    """The lines that take the quantity from coefficients and covariance."""
    names = {name: "(Intercept)" if name == INTERCEPT else name for name in recipe.weights}
    if len(names) == 1 and set(recipe.weights.values()) == {1.0}:
        name = next(iter(names.values()))
        return [f'estimate <- coef(fit)[["{name}"]]', f'variance <- covariance["{name}", "{name}"]']
    given = ", ".join(f'"{names[name]}" = {weight:g}' for name, weight in recipe.weights.items())
    return [
        f"weights <- c({given})",
        "estimate <- sum(weights * coef(fit)[names(weights)])",
        "variance <- drop(weights %*% covariance[names(weights), names(weights)] %*% weights)",
    ]


def _ols(recipe: Recipe) -> list[str]:
    kind = recipe.covariance
    weights = f", weights = {recipe.row_weights}" if recipe.row_weights else ""
    lines = [f"fit <- lm({_formula(recipe.outcome, _terms(recipe))}, data{weights})"]
    if _small(recipe):
        groups = f"data${recipe.clusters[0]}" if recipe.clusters else "seq_len(nrow(data))"
        name = kind.replace("HC", "CR")
        tested = [f'covariance <- vcovCR(fit, cluster = {groups}, type = "{name}")', *_chosen(recipe)]
        given = ", ".join(f"{weight:g}" for weight in recipe.weights.values())
        names = _c(["(Intercept)" if term == INTERCEPT else term for term in recipe.weights])
        tested += [
            "weights <- matrix(0, 1, length(coef(fit)), dimnames = list(NULL, names(coef(fit))))",
            f"weights[1, {names}] <- c({given})",
            'df <- linear_contrast(fit, vcov = covariance, contrasts = weights, test = "Satterthwaite")$df',
        ]
        return [*lines, *tested]
    if kind == "classical":
        lines.append("covariance <- vcov(fit)")
    elif kind.startswith("HC"):
        lines.append(f'covariance <- vcovHC(fit, type = "{kind}")')
    elif kind == "two-way":
        groups = ", ".join(f"{name} = data${name}" for name in recipe.clusters)
        lines.append(f'covariance <- vcovCL(fit, cluster = data.frame({groups}), type = "HC1")')
    else:
        adjusted = 'type = "HC1"' if kind == "CR1" else 'type = "HC0", cadjust = FALSE'
        lines.append(f"covariance <- vcovCL(fit, cluster = data${recipe.clusters[0]}, {adjusted})")
    return [*lines, *_chosen(recipe)]


def _logit(recipe: Recipe) -> list[str]:
    lines = [
        f"fit <- glm({_formula(recipe.outcome, _terms(recipe))}, binomial, data,",
        "  control = glm.control(epsilon = 1e-14, maxit = 100))",
        "fit <- update(fit, start = coef(fit))  # glm keeps the weights of the step before: one step more",
        f'covariance <- vcovCL(fit, cluster = data${recipe.clusters[0]}, type = "HC0")  # times G/(G - 1), as Stata',
    ]
    if recipe.quantity == "odds_ratio":
        return [
            *lines,
            f'estimate <- coef(fit)[["{recipe.treatment}"]]',
            f'variance <- covariance["{recipe.treatment}", "{recipe.treatment}"]',
        ]
    at = "t(colMeans(model.matrix(fit)))" if recipe.at == "means" else "model.matrix(fit)"
    lines += [
        f"without <- treated <- {at}",
        f'without[, "{recipe.treatment}"] <- 0',
        f'treated[, "{recipe.treatment}"] <- 1',
        "p0 <- plogis(drop(without %*% coef(fit)))",
        "p1 <- plogis(drop(treated %*% coef(fit)))",
        "g0 <- colMeans(p0 * (1 - p0) * without)",
        "g1 <- colMeans(p1 * (1 - p1) * treated)",
    ]
    value, gradient = {
        "change": ("mean(p1) - mean(p0)", "g1 - g0"),
        "probability_0": ("mean(p0)", "g0"),
        "probability_1": ("mean(p1)", "g1"),
    }[recipe.quantity]
    return [
        *lines,
        f"estimate <- {value}",
        f"gradient <- {gradient}",
        "variance <- drop(gradient %*% covariance %*% gradient)  # delta method",
    ]


def _two_stage(recipe: Recipe) -> list[str]:
    others = _terms(recipe, without=recipe.treatment)
    return [
        f"first <- lm({_formula(recipe.takeup, _terms(recipe))}, data)",
        "data$predicted <- fitted(first)",
        f"fit <- lm({_formula(recipe.outcome, ['predicted', *others])}, data)",
        "x <- model.matrix(fit)",
        "actual <- x",
        f'actual[, "predicted"] <- data${recipe.takeup}',
        f"residual <- data${recipe.outcome} - drop(actual %*% coef(fit))",
        f"scores <- rowsum(x * residual, data${recipe.clusters[0]})",
        "groups <- nrow(scores)",
        "covariance <- solve(crossprod(x)) %*% crossprod(scores) %*% solve(crossprod(x)) *",
        "  groups / (groups - 1) * (nrow(x) - 1) / (nrow(x) - ncol(x))",
        'estimate <- coef(fit)[["predicted"]]',
        'variance <- covariance["predicted", "predicted"]',
    ]


def _two_step(recipe: Recipe) -> list[str]:
    return [
        f"data$answered <- !is.na(data${recipe.outcome})",
        f"probit <- glm({_formula('answered', _terms(recipe))}, binomial(probit), data,",
        "  control = glm.control(epsilon = 1e-14, maxit = 100))",
        "index <- predict(probit)",
        "data$mills <- exp(dnorm(index, log = TRUE) - pnorm(index, log.p = TRUE))",
        f"fit <- lm({_formula(recipe.outcome, [*_terms(recipe), 'mills'])}, data, subset = answered)",
        f'estimate <- coef(fit)[["{recipe.treatment}"]]',
    ]


def _welch(recipe: Recipe) -> list[str]:
    arm = f"data${recipe.outcome}[data${recipe.treatment} == {{}}]"
    return [
        f"test <- t.test({arm.format(1)}, {arm.format(0)}, conf.level = {recipe.conf_level:g})",
        "estimate <- test$estimate[[1]] - test$estimate[[2]]",
        "std_error <- test$stderr",
        "df <- test$parameter[[1]]",
        "p_value <- test$p.value",
        "conf_low <- test$conf.int[1]",
        "conf_high <- test$conf.int[2]",
    ]


BODIES: Mapping[str, Callable[[Recipe], list[str]]] = {
    "ols": _ols,
    "logit": _logit,
    "two-stage": _two_stage,
    "two-step": _two_step,
    "welch": _welch,
}

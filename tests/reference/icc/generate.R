# Reference values for intracluster correlations. Run in this folder: Rscript generate.R. Writes data.csv and expected.csv.
suppressMessages(library(lme4))
set.seed(20201001)
dye <- VarCorr(lmer(Yield ~ 1 + (1 | Batch), Dyestuff, control = lmerControl(optimizer = "bobyqa")))
stopifnot(abs(as.numeric(dye$Batch) - 1764.05) < .01, abs(attr(dye, "sc")^2 - 2451.25) < .01)

sim <- function(size, icc, arms = FALSE, effect = 0, binary = FALSE, between = TRUE) {
  k <- length(size); team <- rep(1:k, size); z <- as.numeric(arms) * (team %% 2)
  y <- sqrt(icc) * rnorm(k)[team] + sqrt(1 - icc) * rnorm(length(team)) + effect * z
  if (binary) y <- as.numeric(y > 1.2)
  if (!between) y <- y - ave(y, team)
  data.frame(team, treatment = z, y)
}
cases <- list(
  balanced = sim(rep(6, 12), .3), unbalanced = sim(c(2, 3, 9, 15, 4, 7, 1, 12, 5, 6), .2), arms = sim(rep(c(4, 8, 11), 10), .1, TRUE, 2),
  binary = sim(rep(c(5, 9, 14), 12), .15, TRUE, .5, TRUE), negative = sim(rep(8, 10), 0, between = FALSE), singletons = sim(c(1, 1, 1, 4, 6, 8, 3, 2), .4),
  large = sim(rep(c(3, 5, 7, 9, 11), 40), .05, TRUE, .3)
)
rows <- list(); add <- function(case, quantity, value) rows[[length(rows) + 1]] <<- data.frame(case, quantity, value)
for (case in names(cases)) {
  d <- cases[[case]]; d$team <- factor(d$team); arms <- length(unique(d$treatment)); N <- nrow(d); k <- nlevels(d$team)
  a <- if (arms > 1) anova(lm(y ~ factor(treatment) + team, d)) else anova(lm(y ~ team, d))
  msb <- a["team", "Mean Sq"]; msw <- a["Residuals", "Mean Sq"]; dfb <- a["team", "Df"]; dfw <- a["Residuals", "Df"]
  sizes <- tapply(d$y, d$team, length); arm <- tapply(d$treatment, d$team, mean)
  n0 <- (N - sum(tapply(sizes, arm, function(s) sum(s^2) / sum(s)))) / (k - arms)
  r <- (msb - msw) / (msb + (n0 - 1) * msw); F <- msb / msw / qf(c(.975, .025), dfb, dfw)
  se <- sqrt(2 * (N - 1) * (1 - r)^2 * (1 + (n0 - 1) * r)^2 / (n0^2 * dfw * dfb))
  add(case, "cluster_size", n0); add(case, "anova", r)
  add(case, "searle_low", (F[1] - 1) / (F[1] + n0 - 1)); add(case, "searle_high", (F[2] - 1) / (F[2] + n0 - 1))
  add(case, "swiger_low", r - qnorm(.975) * se); add(case, "swiger_high", min(1, r + qnorm(.975) * se))
  f <- if (arms > 1) y ~ treatment + (1 | team) else y ~ 1 + (1 | team)
  dev <- lmer(f, d, REML = TRUE, devFunOnly = TRUE)  # restricted deviance as a function of sd ratio, everything else profiled out
  rho <- function(theta) theta^2 / (1 + theta^2)
  best <- optimize(dev, c(0, 5), tol = 1e-12); if (dev(0) <= best$objective) best <- list(minimum = 0, objective = dev(0))
  add(case, "reml", rho(best$minimum)); limit <- best$objective + qchisq(.95, 1); over <- function(t) dev(t) - limit
  add(case, "reml_low", if (over(0) <= 0) 0 else rho(uniroot(over, c(0, best$minimum), tol = 1e-13)$root))
  add(case, "reml_high", rho(uniroot(over, c(best$minimum, 50), tol = 1e-13)$root))
}
data <- do.call(rbind, lapply(names(cases), function(case) cbind(case, cases[[case]]))); data$y <- sprintf("%.17g", data$y)
out <- do.call(rbind, rows); out$value <- sprintf("%.17g", out$value)
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE); write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

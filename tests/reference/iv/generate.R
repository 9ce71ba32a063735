# Reference values for two-stage least squares with clustered errors, weak-instrument statistics and
# Anderson-Rubin sets. Run in this folder: Rscript generate.R. Writes data.csv and expected.csv.
suppressMessages({library(AER); library(sandwich)})
set.seed(20190708)

# The published numbers first: without them nothing is written.
data("CigarettesSW"); cig <- within(CigarettesSW, {
  rprice <- price / cpi; rincome <- income / population / cpi; tdiff <- (taxs - tax) / cpi })
fit <- ivreg(log(packs) ~ log(rprice) + log(rincome) | log(rincome) + tdiff + I(tax / cpi), data = cig, subset = year == "1995")
stopifnot(all(abs(coef(summary(fit))[2:3, 1:2] - c(-1.27742, 0.28040, 0.26320, 0.23857)) < 6e-6))

sim <- function(teams, size, takeup_t, takeup_c = 0, instruments = 1, effect = 2, icc = .3, direct = 0) {
  n <- if (length(size) == 1) rep(size, teams) else rep_len(size, teams)
  team <- rep(1:teams, n); z <- as.numeric(team %% 2 == 0); la <- rep((1:teams) %% 5 %% 2, n)
  x <- rnorm(length(team)); u <- rnorm(teams)[team]; v <- rnorm(length(team))
  p <- ifelse(z == 1, takeup_t + .25 * la * (instruments == 2), takeup_c)
  d <- as.numeric(pnorm(.5 * v + sqrt(.75) * rnorm(length(team))) < p)
  y <- effect * d + direct * z * la + .5 * x + sqrt(icc) * u - v + rnorm(length(team))
  data.frame(team, treatment = z, z2 = z * la, la, x, d, y)
}
cases <- list(
  strong = list(sim(40, 8, .6), 1, TRUE), two_sided = list(sim(60, c(3, 12, 7), .7, .2), 1, TRUE),
  no_covariates = list(sim(30, 10, .5), 1, FALSE), weak = list(sim(24, 6, .06), 1, TRUE),
  useless = list(sim(20, 5, .1, .1), 1, TRUE), few_teams = list(sim(10, 15, .4), 1, TRUE),
  overidentified = list(sim(50, 8, .3, 0, 2), 2, TRUE), overidentified_weak = list(sim(20, 6, .08, .05, 2), 2, TRUE), inconsistent = list(sim(60, 12, .6, 0, 2, direct = 4), 2, TRUE)
)
rows <- list()
add <- function(case, quantity, value) rows[[length(rows) + 1]] <<- data.frame(case, quantity, value)
for (case in names(cases)) {
  dat <- cases[[case]][[1]]; q <- cases[[case]][[2]]; cov <- cases[[case]][[3]]; G <- length(unique(dat$team))
  zs <- if (q == 1) "treatment" else c("treatment", "z2")
  ex <- if (!cov) "1" else if (q == 1) "x" else "x + la"
  fit <- ivreg(as.formula(paste("y ~ d +", ex, "|", paste(zs, collapse = "+"), "+", ex)), data = dat)
  V <- vcovCL(fit, cluster = ~team, type = "HC1")
  add(case, "estimate", coef(fit)["d"]); add(case, "std_error", sqrt(V["d", "d"]))
  rhs <- paste(paste(zs, collapse = "+"), "+", ex)
  first <- lm(as.formula(paste("d ~", rhs)), dat); S <- vcovCL(first, cluster = ~team, type = "HC1")[zs, zs, drop = FALSE]
  p <- coef(first)[zs]
  add(case, "first_stage_f", drop(t(p) %*% solve(S) %*% p) / q)
  Z <- sapply(zs, function(z) resid(lm(as.formula(paste(z, "~", ex)), dat))); Q <- crossprod(Z)
  add(case, "effective_f", drop(t(p) %*% Q %*% p) / sum(diag(S %*% Q)))
  e <- eigen(Q); R <- e$vectors %*% diag(sqrt(e$values), length(zs)) %*% t(e$vectors); W <- R %*% S %*% R; tr <- sum(diag(W))
  K <- tr^2 * 21 / (sum(W^2) + 20 * tr * max(eigen(W)$values))
  add(case, "effective_f_critical", qchisq(.95, K, ncp = 10 * K) / K)
  # Anderson-Rubin by brute force: the clustered F of the instruments in a regression of y - b d, for each b.
  ar <- function(b) {
    dat$w <- dat$y - b * dat$d; m <- lm(as.formula(paste("w ~", rhs)), dat)
    g <- coef(m)[zs]; drop(t(g) %*% solve(vcovCL(m, cluster = ~team, type = "HC1")[zs, zs]) %*% g) / q
  }
  crit <- qf(.95, q, G - 1); excess <- function(angle) ar(tan(angle)) - crit
  add(case, "ar_p_zero", pf(ar(0), q, G - 1, lower.tail = FALSE)); add(case, "ar_p_three", pf(ar(3), q, G - 1, lower.tail = FALSE))
  grid <- seq(-pi / 2 + 1e-4, pi / 2 - 1e-4, length.out = 1501); v <- sapply(grid, excess); turn <- which(diff(v <= 0) != 0)
  ends <- sapply(turn, function(i) tan(uniroot(excess, grid[i + 0:1], tol = 1e-13)$root))
  add(case, "ar_ends", length(ends)); add(case, "ar_open", as.numeric(v[1] <= 0))
  for (i in seq_along(ends)) add(case, paste0("ar_end_", i), ends[i])
}
data <- do.call(rbind, lapply(names(cases), function(case) cbind(case, cases[[case]][[1]])))
for (col in c("x", "y")) data[[col]] <- sprintf("%.17g", data[[col]])
out <- do.call(rbind, rows); out$value <- sprintf("%.17g", out$value)
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE); write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

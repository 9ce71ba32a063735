# Reference values for balance: base R, sandwich, lmtest. Run in this folder: Rscript generate.R.
suppressMessages({library(sandwich); library(lmtest)})
set.seed(20190503)
sim <- function(teams, size, strata = FALSE, shift = 0) {
  n <- rep_len(size, teams); s <- if (strata) rep(1:4, length.out = teams) else rep(1, teams)
  z <- integer(teams); for (b in unique(s)) { i <- which(s == b); z[sample(i, floor(length(i) / 2))] <- 1 }
  team <- rep(1:teams, n); u <- rnorm(teams)[team]
  x1 <- 4 + 2 * u + rnorm(length(team)) + shift * z[team]; x2 <- rbinom(length(team), 1, plogis(u)); x3 <- rexp(length(team))
  role <- sample(c("NQSW", "Social Worker", "Senior"), length(team), TRUE, c(.2, .5, .3))
  data.frame(team, stratum = s[team], treatment = z[team], x1, x2, x3, role)
}
cases <- list(equal = sim(20, 6), unequal = sim(31, c(2, 5, 9, 14)), people = sim(120, 1), imbalanced = sim(24, c(4, 8), shift = 6),
              strata = sim(44, c(3, 6, 10), TRUE))
rows <- list(); add <- function(case, quantity, value) rows[[length(rows) + 1]] <<- data.frame(case, quantity, value = unname(value))
for (case in names(cases)) {
  d <- cases[[case]]; x <- as.matrix(d[, c("x1", "x2", "x3")])
  one <- d$treatment == 1; sd0 <- apply(x[!one, ], 2, sd); sd1 <- apply(x[one, ], 2, sd)
  smd <- (colMeans(x[one, ]) - colMeans(x[!one, ])) / sqrt((sd1^2 + sd0^2) / 2)
  for (v in colnames(x)) { add(case, paste0("smd_", v), smd[v]); add(case, paste0("ratio_", v), (sd1[v] / sd0[v])^2) }
  # Categorical: Mahalanobis distance of the shares, as Yang and Dalton's macro does, leaving another level out than we do.
  p1 <- table(d$role[one]) / sum(one); p0 <- table(d$role[!one]) / sum(!one); keep <- 1:2
  S <- (diag(p1[keep]) - p1[keep] %o% p1[keep] + diag(p0[keep]) - p0[keep] %o% p0[keep]) / 2
  add(case, "smd_role", sqrt(drop(t(p1[keep] - p0[keep]) %*% solve(S) %*% (p1[keep] - p0[keep]))))
  # d-squared. One stratum: (n - 1) R-squared of assignment on cluster totals; with strata written out stratum by stratum.
  xc <- apply(x, 2, function(v) v - ave(v, d$stratum)); t <- rowsum(xc, d$team); first <- !duplicated(d$team)
  z <- d$treatment[first]; s <- d$stratum[first]
  if (length(unique(s)) == 1) add(case, "d2", (length(z) - 1) * summary(lm(z ~ t))$r.squared)
  D <- 0; V <- 0
  for (b in unique(s)) { i <- s == b; n <- sum(i); n1 <- sum(z[i])
    D <- D + colSums(t[i & z == 1, , drop = FALSE]) - n1 * colMeans(t[i, ]); V <- V + n1 * (n - n1) / n * cov(t[i, ]) }
  d2 <- drop(D %*% solve(V) %*% D)
  if (length(unique(s)) == 1) stopifnot(abs(d2 - rows[[length(rows)]]$value) < 1e-9 * d2) else add(case, "d2", d2)
  add(case, "d2_p", pchisq(d2, 3, lower.tail = FALSE))
  fit <- lm(treatment ~ x1 + x2 + x3, d)
  w <- waldtest(fit, vcov = vcovCL(fit, cluster = ~team, type = "HC1")); add(case, "joint_f", w$F[2])
  add(case, "joint_f_p", pf(w$F[2], 3, length(z) - 1, lower.tail = FALSE))
}
data <- do.call(rbind, lapply(names(cases), function(case) cbind(case, cases[[case]])))
for (col in c("x1", "x3")) data[[col]] <- sprintf("%.17g", data[[col]])
out <- do.call(rbind, rows); out$value <- sprintf("%.17g", out$value)
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE); write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

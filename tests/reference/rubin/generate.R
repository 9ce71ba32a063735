# Writes expected.csv: Rubin's rules by mice and joint tests by mitml.
# Run from the project's root: Rscript tests/reference/rubin/generate.R
suppressMessages({library(mice); library(mitml)})
here <- "tests/reference/rubin"

# First reproduce the published-style numbers of the worked example, or refuse to write.
check <- pool.scalar(c(.30, .25, .41, .33, .28), c(.010, .012, .011, .0095, .0105), n = 50, k = 3)
stopifnot(abs(check$df - 18.671145) < 1e-6, abs(check$fmi - .361784) < 1e-6, abs(check$r - .422264) < 1e-6)

set.seed(20240501)
sets <- list(
  worked = list(Q = c(.30, .25, .41, .33, .28), U = c(.010, .012, .011, .0095, .0105)),
  little_missing = list(Q = 2 + rnorm(20, sd = .01), U = runif(20, .03, .05)),
  much_missing = list(Q = -1 + rnorm(5, sd = .4), U = runif(5, .01, .02)),
  two_imputations = list(Q = c(.1, .25), U = c(.02, .03)),
  fifty = list(Q = rnorm(50, .3, .05), U = runif(50, .008, .012)))
dfs <- c(Inf, 200, 47, 12, 3)
rows <- do.call(rbind, lapply(names(sets), function(name) do.call(rbind, lapply(dfs, function(df) {
  s <- sets[[name]]
  p <- if (is.infinite(df)) pool.scalar(s$Q, s$U) else pool.scalar(s$Q, s$U, n = df + 1, k = 1)
  data.frame(case = paste(name, df, sep = ":"), complete_df = df,
             estimates = paste(sprintf("%.17g", s$Q), collapse = " "), variances = paste(sprintf("%.17g", s$U), collapse = " "),
             estimate = p$qbar, within = p$ubar, between = p$b, total = p$t, increase = p$r, df = p$df, fmi = p$fmi)
}))))
num <- sapply(rows, is.numeric)
rows[num] <- lapply(rows[num], function(x) sprintf("%.15g", x))
write.csv(rows, file.path(here, "expected.csv"), row.names = FALSE, quote = FALSE)

# Joint tests: k parameters, m imputations.
joint <- do.call(rbind, lapply(list(c(2, 5), c(3, 20), c(4, 2), c(2, 3), c(1, 5)), function(size) {
  k <- size[1]; m <- size[2]
  Q <- matrix(rnorm(k * m, .3, .1), k, m)
  U <- array(0, c(k, k, m))
  for (i in 1:m) { a <- matrix(rnorm(k * k), k); U[, , i] <- (crossprod(a) + diag(k)) * .02 }
  do.call(rbind, lapply(list(NULL, 60, 250), function(df) {
    if (!is.null(df) && k * (m - 1) <= 4) return(NULL)
    t <- mitml:::.D1(Q, U, df)
    data.frame(case = sprintf("k%d_m%d:%s", k, m, if (is.null(df)) "Inf" else df), k = k, m = m, complete_df = if (is.null(df)) Inf else df,
               estimates = paste(sprintf("%.17g", as.vector(Q)), collapse = " "), covariances = paste(sprintf("%.17g", as.vector(U)), collapse = " "),
               statistic = sprintf("%.15g", as.numeric(t$F)), df_denominator = sprintf("%.15g", t$v), increase = sprintf("%.15g", t$r),
               p_value = sprintf("%.15g", pf(as.numeric(t$F), k, t$v, lower.tail = FALSE)))
  }))
}))
write.csv(joint, file.path(here, "expected_joint.csv"), row.names = FALSE, quote = FALSE)
cat("mice", as.character(packageVersion("mice")), "mitml", as.character(packageVersion("mitml")), R.version.string, "\n")

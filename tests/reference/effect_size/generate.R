# Reference values for standardised effects: base R only. Run in this folder: Rscript generate.R. Writes expected.csv.
# Individual trials: inputs are arm summaries. Cluster trials: inputs are an effect, its standard error and design figures.
J <- function(df) exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
# J is the inverse of the mean of d over delta: check it on the mean of the noncentral t before anything is written.
for (df in c(3, 10, 98)) {
  mean_t <- integrate(function(x) x * dt(x, df, ncp = .5), -Inf, Inf, rel.tol = 1e-10)$value
  stopifnot(abs(J(df) * mean_t - .5) < 1e-7)
}
individual <- data.frame(
  case = c("borenstein", "small", "unequal", "zero", "negative"), m1 = c(103, 5.2, 12, 1, -3), m0 = c(100, 4, 10.5, 1, 2),
  s1 = c(5.5, 1.1, 3, 2, 4), s0 = c(4.5, 1.6, 5, 2.2, 6), n1 = c(50, 4, 200, 30, 25), n0 = c(50, 6, 20, 28, 31)
)
individual <- within(individual, {
  df <- n1 + n0 - 2; sd <- sqrt(((n1 - 1) * s1^2 + (n0 - 1) * s0^2) / df); d <- (m1 - m0) / sd
  j_exact <- J(df); j_approximate <- 1 - 3 / (4 * df - 1); g <- j_exact * d
  variance <- j_exact^2 * ((n1 + n0) / (n1 * n0) + d^2 / (2 * (n1 + n0)))
  g_approximate <- j_approximate * d; variance_approximate <- variance / j_exact^2 * j_approximate^2
  t <- d * sqrt(n1 * n0 / (n1 + n0)); nc_low <- NA; nc_high <- NA
})
for (i in seq_len(nrow(individual))) with(individual[i, ], {
  end <- function(p) uniroot(function(c) pt(t, df, ncp = c) - p, t + c(-12, 12), tol = 1e-12)$root / sqrt(n1 * n0 / (n1 + n0))
  individual[i, c("nc_low", "nc_high")] <<- c(end(.975), end(.025))
})
# Borenstein et al. (2009), pages 26 to 28: without these printed figures nothing is written.
b <- individual[1, ]
stopifnot(abs(c(b$d - .5970, b$j_approximate - .9923, b$g_approximate - .5924, b$variance_approximate - .0411)) < 5e-5)
numbers <- sapply(individual, is.numeric); individual[numbers] <- lapply(individual[numbers], function(v) sprintf("%.17g", v))
write.csv(individual, "individual.csv", row.names = FALSE, quote = FALSE)

# Hedges (2007) on the total variance with equal clusters of size m: estimator and variance written out once more.
clustered <- expand.grid(m = c(4, 8, 15), k = c(10, 40), icc = c(0, .05, .2), effect = c(.8, -2), std_error = .35, s = 2.5)
clustered <- within(clustered, {
  N <- m * k; shrink <- 1 - (2 * (m - 1) * icc) / (N - 2); d <- effect / s * sqrt(shrink)
  h <- ((N - 2) - 2 * (m - 1) * icc)^2 / ((N - 2) * (1 - icc)^2 + m * (N - 2 * m) * icc^2 + 2 * (N - 2 * m) * icc * (1 - icc))
  g <- J(h) * d; se_g <- J(h) * sqrt((std_error / s)^2 * shrink + d^2 / (2 * h))
})
clustered[] <- lapply(clustered, function(v) sprintf("%.17g", v))
write.csv(clustered, "clustered.csv", row.names = FALSE, quote = FALSE)

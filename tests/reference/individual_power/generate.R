# Power of a two-sample t test by base R (stats::power.t.test, both tails); writes expected.csv.
grid <- expand.grid(n = c(3, 10, 64, 500), delta = c(0.1, 0.3, 0.8), alpha = c(0.01, 0.05))
grid$power <- mapply(function(n, d, a) power.t.test(n = n, delta = d, sd = 1, sig.level = a, strict = TRUE)$power,
                     grid$n, grid$delta, grid$alpha)
grid$detectable <- mapply(function(n, a) power.t.test(n = n, power = 0.8, sd = 1, sig.level = a, strict = TRUE, tol = 1e-12)$delta,
                          grid$n, grid$alpha)
write.csv(format(grid, digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)

# Far tails, where R's own pt(ncp = ) stops at ncp 37.62 and its adaptive quadrature has to be told where the step is;
# writes tails.csv. tail() is P(T > t), the normal tail over the density of s = sqrt(chi-squared(df) / df).
tail <- function(t, df, ncp) {
  density <- function(s) exp(log(2) + df / 2 * log(df / 2) - lgamma(df / 2) + (df - 1) * log(s) - df * s^2 / 2)
  f <- function(s) pnorm(ncp - t * s) * density(s)
  cuts <- sort(unique(pmin(pmax(c(0, .5, 1, 2, ncp / t + c(-9, 0, 9) / abs(t), 12), 0), 12)))
  sum(mapply(function(a, b) integrate(f, a, b, rel.tol = 1e-13, subdivisions = 5000)$value, cuts[-length(cuts)], cuts[-1]))
}
stopifnot(abs(tail(1.5, 7, 1) - pt(1.5, 7, ncp = 1, lower.tail = FALSE)) < 1e-12)
power <- function(n1, n0, effect, alpha) {
  df <- n1 + n0 - 2
  ncp <- effect / sqrt(1 / n1 + 1 / n0)
  tc <- qt(alpha / 2, df, lower.tail = FALSE)
  tail(tc, df, ncp) + tail(tc, df, -ncp)
}
tails <- data.frame(
  n1 = c(2, 2, 2, 3, 5, 2, 2), n0 = c(2, 2, 3, 3, 5, 40, 9), effect = c(200, 50, 3, 2, .5, 1, 12),
  alpha = c(1e-6, 1e-3, 1e-3, 1e-4, 1e-10, 1e-5, 1e-7)
)
tails$power <- mapply(power, tails$n1, tails$n0, tails$effect, tails$alpha)
# The noncentral interval of d = effect as well, 95%.
end <- function(n1, n0, d, side) {
  root <- sqrt(n1 * n0 / (n1 + n0)); t <- d * root; df <- n1 + n0 - 2
  f <- function(c) if (side > 0) tail(-t, df, -c) - .025 else tail(t, df, c) - .025
  near <- t + c(-1, 1) * 40 * sqrt(1 + t^2 / (2 * df))
  uniroot(f, near, tol = 1e-12)$root / root
}
tails$low <- mapply(end, tails$n1, tails$n0, pmin(tails$effect, 30), -1)
tails$high <- mapply(end, tails$n1, tails$n0, pmin(tails$effect, 30), 1)
write.csv(format(tails, digits = 15), "tails.csv", row.names = FALSE, quote = FALSE)

# A t test of the means of k clusters an arm, m people each: their variance is (1 + (m - 1) icc) / m; writes by_t.csv.
by_t <- expand.grid(k = c(2, 3, 6, 40), m = c(1, 25), icc = c(0, .05), alpha = c(.05, .01))
by_t$detectable <- mapply(function(k, m, icc, a) {
  power.t.test(n = k, power = 0.8, sd = sqrt((1 + (m - 1) * icc) / m), sig.level = a, strict = TRUE, tol = 1e-12)$delta
}, by_t$k, by_t$m, by_t$icc, by_t$alpha)
write.csv(format(by_t, digits = 15), "by_t.csv", row.names = FALSE, quote = FALSE)

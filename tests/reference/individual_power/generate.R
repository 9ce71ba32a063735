# Power of a two-sample t test by base R (stats::power.t.test, both tails); writes expected.csv.
grid <- expand.grid(n = c(3, 10, 64, 500), delta = c(0.1, 0.3, 0.8), alpha = c(0.01, 0.05))
grid$power <- mapply(function(n, d, a) power.t.test(n = n, delta = d, sd = 1, sig.level = a, strict = TRUE)$power,
                     grid$n, grid$delta, grid$alpha)
grid$detectable <- mapply(function(n, a) power.t.test(n = n, power = 0.8, sd = 1, sig.level = a, strict = TRUE, tol = 1e-12)$delta,
                          grid$n, grid$alpha)
write.csv(format(grid, digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)

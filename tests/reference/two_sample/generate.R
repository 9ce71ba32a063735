# Welch's test and the p-values that rounding allows: base R t.test and brute force. Run in this folder: Rscript generate.R.
set.seed(20220117)
cases <- list(
  equal = list(rnorm(40, 5, 2), rnorm(44, 4.4, 2)), unequal_variance = list(rnorm(15, 0, 1), rnorm(60, .5, 6)),
  tiny = list(c(1.5, 2, 4), c(3.5, 6, 5.5, 7)), skewed = list(rexp(100, .3), rexp(120, .25)), same_means = list(c(1, 2, 3, 4), c(0, 2.5, 5))
)
rows <- list()
for (case in names(cases)) {
  a <- cases[[case]][[1]]; b <- cases[[case]][[2]]; w <- t.test(a, b); s <- t.test(a, b, var.equal = TRUE)
  se <- function(v) sd(v) / sqrt(length(v)); r <- function(v) round(v, 2)
  # Rounded to two places, what p could be: every combination of nine values across each rounding interval.
  g <- expand.grid(m1 = r(mean(a)) + (-4:4) / 800, m2 = r(mean(b)) + (-4:4) / 800, s1 = r(se(a)) + (-4:4) / 800, s2 = r(se(b)) + (-4:4) / 800)
  v1 <- g$s1^2; v2 <- g$s2^2; df <- (v1 + v2)^2 / (v1^2 / (length(a) - 1) + v2^2 / (length(b) - 1))
  p <- 2 * pt(-abs(g$m1 - g$m2) / sqrt(v1 + v2), df)
  rows[[case]] <- data.frame(case, estimate = -diff(w$estimate), std_error = w$stderr, df = w$parameter, p_value = w$p.value, conf_low = w$conf.int[1],
    conf_high = w$conf.int[2], student_df = s$parameter, student_p = s$p.value, p_low = min(p), p_high = max(p),
    m1 = r(mean(a)), se1 = r(se(a)), n1 = length(a), m2 = r(mean(b)), se2 = r(se(b)), n2 = length(b))
}
out <- do.call(rbind, rows); n <- sapply(out, is.numeric); out[n] <- lapply(out[n], function(v) sprintf("%.17g", v))
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)
data <- do.call(rbind, lapply(names(cases), function(case) data.frame(case, treatment = rep(1:0, lengths(cases[[case]])), y = sprintf("%.17g", unlist(cases[[case]])))))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)

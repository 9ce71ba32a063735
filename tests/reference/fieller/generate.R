# Fieller's set by inverting the test on a fine grid of arctan(ratio), refined by uniroot. Base R. Run in this folder.
cases <- data.frame(
  case = c("bounded", "complement", "whole_line", "covariance", "negative_ratio", "t_df", "exact_denominator", "nearly_unbounded", "ninety"),
  n = c(10, 10, 1, 3, -4, 8, 6, 9, 5), d = c(5, 1.5, 1.5, 2, 1, 4, 2, 2.1, 3), vn = c(4, 4, 4, 1, .25, 2, 1, 1, 2), vd = c(1, 1, 1, .2, .04, .5, 0, 1.1, .3),
  cov = c(0, 0, 0, .3, -.05, .4, 0, .2, -.3), df = c(Inf, Inf, Inf, Inf, Inf, 9, 20, Inf, 30), level = c(rep(.95, 8), .9)
)
ends <- function(n, d, vn, vd, cov, df, level) {
  c <- qt(.5 + level / 2, df); f <- function(a) { r <- tan(a); ((n - r * d)^2 - c^2 * (vn - 2 * r * cov + r^2 * vd)) * cos(a)^2 }
  g <- seq(-pi / 2, pi / 2, length.out = 20001); v <- f(g); i <- which(diff(v <= 0) != 0)
  e <- sapply(i, function(i) tan(uniroot(f, g[i + 0:1], tol = 1e-15)$root)); list(e = e, open = v[1] <= 0)
}
out <- do.call(rbind, lapply(seq_len(nrow(cases)), function(i) {
  r <- with(cases[i, ], ends(n, d, vn, vd, cov, df, level)); e <- c(unlist(r$e), NA, NA)[1:2]
  data.frame(cases[i, ], end_1 = sprintf("%.15g", e[1]), end_2 = sprintf("%.15g", e[2]), open = as.numeric(r$open))
}))
stopifnot(abs(as.numeric(out$end_1[1]) - 1.104423) < 1e-6, abs(as.numeric(out$end_2[1]) - 3.621801) < 1e-6)
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

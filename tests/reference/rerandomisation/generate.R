# Morgan and Rubin's threshold and variance factor; the factor by their formula with incomplete gamma
# functions. Run in this folder: Rscript generate.R
v <- function(k, a) { lower <- function(s, x) pgamma(x, s) * gamma(s); 2 / k * lower(k / 2 + 1, a / 2) / lower(k / 2, a / 2) }
rows <- do.call(rbind, lapply(list(c(3, .01), c(10, .1), c(1, .5), c(2, .9025), c(20, .001), c(5, 1)), function(x) {
  a <- qchisq(x[2], x[1]); data.frame(covariates = x[1], acceptance = x[2], threshold = a, variance_factor = if (is.finite(a)) v(x[1], a) else 1) }))
stopifnot(abs(rows$threshold[1] - .11483) < 5e-6, abs(rows$variance_factor[1] - .02282) < 5e-6,
  abs(rows$threshold[2] - 4.86518) < 5e-6, abs(rows$variance_factor[2] - .37669) < 5e-6)
write.csv(format(rows, digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "\n")

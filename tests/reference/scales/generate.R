# Reference values for Cronbach's alpha, McDonald's omega and Spearman-Brown: base R only.
# Run in this folder: Rscript generate.R. Writes data.csv (case, person, item, value) and expected.csv.
set.seed(20191028)

items <- function(n, loadings, noise = 1, cut = NULL) {
  f <- rnorm(n)
  x <- sapply(loadings, function(w) w * f + noise * rnorm(n))
  if (!is.null(cut)) x <- matrix(pmin(cut, pmax(1, round((cut + 1) / 2 + x))), n)
  x
}
cases <- list(
  five_normal = items(300, c(.5, .8, 1, 1.2, .7)),
  ten_likert = items(420, c(.4, .6, .8, .9, 1, 1.1, .7, .5, .9, 1.2), cut = 7),
  three_small = items(24, c(1, 1.4, .9)),
  weak = items(150, c(.3, .35, .4, .3)),
  unequal_scales = items(200, c(1, 1, 1, 1)) %*% diag(c(1, 10, .1, 3)),
  two_items = items(180, c(1, 1), cut = 7),
  two_small = items(12, c(.8, 1.2)),
  one_reversed = items(150, c(1, 1, -1))
)

alpha <- function(m) { k <- ncol(m); k / (k - 1) * (1 - sum(diag(m)) / sum(m)) }
feldt <- function(a, n, k, p) 1 - (1 - a) * qf(p, n - 1, (n - 1) * (k - 1))
omega <- function(load, psi) sum(load)^2 / (sum(load)^2 + sum(psi))
minres <- function(r) {  # an optimiser of its own: Gauss-Seidel, each loading in turn (Harman and Jones)
  a <- sqrt(rowMeans(abs(r)))
  for (step in 1:20000) {
    old <- a
    for (j in seq_along(a)) a[j] <- sum(a[-j] * r[j, -j]) / sum(a[-j]^2)
    if (max(abs(a - old)) < 1e-14) break
  }
  a
}

rows <- list()
add <- function(case, quantity, value) rows[[length(rows) + 1]] <<- data.frame(case, quantity, value)
for (case in names(cases)) {
  x <- cases[[case]]; n <- nrow(x); k <- ncol(x); s <- apply(x, 2, sd); r <- cor(x)
  a <- alpha(cov(x))
  # Second opinion before anything is written: alpha from the two-way analysis of variance (Hoyt).
  long <- data.frame(y = c(x), person = factor(rep(1:n, k)), item = factor(rep(1:k, each = n)))
  ms <- anova(lm(y ~ person + item, long))[["Mean Sq"]]
  stopifnot(abs(a - (1 - ms[3] / ms[1])) < 1e-10)
  add(case, "alpha", a); add(case, "alpha_standardised", alpha(r))
  add(case, "alpha_low", feldt(a, n, k, .975)); add(case, "alpha_high", feldt(a, n, k, .025))
  if (k == 2) {
    z <- atanh(r[1, 2]) + c(-1, 1) * qnorm(.975) / sqrt(n - 3); sb <- function(q) 2 * q / (1 + q)
    ct <- cor.test(x[, 1], x[, 2])$conf.int
    stopifnot(max(abs(tanh(z) - ct)) < 1e-12)
    add(case, "spearman_brown", sb(r[1, 2])); add(case, "spearman_brown_low", sb(ct[1])); add(case, "spearman_brown_high", sb(ct[2]))
  } else if (case != "one_reversed") {
    fit <- function(factr) factanal(x, 1, control = list(opt = list(factr = factr), nstart = 5))
    f <- NULL; for (factr in c(1, 1e2, 1e4)) if (is.null(f)) f <- tryCatch(fit(factr), error = function(e) NULL)
    l <- f$loadings[, 1]; psi <- f$uniquenesses
    add(case, "omega_ml", omega(s * l, s^2 * psi)); add(case, "omega_ml_standardised", omega(l, psi))
    m <- minres(r)
    add(case, "omega_minres", omega(s * m, s^2 * (1 - m^2))); add(case, "omega_minres_standardised", omega(m, 1 - m^2))
  }
}
data <- do.call(rbind, lapply(names(cases), function(case) {
  x <- cases[[case]]
  data.frame(case, person = rep(1:nrow(x), ncol(x)), item = rep(1:ncol(x), each = nrow(x)), value = c(x))
}))
out <- do.call(rbind, rows)
data$value <- sprintf("%.17g", data$value); out$value <- sprintf("%.17g", out$value)
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

# Reference numbers for Firth's logit in base R, by another route than the package: weighted glm on
# outcomes moved towards one half, and a general-purpose optimiser for the profiles.
# Run from this folder: Rscript generate.R   Writes data.csv and expected.csv; see SOURCE.md.
RNGversion("4.0.0"); set.seed(20190614)

make <- function(case, n, slope, base, separated = FALSE) {
  treatment <- rep(0:1, length.out = n); x <- round(rnorm(n), 3); flag <- rbinom(n, 1, 0.15)
  y <- rbinom(n, 1, plogis(base + slope * treatment + 0.7 * x))
  if (separated) y[flag == 1] <- 1
  data.frame(case, treatment, x, flag, y)
}
data <- rbind(
  make("ordinary", 80, 0.5, 0), make("rare", 120, 0.8, -3), make("quasi_separated", 70, -0.6, -0.5, TRUE),
  within(make("treatment_separates", 50, 0, 0), y <- ifelse(treatment == 1, 1, y)),
  within(make("completely_separated", 40, 0, 0), y <- as.integer(x > 0)))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)

penalised <- function(b, X, y) {
  eta <- drop(X %*% b); w <- plogis(eta) * plogis(-eta)
  sum(y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE)) + as.numeric(determinant(crossprod(X * sqrt(w)))$modulus) / 2
}
firth <- function(X, y) {
  b <- rep(0, ncol(X)); h <- rep(ncol(X) / nrow(X), nrow(X))
  for (i in 1:5000) {
    fit <- suppressWarnings(glm.fit(X, (y + h / 2) / (1 + h), weights = 1 + h, family = binomial(),
      start = b, control = list(epsilon = 1e-15, maxit = 100)))
    change <- max(abs(coef(fit) - b)); b <- coef(fit)
    w <- fitted(fit) * (1 - fitted(fit)); Q <- qr.Q(qr(X * sqrt(w))); h <- rowSums(Q^2)
    if (change < 1e-13) break
  }
  best <- optim(b, penalised, X = X, y = y, control = list(fnscale = -1, reltol = 1e-15, maxit = 1e5))
  if (best$value > penalised(b, X, y) + 1e-7) stop("glm did not reach the maximum")
  list(b = b, covariance = solve(crossprod(X * sqrt(w))), top = penalised(b, X, y))
}
held <- function(X, y, j, value, start) {
  f <- function(free) penalised(append(free, value, j - 1), X, y)
  o <- list(par = start[-j], value = -Inf)
  repeat {                                       # restarted on fresh scales until nothing is gained
    last <- o$value
    o <- optim(o$par, f, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 1e4, parscale = abs(o$par) + 0.1, ndeps = rep(1e-5, length(o$par))))
    o <- optim(o$par, f, method = "Nelder-Mead", control = list(fnscale = -1, reltol = 1e-16, maxit = 1e4))
    if (o$value - last < 1e-11) return(o$value)
  }
}

rows <- list()
for (case in unique(data$case)) {
  d <- data[data$case == case, ]; y <- d$y; X <- cbind(1, d$treatment, d$x, d$flag)
  fit <- firth(X, y)
  # The profile of `flag` in the last case has several local maxima: no interval to hold anyone to.
  for (j in if (case == "completely_separated") 2:3 else 2:4) {
    fall <- function(v) 2 * (fit$top - held(X, y, j, v, fit$b))
    limit <- qchisq(0.95, 1); se <- sqrt(fit$covariance[j, j])
    end <- function(side) { far <- fit$b[j] + side * 2 * se; while (fall(far) < limit) far <- far + side * se
      uniroot(function(v) fall(v) - limit, sort(c(fit$b[j], far)), tol = 1e-10)$root }
    rows[[length(rows) + 1]] <- data.frame(case, term = c("treatment", "x", "flag")[j - 1],
      estimate = sprintf("%.12g", fit$b[j]), std_error = sprintf("%.12g", se),
      conf_low = sprintf("%.9g", end(-1)), conf_high = sprintf("%.9g", end(1)),
      p_value = sprintf("%.9g", pchisq(fall(0), 1, lower.tail = FALSE)), log_likelihood = sprintf("%.12g", fit$top))
  }
}
write.csv(do.call(rbind, rows), "expected.csv", row.names = FALSE, quote = FALSE)

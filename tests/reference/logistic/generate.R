# Reference numbers for the logit: coefficients, clustered covariance, effects on probabilities.
# Run from this folder: Rscript generate.R   Writes data.csv and expected.csv; see SOURCE.md.
suppressMessages({library(sandwich); library(numDeriv)})
RNGversion("4.0.0"); set.seed(20190613)

make <- function(case, sizes, base, effect, within = FALSE) {
  G <- length(sizes); team <- rep(seq_len(G), sizes); n <- length(team)
  arm <- sample(rep(0:1, length.out = G))
  treatment <- if (within) sample(rep(0:1, length.out = n)) else arm[team]
  role <- sample(c("manager", "senior", "worker"), n, TRUE, c(0.2, 0.3, 0.5))
  service <- round(rexp(n, 0.15), 3)
  linear <- base + effect * treatment - 0.06 * service + 0.5 * (role == "manager") + 0.6 * rnorm(G)[team]
  data.frame(case, team, treatment, role, service, y = rbinom(n, 1, plogis(linear)))
}
data <- rbind(
  make("turnover", sample(3:12, 60, TRUE), -1, -0.4),
  make("rare", sample(2:10, 80, TRUE), -2.8, 0.5),
  make("few_teams", sample(10:40, 10, TRUE), 0.3, 0.8),
  make("within", sample(1:8, 50, TRUE), 0, 0.6, within = TRUE),
  make("singletons", rep(1, 150), -0.5, 0.3),
  make("strong", sample(3:9, 40, TRUE), -3, 4))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)

rows <- list()
for (case in unique(data$case)) {
  d <- data[data$case == case, ]
  fit <- glm(y ~ treatment + role + service, binomial, d, control = list(epsilon = 1e-14, maxit = 100))
  G <- length(unique(d$team))
  covariances <- list(model = vcov(fit), clustered = vcovCL(fit, cluster = d$team, type = "HC0", cadjust = TRUE))
  X <- model.matrix(fit)
  # The definition of the factor, checked before it is used: G/(G-1) and nothing else.
  S <- rowsum((d$y - fitted(fit)) * X, d$team)
  plain <- G / (G - 1) * vcov(fit) %*% crossprod(S) %*% vcov(fit)
  stopifnot(max(abs(plain / covariances$clustered - 1)) < 1e-6)
  p <- function(b, x, t) { x[, "treatment"] <- t; mean(plogis(x %*% b)) }
  centre <- t(colMeans(X))
  quantities <- list(
    log_odds = function(b) b[["treatment"]],
    service = function(b) b[["service"]],
    at_means = function(b) p(b, centre, 1) - p(b, centre, 0),
    at_means_untreated = function(b) p(b, centre, 0),
    at_means_treated = function(b) p(b, centre, 1),
    average = function(b) p(b, X, 1) - p(b, X, 0),
    average_untreated = function(b) p(b, X, 0),
    average_treated = function(b) p(b, X, 1))
  for (kind in names(covariances)) for (quantity in names(quantities)) {
    f <- quantities[[quantity]]
    gradient <- grad(f, coef(fit))          # numerical, so it shares no algebra with the package
    rows[[length(rows) + 1]] <- data.frame(case, kind, quantity, estimate = sprintf("%.12g", f(coef(fit))),
      std_error = sprintf("%.12g", sqrt(drop(gradient %*% covariances[[kind]] %*% gradient))))
  }
}
write.csv(do.call(rbind, rows), "expected.csv", row.names = FALSE, quote = FALSE)

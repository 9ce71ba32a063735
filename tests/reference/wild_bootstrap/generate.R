# Wild cluster bootstrap with the null imposed, by refitting every draw. Base R; sandwich only to check
# the CR1 formula. Shares nothing with the package. Run in this folder: Rscript generate.R
library(sandwich)

cr1_t <- function(y, X, cluster, j) {
  A <- solve(crossprod(X)); b <- A %*% crossprod(X, y); e <- as.vector(y - X %*% b)
  S <- rowsum(X * e, cluster); G <- nrow(S); n <- nrow(X); k <- ncol(X)
  V <- G / (G - 1) * (n - 1) / (n - k) * A %*% crossprod(S) %*% A
  list(b = b[j], se = sqrt(V[j, j]), t = b[j] / sqrt(V[j, j]))
}

# Refuses to write unless the known numbers come out: Grunfeld without American Steel, clustered by firm.
if (requireNamespace("AER", quietly = TRUE)) {
  data("Grunfeld", package = "AER", envir = environment())
  g <- subset(Grunfeld, firm != "American Steel")
  X <- cbind(1, g$value, g$capital); own <- cr1_t(g$invest, X, as.character(g$firm), 2)
  fit <- lm(invest ~ value + capital, g)
  their <- sqrt(vcovCL(fit, cluster = as.character(g$firm), type = "HC1")["value", "value"])
  stopifnot(abs(own$t - 7.270650) < 5e-7, abs(own$se - their) < 1e-12)
}

bootstrap <- function(y, X, cluster, j, effect0, V) {
  Z <- X[, -j, drop = FALSE]; shifted <- y - effect0 * X[, j]
  g0 <- solve(crossprod(Z), crossprod(Z, shifted)); u <- as.vector(shifted - Z %*% g0); mean0 <- as.vector(Z %*% g0)
  id <- match(cluster, sort(unique(cluster)))
  apply(V, 1, function(v) cr1_t(mean0 + u * v[id], X, cluster, j)$t)
}

set.seed(20190708)
make <- function(case, sizes, treated, clustered_covariate, round_outcome = FALSE, individual = FALSE) {
  G <- length(sizes); cluster <- rep(seq_len(G), sizes); n <- sum(sizes)
  d <- if (individual) rbinom(n, 1, .5) else as.numeric(cluster %in% treated)
  x1 <- rnorm(n); x2 <- if (clustered_covariate) rnorm(G)[cluster] else rnorm(n)
  y <- 1 + .7 * d + .5 * x1 - .3 * x2 + rnorm(G)[cluster] + rnorm(n)
  if (round_outcome) y <- round(y)
  data.frame(case, cluster, y, d, x1, x2)
}
cases <- list(
  make("unequal_teams", c(1, 2, 3, 5, 8, 13, 4, 4), c(1, 3, 5, 8), TRUE),
  make("two_treated", c(6, 6, 6, 6, 6, 6, 6), c(2, 5), FALSE),
  make("count_outcome", c(4, 5, 6, 7, 8, 9), c(1, 2, 6), FALSE, round_outcome = TRUE),
  make("treatment_within_teams", c(7, 9, 5, 6, 8, 10, 3, 4, 6), NULL, TRUE, individual = TRUE),
  make("three_teams", c(9, 10, 11, 12), c(1, 3), FALSE))
data <- do.call(rbind, cases)
write.csv(format(data, digits = 17), "data.csv", row.names = FALSE, quote = FALSE)
data <- read.csv("data.csv")

rows <- list(); drawn <- list()
webb <- c(-sqrt(1.5), -1, -sqrt(.5), sqrt(.5), 1, sqrt(1.5))
for (name in unique(data$case)) {
  s <- data[data$case == name, ]; X <- cbind(1, s$d, s$x1, s$x2); G <- length(unique(s$cluster))
  observed <- cr1_t(s$y, X, s$cluster, 2)
  V <- as.matrix(expand.grid(rep(list(c(-1, 1)), G)))
  for (effect0 in c(0, .25, .7, 2, observed$b + .5 * observed$se, observed$b - 1.5 * observed$se)) {
    t0 <- (observed$b - effect0) / observed$se; ts <- bootstrap(s$y, X, s$cluster, 2, effect0, V)
    close <- abs(abs(ts) - abs(t0)) <= 1e-9 * abs(t0)
    rows[[length(rows) + 1]] <- data.frame(case = name, clusters = G, effect0, estimate = observed$b,
      std_error = observed$se, statistic = t0, p_weak = mean(abs(ts) > abs(t0) | close),
      p_strict = mean(abs(ts) > abs(t0) & !close), ties = sum(close))
  }
  W <- matrix(sample(webb, 5 * G, TRUE), 5)
  for (effect0 in c(0, .7)) drawn[[length(drawn) + 1]] <- data.frame(case = name, effect0, draw = 1:5,
    weights = apply(W, 1, function(w) paste(match(w, webb) - 1, collapse = " ")),
    statistic = bootstrap(s$y, X, s$cluster, 2, effect0, W))
}
write.csv(format(do.call(rbind, rows), digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)
write.csv(format(do.call(rbind, drawn), digits = 15), "webb_draws.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "sandwich", as.character(packageVersion("sandwich")), "\n")

# Holm by p.adjust; Westfall and Young's step-down maxT and minP by their definition, one outcome and one
# subset at a time (no running maxima). Run in this folder: Rscript generate.R
set.seed(42)
holm_cases <- list(published = c(.001, .008, .039, .041, .042, .06, .074, .205, .212, .216, .222, .251, .269, .275, .34, .341, .384, .569, .594, .696, .762, .94, .942, .975, .986)[1:15],
  ties = c(.02, .02, .02, .5), single = .03, all_large = c(.6, .9, .7), unsorted = c(.04, .001, .3, .012, .012), zero_one = c(0, 1, .05))
holm <- do.call(rbind, lapply(names(holm_cases), function(n) data.frame(case = n, position = seq_along(holm_cases[[n]]),
  p_value = holm_cases[[n]], adjusted = p.adjust(holm_cases[[n]], "holm"))))
write.csv(format(holm, digits = 15), "holm_expected.csv", row.names = FALSE, quote = FALSE)

B <- 60; m <- 4
correlated <- function(rho) { z <- rnorm(B); sqrt(rho) * z + sqrt(1 - rho) * matrix(rnorm(B * m), B) }
sets <- list(independent = list(c(2.4, .3, -1.9, 1.2), correlated(0)), correlated = list(c(-1.4, 2.6, 1.9, .2), correlated(.8)),
  tied = list(c(1, 2, -2, 0), round(correlated(.5))), unlike_scales = list(c(2.2, 9, -1.8, .4), correlated(.3) %*% diag(c(1, 4, 1, .2))))
maxt <- function(t, T) {
  t <- abs(t); T <- abs(T); o <- order(-t); p <- sapply(seq_along(o), function(i) {
    rest <- o[i:length(o)]; (1 + sum(apply(T[, rest, drop = FALSE], 1, max) >= t[o[i]] - 1e-9)) / (1 + nrow(T)) })
  out <- numeric(length(t)); out[o] <- cummax(p); out }
minp <- function(t, T) {  # p within the observed and drawn statistics together
  every <- rbind(abs(t), abs(T)); P <- apply(every, 2, function(v) sapply(v, function(x) mean(v >= x - 1e-9)))
  p0 <- P[1, ]; Pd <- P[-1, ]; o <- order(p0); p <- sapply(seq_along(o), function(i) {
    rest <- o[i:length(o)]; (1 + sum(apply(Pd[, rest, drop = FALSE], 1, min) <= p0[o[i]] + 1e-9)) / (1 + nrow(T)) })
  out <- numeric(length(t)); out[o] <- cummax(p); out }
draws <- do.call(rbind, lapply(names(sets), function(n) data.frame(case = n, draw = 0:B, rbind(sets[[n]][[1]], sets[[n]][[2]]))))
write.csv(format(draws, digits = 17), "draws.csv", row.names = FALSE, quote = FALSE)
draws <- read.csv("draws.csv")
wy <- do.call(rbind, lapply(names(sets), function(n) { s <- as.matrix(draws[draws$case == n, -(1:2)])
  data.frame(case = n, position = 1:m, max_t = maxt(s[1, ], s[-1, ]), min_p = minp(s[1, ], s[-1, ])) }))
write.csv(format(wy, digits = 15), "westfall_young_expected.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "\n")

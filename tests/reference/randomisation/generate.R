# Randomisation inference by full enumeration, refitting every allocation with lm; balance tests with
# chisq.test and t.test. Base R; CR1 from sandwich. Run in this folder: Rscript generate.R
library(sandwich)

# Refuses to write unless the village-heads example comes out (Gerber and Green 2012, table 2.1 and 3.2).
d <- c(1, 0, 0, 0, 0, 0, 1); y <- c(15, 15, 20, 20, 10, 15, 30)
effects <- apply(combn(7, 2), 2, function(c) mean(y[c]) - mean(y[-c]))
stopifnot(length(effects) == 21, mean(y[d == 1]) - mean(y[d == 0]) == 6.5,
  sum(effects >= 6.5 - 1e-9) == 5, sum(abs(effects) >= 6.5 - 1e-9) == 8)

set.seed(20191028)
allocations <- function(strata) {  # every way to treat half of each stratum, either way for an odd one
  parts <- lapply(split(seq_along(strata), strata), function(i) {
    sizes <- unique(c(floor(length(i) / 2), ceiling(length(i) / 2)))
    do.call(c, lapply(sizes, function(s) if (s == 0) list(integer()) else
      lapply(combn(length(i), s, simplify = FALSE), function(c) i[c])))
  })
  grid <- expand.grid(lapply(parts, seq_along))
  t(apply(grid, 1, function(g) { d <- numeric(length(strata)); for (p in seq_along(parts)) d[parts[[p]][[g[p]]]] <- 1; d }))
}
make <- function(case, strata, sizes, effect, rounded = FALSE) {
  G <- length(strata); cluster <- rep(seq_len(G), sizes); n <- sum(sizes)
  A <- allocations(strata); d <- A[sample(nrow(A), 1), ]
  x <- rnorm(n) + rnorm(G)[cluster]; y <- 2 + effect * d[cluster] + .5 * x + .4 * strata[cluster] + rnorm(G)[cluster] + rnorm(n)
  if (rounded) y <- round(y)
  data.frame(case, cluster, stratum = strata[cluster], treatment = d[cluster], x, y)
}
cases <- list(
  make("even_strata", c(1, 1, 1, 1, 2, 2, 2, 2), c(3, 4, 5, 6, 7, 5, 4, 8), .8),
  make("odd_strata", c(1, 1, 1, 2, 2, 2, 2, 2), c(2, 9, 4, 5, 1, 6, 7, 3), 0),
  make("pairs", c(1, 1, 2, 2, 3, 3, 4, 4, 5, 5), rep(c(3, 6), 5), 1.5),
  make("count_outcome", c(1, 1, 1, 1, 2, 2, 2, 2), rep(4, 8), .5, rounded = TRUE))
data <- do.call(rbind, cases)
write.csv(format(data, digits = 17), "data.csv", row.names = FALSE, quote = FALSE)
data <- read.csv("data.csv")

rows <- list()
for (name in unique(data$case)) {
  s <- data[data$case == name, ]; strata <- s$stratum[!duplicated(s$cluster)]; A <- allocations(strata)
  fit_one <- function(shifted, d, dummies) {  # `shifted`, not `y`: lm looks in the data before it looks here
    m <- if (dummies) lm(shifted ~ d + x + factor(stratum), cbind(s, shifted, d)) else lm(shifted ~ d + x, cbind(s, shifted, d))
    b <- coef(m)["d"]; c(b, b / sqrt(vcovCL(m, cluster = s$cluster, type = "HC1")["d", "d"]))
  }
  for (dummies in c(FALSE, TRUE)) for (effect0 in c(0, .6)) {
    y <- s$y - effect0 * s$treatment
    observed <- fit_one(y, s$treatment, dummies)
    all <- apply(A, 1, function(a) fit_one(y, a[s$cluster], dummies))
    for (k in 1:2) for (side in c("two-sided", "greater", "less")) {
      v <- switch(side, "two-sided" = abs(all[k, ]), greater = all[k, ], less = -all[k, ])
      o <- switch(side, "two-sided" = abs(observed[k]), greater = observed[k], less = -observed[k])
      close <- abs(v - o) <= 1e-9 * abs(o)
      rows[[length(rows) + 1]] <- data.frame(case = name, dummies, effect0, statistic = c("difference", "t")[k],
        alternative = side, allocations = nrow(A), observed = observed[k], p_weak = mean(v > o | close), p_strict = mean(v > o & !close))
    }
  }
}
write.csv(format(do.call(rbind, rows), digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)

# Balance tests of one allocation of 40 teams, with missing values, as the acceptance rule uses them.
n <- 300; team <- sort(sample(40, n, TRUE)); team[1:40] <- 1:40; team <- sort(team)
people <- data.frame(staff_id = sprintf("s%03d", 1:n), team_id = sprintf("t%02d", team), local_authority = paste0("LA", team %% 3),
  role = sample(c("Social Worker", "NQSW", "Senior Practitioner", "Other"), n, TRUE, c(.6, .2, .15, .05)),
  service_years = round(rgamma(n, 2, .4), 3), treatment = rbinom(40, 1, .5)[team])
people$service_years[sample(n, 12)] <- NA; people$role[sample(n, 7)] <- NA
write.csv(people, "balance_people.csv", row.names = FALSE, quote = FALSE, na = "")
balance <- data.frame(test = c("role", "service_years"), p_value = c(
  suppressWarnings(chisq.test(people$role, people$treatment, correct = FALSE)$p.value),
  t.test(service_years ~ treatment, people, var.equal = TRUE)$p.value))
write.csv(format(balance, digits = 15), "balance_expected.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "sandwich", as.character(packageVersion("sandwich")), "\n")

# Writes data.csv and expected.csv: Lee's bounds by plain sorting, and his analytic standard errors.
# Run from the project's root: Rscript tests/reference/bounds/generate.R   (base R only)
here <- "tests/reference/bounds"
set.seed(20240503)
lee <- function(y1, n1, y0, n0) {            # arm 1 answers more; p n an integer, no ties
  q1 <- length(y1) / n1; q0 <- length(y0) / n0
  p <- 1 - q0 / q1
  k <- round(p * length(y1)); stopifnot(abs(k - p * length(y1)) < 1e-9)
  s <- sort(y1); kept_low <- head(s, length(s) - k); kept_high <- tail(s, length(s) - k)
  # Proposition 3: variance of sqrt(n) times each trimmed mean, trimming share estimated too.
  n <- n1 + n0; ESD <- length(y1) / n; ED <- n1 / n
  Vp <- (1 - p)^2 * ((1 - q0 / (1 - p)) / (ED * q0 / (1 - p)) + (1 - q0) / ((1 - ED) * q0))
  v <- function(kept, edge) mean((kept - mean(kept))^2) / (ESD * (1 - p)) + (edge - mean(kept))^2 * p / (ESD * (1 - p)) + ((edge - mean(kept)) / (1 - p))^2 * Vp
  VC <- mean((y0 - mean(y0))^2) / (length(y0) / n)
  c(lower = mean(kept_low) - mean(y0), upper = mean(kept_high) - mean(y0), share = p,
    lower_se = sqrt((v(kept_low, max(kept_low)) + VC) / n), upper_se = sqrt((v(kept_high, min(kept_high)) + VC) / n))
}
rows <- list(); out <- list()
for (case in c("normal", "skewed", "treated_answer_less")) {
  y1 <- switch(case, normal = rnorm(900, .3), skewed = rexp(900)^1.3, treated_answer_less = rnorm(900, -.2, 2))
  y0 <- rnorm(600)
  r <- lee(y1, 1200, y0, 1000)               # 75% against 60%: a fifth is trimmed
  if (case == "treated_answer_less") { r[c("lower", "upper")] <- -r[c("upper", "lower")]; r[c("lower_se", "upper_se")] <- r[c("upper_se", "lower_se")] }
  more <- as.numeric(case != "treated_answer_less")
  out[[case]] <- data.frame(case = case, t(sprintf("%.15g", r)))
  rows[[case]] <- data.frame(case = case, treatment = c(rep(more, 1200), rep(1 - more, 1000)),
                             outcome = c(sprintf("%.10g", y1), rep("", 300), sprintf("%.10g", y0), rep("", 400)))
}
expected <- do.call(rbind, out); names(expected) <- c("case", "lower", "upper", "trimmed_share", "lower_std_error", "upper_std_error")
write.csv(do.call(rbind, rows), file.path(here, "data.csv"), row.names = FALSE, quote = FALSE)
write.csv(expected, file.path(here, "expected.csv"), row.names = FALSE, quote = FALSE)

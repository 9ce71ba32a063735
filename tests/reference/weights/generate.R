# Writes data.csv and expected.csv: inverse-probability weights by glm and weighted least squares with clustered errors.
# Run from the project's root: Rscript tests/reference/weights/generate.R
suppressMessages({library(sandwich); library(clubSandwich)})
here <- "tests/reference/weights"
set.seed(20240504)
n <- 500; team_id <- sample(40, n, replace = TRUE); treatment <- team_id %% 2
x1 <- rnorm(n); x2 <- rbinom(n, 1, .4); u <- rnorm(40, sd = .4)[team_id]
y <- 1 + .3 * treatment + .6 * x1 - .4 * x2 + u + rnorm(n)
y[runif(n) > plogis(.4 + x1 * ifelse(treatment == 1, 1.2, -.4) + .5 * x2)] <- NA
d <- data.frame(team_id, treatment, x1, x2, y)
write.csv(format(d, digits = 12, trim = TRUE), file.path(here, "data.csv"), row.names = FALSE, quote = FALSE)
d <- read.csv(file.path(here, "data.csv")); d$r <- !is.na(d$y)
control <- glm.control(epsilon = 1e-14, maxit = 100)
model <- glm(r ~ treatment * (x1 + x2), binomial, d, control = control)
d$w <- ave(as.numeric(d$r), d$treatment) / fitted(model)
fit <- function(d) {
  m <- lm(y ~ treatment + x1, d, weights = w, subset = r)
  v <- vcovCL(m, cluster = d$team_id[d$r], type = "HC1", cadjust = TRUE)  # G/(G-1) (N-1)/(N-k): CR1
  known <- d[d$r, ]
  v3 <- vcovCR(lm(y ~ treatment + x1, known, weights = w), cluster = known$team_id, type = "CR3")
  c(coef(m)["treatment"], sqrt(v["treatment", "treatment"]), sqrt(v3["treatment", "treatment"]))
}
whole <- fit(d)
ceiling <- quantile(d$w[d$r], .95)                      # type 7, as numpy
cut <- transform(d, w = pmin(w, ceiling))
trimmed <- fit(cut)
ess <- function(w) sum(w)^2 / sum(w^2)
out <- data.frame(quantity = c("estimate", "std_error", "std_error_cr3", "trimmed_estimate", "trimmed_std_error",
  "trimmed_std_error_cr3", "ceiling", "effective_n_0", "effective_n_1", "largest"),
  value = sprintf("%.15g", c(whole, trimmed, ceiling, ess(d$w[d$r & d$treatment == 0]), ess(d$w[d$r & d$treatment == 1]), max(d$w[d$r]))))
write.csv(out, file.path(here, "expected.csv"), row.names = FALSE, quote = FALSE)
cat("sandwich", as.character(packageVersion("sandwich")), "clubSandwich", as.character(packageVersion("clubSandwich")), R.version.string, "\n")

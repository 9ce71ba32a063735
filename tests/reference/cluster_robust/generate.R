# Reference numbers for clustered, two-way and heteroskedastic covariances of OLS.
# Run from this folder: Rscript generate.R   Writes data.csv and expected.csv; see SOURCE.md.
suppressMessages({library(sandwich); library(clubSandwich); library(estimatr)})
RNGversion("4.0.0"); set.seed(20190612)

arms <- function(G) sample(rep(0:1, length.out = G))
make <- function(case, sizes, treated = NULL, within = FALSE, authorities = 3, alone = FALSE, years = 5, heavy = FALSE) {
  G <- length(sizes); team <- rep(seq_len(G), sizes); n <- length(team)
  authority <- rep(seq_len(authorities), length.out = G)
  if (alone) authority[G] <- authorities + 1            # a dummy constant within one cluster: singular I - H
  arm <- if (is.null(treated)) arms(G) else treated
  treatment <- if (within) sample(rep(0:1, length.out = n)) else arm[team]
  x1 <- round(rnorm(n) + rnorm(G)[team], 4); x2 <- round(rexp(n, 0.2), 4)
  noise <- if (heavy) rt(n, 3) * (1 + x2 / 5) else rnorm(n)
  y <- round(1 + 0.4 * treatment + 0.3 * x1 - 0.05 * x2 + 0.8 * rnorm(G)[team] + noise, 4)
  data.frame(case, team, year = sample(years, n, TRUE), authority = authority[team], treatment, x1, x2, y)
}
data <- rbind(
  make("balanced", rep(6, 20)),
  make("unequal_few", c(1, 2, 3, 5, 8, 13, 21, 30, 40), treated = c(0, 1, 0, 1, 0, 1, 0, 1, 0)),
  make("singletons", c(rep(1, 15), sample(2:9, 15, TRUE))),
  make("treated_within", sample(3:12, 18, TRUE), within = TRUE),
  make("dummy_in_one_cluster", sample(2:7, 16, TRUE), alone = TRUE),
  make("large_clusters", c(30, 45, 60, 25, 50, 35), treated = c(1, 0, 0, 1, 1, 0), authorities = 2, heavy = TRUE),
  make("unbalanced_arms", sample(1:10, 24, TRUE), treated = rep(c(1, 0), c(4, 20)), heavy = TRUE),
  make("rows_are_clusters", rep(1, 60), heavy = TRUE))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(case, kind, term, estimate, std_error, df = NA) rows[[length(rows) + 1]] <<-
  data.frame(case, kind, term, estimate, std_error, df)
agree <- function(a, b, what, tol = 1e-8) if (max(abs(a / b - 1)) > tol) stop("disagreement: ", what)

for (case in unique(data$case)) {
  d <- data[data$case == case, ]
  fit <- lm(y ~ treatment + factor(authority) + x1 + x2, data = d)
  terms <- c("treatment", "x1", "x2")
  singular <- case == "dummy_in_one_cluster"                # clubSandwich has no CR3 where I - H is singular
  for (kind in if (singular) c("CR0", "CR1", "CR2") else c("CR0", "CR1", "CR2", "CR3")) {
    V <- vcovCR(fit, cluster = d$team, type = if (kind == "CR1") "CR1S" else kind)
    if (kind == "CR1")                                      # a second package must agree before anything is written
      agree(diag(V)[terms], diag(vcovCL(fit, cluster = d$team, type = "HC1"))[terms], paste(case, kind))
    if (kind == "CR0") agree(diag(V)[terms], diag(vcovCL(fit, cluster = d$team, type = "HC0", cadjust = FALSE))[terms], paste(case, kind))
    test <- coef_test(fit, vcov = V, test = "Satterthwaite")
    if (kind == "CR2" && !case %in% c("dummy_in_one_cluster")) {
      e <- lm_robust(y ~ treatment + factor(authority) + x1 + x2, data = d, clusters = team, se_type = "CR2")
      agree(test[terms, "SE"], e$std.error[terms], paste(case, kind), 1e-6)
      agree(test[terms, "df_Satt"], e$df[terms], paste(case, "df"), 1e-6)
    }
    for (term in terms) add(case, kind, term, coef(fit)[[term]], test[term, "SE"], test[term, "df_Satt"])
  }
  for (kind in paste0("HC", 0:3)) {
    V <- vcovHC(fit, type = kind)
    e <- lm_robust(y ~ treatment + factor(authority) + x1 + x2, data = d, se_type = kind)
    agree(sqrt(diag(V))[terms], e$std.error[terms], paste(case, kind))
    for (term in terms) add(case, kind, term, coef(fit)[[term]], sqrt(V[term, term]))
  }
  if (case != "rows_are_clusters") {
    V <- vcovCL(fit, cluster = d[, c("team", "year")], type = "HC1")
    for (term in terms) if (V[term, term] > 0) add(case, "two-way CR1", term, coef(fit)[[term]], sqrt(V[term, term]))
  }
}
out <- do.call(rbind, rows)
for (column in c("estimate", "std_error", "df")) out[[column]] <- ifelse(is.na(out[[column]]), "", sprintf("%.15g", out[[column]]))
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)

# Joint tests: the folder satterthwaite holds those that clubSandwich's degrees of freedom answer.
joint <- list()
for (case in unique(data$case)) {
  d <- data[data$case == case, ]
  fit <- lm(y ~ treatment + factor(authority) + x1 + x2, data = d)
  for (set in list(c("treatment", "x1"), c("x1", "x2"), c("treatment", "x1", "x2"))) for (kind in if (case == "dummy_in_one_cluster") c("CR1", "CR2") else c("CR1", "CR2", "CR3")) {
    V <- vcovCR(fit, cluster = d$team, type = if (kind == "CR1") "CR1S" else kind)
    w <- Wald_test(fit, constrain_zero(set), vcov = V, test = c("HTZ", "Naive-F"), tidy = TRUE)
    for (i in seq_len(nrow(w))) joint[[length(joint) + 1]] <- data.frame(
      case, kind, terms = paste(set, collapse = " "), test = w$test[i],
      statistic = sprintf("%.15g", w$Fstat[i]), df_numerator = w$df_num[i],
      df_denominator = sprintf("%.15g", w$df_denom[i]), p_value = sprintf("%.15g", w$p_val[i]))
  }
}
write.csv(do.call(rbind, joint), "../satterthwaite/expected.csv", row.names = FALSE, quote = FALSE)

# Detectable effects by plain arithmetic from the formula that clustersampsi documents; the proportions by
# the quadratic formula instead of a root search. Run in this folder: Rscript generate.R
z <- function(alpha, power) qnorm(1 - alpha / 2) + qnorm(power)
mean_effect <- function(m, k, rho, cv, r, lost, alpha, power)
  z(alpha, power) * sqrt(2 * (1 + ((cv^2 + 1) * m - 1) * rho) * (1 - r^2) / ((k - lost) * m))
# (p2 - p1)^2 = c (p1 q1 + p2 - p2^2): (1 + c) p2^2 - (2 p1 + c) p2 + p1^2 - c p1 q1 = 0
proportion <- function(p1, m, k, rho, cv, r, lost, alpha, power, sign) {
  c <- z(alpha, power)^2 * (1 + ((cv^2 + 1) * m - 1) * rho) * (1 - r^2) / ((k - lost) * m)
  ((2 * p1 + c) + sign * sqrt((2 * p1 + c)^2 - 4 * (1 + c) * (p1^2 - c * p1 * (1 - p1)))) / (2 * (1 + c))
}
case <- function(id, m, k, rho, cv = 0, r = 0, lost = 1, alpha = .05, power = .8, p1 = NA)
  data.frame(id, m, k, rho, cv, r, lost, alpha, power, p1, vif = 1 + ((cv^2 + 1) * m - 1) * rho,
    effect = mean_effect(m, k, rho, cv, r, lost, alpha, power),
    p2_high = if (is.na(p1)) NA else proportion(p1, m, k, rho, cv, r, lost, alpha, power, 1),
    p2_low = if (is.na(p1)) NA else proportion(p1, m, k, rho, cv, r, lost, alpha, power, -1))
rows <- rbind(
  case("stata_m10_k20", 10, 20, .05, p1 = .2), case("stata_m8_k50", 8, 50, .05),
  case("stata_m8_k50_cv", 8, 50, .05, cv = .5), case("stata_m8_k50_cv_r", 8, 50, .05, cv = .5, r = .6),
  case("individual_200", 1, 200, 0, lost = 0), case("power90_alpha01", 12, 15, .02, .7, .3, 1, .01, .9, .4),
  case("goal_setting", 7, 1665 / 14, .1, .5, .6, lost = 0), case("goal_setting_k_less_one", 7, 1665 / 14, .1, .5, .6),
  case("goal_setting_1170", 7, 1170 / 14, .1, .5, .6, lost = 0), case("goal_setting_1315", 7, 1315 / 14, .1, .5, .6, lost = 0),
  case("turnover", 7, 1665 / 14, .1, .5, .4, lost = 0, p1 = .076), case("turnover_r0", 7, 1665 / 14, .1, .5, 0, lost = 0, p1 = .076),
  case("beneficiaries_419", 1, 419 / 2, 0, lost = 0), case("beneficiaries_944", 1, 472, 0, lost = 0),
  case("swing_267", 1, 267 / 2, 0, lost = 0), case("mod_98", 1, 49, 0, lost = 0), case("icc_one", 5, 30, 1, p1 = .5))
# Refuses to write unless the numbers printed by Stata's clustersampsi come out.
stopifnot(abs(rows$effect[1] - .346119) < 1e-6, abs(rows$effect[2] - .232511) < 1e-6, abs(rows$effect[3] - .240968) < 1e-6,
  abs(rows$effect[4] - .192775) < 1e-6, abs(rows$p2_high[1] - .352498) < 1e-6, abs(rows$p2_low[1] - .081411) < 1e-6)
write.csv(format(rows, digits = 15), "expected.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "\n")

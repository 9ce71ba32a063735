# Effect over the total standard deviation of a random-intercept model, by lme4; writes data.csv and expected.csv.
library(lme4)
set.seed(20190503)
make <- function(case, teams, sd) {
  size <- sample(2:12, teams, TRUE); team <- rep(seq_len(teams), size); arm <- team %% 2
  data.frame(case = case, team = team, treatment = arm, y = round(0.3 * arm + rnorm(teams, 0, sd)[team] + rnorm(length(team)), 6))
}
data <- rbind(make("alike", 30, 0.5), make("very alike", 16, 1.5))
write.csv(data, "data.csv", row.names = FALSE)
rows <- lapply(split(data, data$case), function(d) {
  fit <- lmer(y ~ treatment + (1 | team), d, REML = TRUE, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
  v <- as.data.frame(VarCorr(fit))$vcov
  data.frame(case = d$case[1], between = v[1], within = v[2], total_sd = sqrt(sum(v)))
})
write.csv(format(do.call(rbind, rows), digits = 12), "expected.csv", row.names = FALSE)
cat(as.character(packageVersion("lme4")), "\n")

# D2 and D3 of mice on its own data set nhanes; writes expected.csv. Run from this folder.
library(mice)
set.seed(20190503)
rows <- list()
add <- function(case, fit1, fit0, k) {
  models1 <- getfit(fit1); models0 <- getfit(fit0)
  wald <- sapply(seq_along(models1), function(i) {
    b <- coef(models1[[i]]); extra <- setdiff(names(b), names(coef(models0[[i]])))
    v <- vcov(models1[[i]])[extra, extra, drop = FALSE]
    drop(t(b[extra]) %*% solve(v) %*% b[extra])
  })
  d2 <- D2(fit1, fit0)$result; d3 <- D3(fit1, fit0)
  dev <- d3$deviances
  joined <- function(x) paste(format(x, digits = 17), collapse = " ")
  rows[[length(rows) + 1]] <<- data.frame(
    case = case, k = k, wald = joined(wald), ratio = joined(dev$dev0.M - dev$dev1.M), held = joined(dev$dev0.L - dev$dev1.L),
    d2 = d2[1], d2_df = d2[3], d2_p = d2[4], d2_r = d2[5],
    d3 = d3$result[1], d3_df = d3$result[3], d3_p = d3$result[4], d3_r = d3$result[5])
}
for (m in c(3, 5, 20)) {
  imp <- mice(nhanes, m = m, printFlag = FALSE, seed = m)
  add(paste0("bmi on age, hyp, chl; m ", m), with(imp, lm(bmi ~ age + hyp + chl)), with(imp, lm(bmi ~ age)), 2)
  add(paste0("bmi on age, chl; m ", m), with(imp, lm(bmi ~ age + chl)), with(imp, lm(bmi ~ age)), 1)
}
write.csv(do.call(rbind, rows), "expected.csv", row.names = FALSE)
cat(as.character(packageVersion("mice")), R.version.string, "\n")

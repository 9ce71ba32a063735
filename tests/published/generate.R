# What R makes of the public data of the validation cases. Called by generate.py with the folder of the data.
suppressMessages({library(sandwich); library(clubSandwich); library(lmtest); library(numDeriv); library(AER); library(lme4)})
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
rows <- list()
add <- function(method, quantity, value) rows[[length(rows) + 1]] <<- data.frame(method, quantity, value = sprintf("%.15g", value))

# clustered and heteroskedastic covariances
petersen <- read("petersen"); fit <- lm(y ~ x, petersen)
stopifnot(abs(sqrt(vcovCL(fit, ~ year)[2, 2]) - 0.033389) < 5e-7)  # Petersen's own figure first
se <- function(v) sqrt(diag(v))[["x"]]
add("clusters", "Petersen, by year, CR3: SE of x", se(vcovCR(fit, petersen$year, "CR3")))
for (kind in c("HC0", "HC1", "HC2", "HC3"))
  add("clusters", paste0("Petersen, ", kind, ": SE of x"), se(vcovHC(fit, kind)))
grunfeld <- read("grunfeld"); fit <- lm(invest ~ value + capital, grunfeld)
v2 <- vcovCR(fit, grunfeld$firm, "CR2")
single <- coef_test(fit, v2, test = "Satterthwaite")
df <- function(term) single[term, grep("^df", names(single))]
add("clusters", "Grunfeld, by firm, CR2: SE of value", sqrt(v2["value", "value"]))
add("clusters", "Grunfeld, by firm, CR2: Satterthwaite df of value", df("value"))
add("clusters", "Grunfeld, by firm, CR2: SE of capital", sqrt(v2["capital", "capital"]))
add("clusters", "Grunfeld, by firm, CR2: Satterthwaite df of capital", df("capital"))
joint <- Wald_test(fit, constrain_zero(c("value", "capital")), v2, test = "HTZ")
add("clusters", "Grunfeld, by firm, HTZ: F of value and capital", joint$Fstat)
add("clusters", "Grunfeld, by firm, HTZ: denominator df", joint$df_denom)

# logit: clustered covariance with G/(G-1) only, averaged change
women <- read("married_women")
fit <- glm(inlf ~ nwifeinc + educ + exper + expersq + age + kidslt6 + kidsge6, binomial, women, control = list(epsilon = 1e-14, maxit = 100))
v <- vcovCL(fit, women$team, type = "HC0", cadjust = TRUE)
for (term in c("kidslt6", "educ")) add("logit", paste0("Mroz, paid work, 40 clusters: SE of ", term), sqrt(v[term, term]))
spector <- read("spector")
fit <- glm(GRADE ~ GPA + TUCE + PSI, binomial, spector, control = list(epsilon = 1e-14, maxit = 100))
x <- model.matrix(fit)
change <- function(b) { one <- zero <- x; one[, "PSI"] <- 1; zero[, "PSI"] <- 0; mean(plogis(one %*% b) - plogis(zero %*% b)) }
slope <- grad(change, coef(fit))
add("logit", "Spector, PSI 0 to 1, averaged over people: change", change(coef(fit)))
add("logit", "Spector, PSI 0 to 1, averaged over people: SE", sqrt(drop(slope %*% vcov(fit) %*% slope)))

# compliers: people are their own clusters, so that CR1 is HC1
men <- read("young_men")
w <- "exper + expersq + black + smsa + south + smsa66 + reg662 + reg663 + reg664 + reg665 + reg666 + reg667 + reg668 + reg669"
iv <- ivreg(as.formula(paste("lwage ~ educ +", w, "| nearc4 +", w)), data = men)
first <- lm(as.formula(paste("educ ~ nearc4 +", w)), men)
f <- function(m) (coef(m)[["nearc4"]])^2 / vcovHC(m, "HC1")["nearc4", "nearc4"]
add("compliers", "Card, robust SE of schooling", sqrt(vcovHC(iv, "HC1")["educ", "educ"]))
add("compliers", "Card, robust F of the first stage", f(first))
reduced <- function(b) lm(as.formula(paste("I(lwage - b * educ) ~ nearc4 +", w)), transform(men, b = b))
excess <- function(b) f(reduced(b)) - qf(.95, 1, nrow(men) - 1)
at <- coef(iv)[["educ"]]
add("compliers", "Card, Anderson-Rubin interval: lower end", uniroot(excess, c(at - .2, at), tol = 1e-12)$root)
add("compliers", "Card, Anderson-Rubin interval: upper end", uniroot(excess, c(at, at + .5), tol = 1e-12)$root)

# intraclass correlation and balance
m <- lmer(invest ~ 1 + (1 | firm), grunfeld, REML = TRUE)
parts <- as.data.frame(VarCorr(m))$vcov
add("effect-size", "Grunfeld, investment by firm: REML intraclass correlation", parts[1] / sum(parts))
fit <- lm(PSI ~ GPA + TUCE, spector)
add("effect-size", "Spector, GPA and TUCE by PSI: omnibus d-squared", (nrow(spector) - 1) * summary(fit)$r.squared)
add("effect-size", "Spector, GPA and TUCE by PSI: joint F, robust", waldtest(fit, vcov = function(m) vcovHC(m, "HC1"))$F[2])
d <- 3 / sqrt((49 * 5.5^2 + 49 * 4.5^2) / 98); size <- sqrt(50 * 50 / 100)
end <- function(p) uniroot(function(c) pt(d * size, 98, c) - p, c(-5, 12), tol = 1e-12)$root / size
add("effect-size", "Means 103 and 100: noncentral t interval of d, lower end", end(.975))
add("effect-size", "Means 103 and 100: noncentral t interval of d, upper end", end(.025))

write.csv(do.call(rbind, rows), file.path(folder, "r.csv"), row.names = FALSE)

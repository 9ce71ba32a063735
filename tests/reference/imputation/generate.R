# Writes data.csv (made-up people), expected.csv (pooled estimates after imputation by mice) and
# expected_categorical.csv (polr and multinom on a small weighted data set).
# Run from the project's root: Rscript tests/reference/imputation/generate.R   (about two minutes)
suppressMessages({library(mice); library(lme4); library(MASS); library(nnet)})
here <- "tests/reference/imputation"
set.seed(20240502)

n <- 800; teams <- 80
team_id <- sample(teams, n, replace = TRUE)
treatment <- team_id %% 2
u <- rnorm(teams, sd = .5)[team_id]
x1 <- rnorm(n); x2 <- rnorm(n) + .5 * rnorm(teams)[team_id]
y1 <- .3 * treatment + .5 * x1 + .3 * x2 + u + rnorm(n)
y2 <- pmin(10, rpois(n, exp(1 + .15 * treatment + .25 * x1 + .1 * y1)))
b <- rbinom(n, 1, plogis(-.3 + .4 * treatment + .6 * x2 + .4 * y1))
d <- data.frame(team_id, treatment, x1, x2, y1, y2, b)
gone <- function(p) runif(n) < plogis(p)
d$y1[gone(-.6 + .9 * x1)] <- NA
d$y2[gone(-.8 + .7 * x2)] <- NA
d$b[gone(-1 + .6 * x1)] <- NA
write.csv(format(d, digits = 12, trim = TRUE), file.path(here, "data.csv"), row.names = FALSE, quote = FALSE)
d <- read.csv(file.path(here, "data.csv"))

m <- 200
fits <- list(y1 = y1 ~ treatment + x1 + x2, y2 = y2 ~ treatment + x1 + x2, b = b ~ treatment + x1 + x2)
number <- function(x) if (is.factor(x)) as.numeric(as.character(x)) else x
collect <- function(case, completed) do.call(rbind, lapply(names(fits), function(name) {
  est <- sapply(1:m, function(i) { s <- completed(i); s$b <- number(s$b); f <- lm(fits[[name]], data = s); c(coef(f), diag(vcov(f))) })
  k <- nrow(est) / 2
  data.frame(case = case, outcome = name, term = rownames(est)[1:k], estimate = rowMeans(est[1:k, ]),
             within = rowMeans(est[k + 1:k, ]), between = apply(est[1:k, ], 1, var), m = m)
}))

# Together, one level: linear, predictive mean matching, logistic.
dd <- transform(d, b = factor(b))
together <- mice(d[, -1], m = m, maxit = 10, method = c("", "", "", "norm", "pmm", "norm"), printFlag = FALSE, seed = 1)
with_logit <- mice(dd[, -1], m = m, maxit = 10, method = c("", "", "", "norm", "pmm", "logreg"), printFlag = FALSE, seed = 2)
rows <- rbind(collect("together_norm", function(i) complete(together, i)),
              collect("together_logreg", function(i) complete(with_logit, i)))

# Within arm, each arm imputed apart.
arms <- lapply(0:1, function(arm) mice(subset(dd, treatment == arm)[, -(1:2)], m = m, maxit = 10,
  method = c("", "", "norm", "pmm", "logreg"), printFlag = FALSE, seed = 3 + arm))
one <- function(i) do.call(rbind, lapply(0:1, function(arm) cbind(treatment = arm, complete(arms[[arm + 1]], i))))
rows_arm <- collect("within_arm", one)

# Two levels: y1 alone incomplete, a random intercept by team (2l.pan), and its intraclass correlation.
d2 <- d[, c("team_id", "treatment", "x1", "x2", "y1")]
pred <- make.predictorMatrix(d2); pred["y1", ] <- c(-2, 1, 1, 1, 0)
method <- make.method(d2); method["y1"] <- "2l.pan"
two <- mice(d2, m = m, maxit = 1, method = method, predictorMatrix = pred, printFlag = FALSE, seed = 6)
est <- sapply(1:m, function(i) {
  s <- complete(two, i); f <- lm(y1 ~ treatment + x1 + x2, data = s)
  v <- as.data.frame(VarCorr(lmer(y1 ~ treatment + x1 + x2 + (1 | team_id), s)))$vcov
  c(coef(f), icc = v[1] / sum(v), diag(vcov(f)), 0)
})
rows_two <- data.frame(case = "two_level", outcome = "y1", term = rownames(est)[1:5], estimate = rowMeans(est[1:5, ]),
                       within = rowMeans(est[6:10, ]), between = apply(est[1:5, ], 1, var), m = m)
rows <- rbind(rows, rows_arm, rows_two)
rows[c("estimate", "within", "between")] <- lapply(rows[c("estimate", "within", "between")], function(x) sprintf("%.12g", x))
write.csv(rows, file.path(here, "expected.csv"), row.names = FALSE, quote = FALSE)

# The categorical models on weighted rows: y on two predictors.
g <- data.frame(x1 = round(rnorm(60), 3), x2 = rbinom(60, 1, .4), w = round(runif(60, .2, 2), 3))
g$y <- factor(cut(g$x1 + .8 * g$x2 + rlogis(60), c(-Inf, -.5, .6, 2, Inf), labels = 0:3), ordered = TRUE)
po <- polr(y ~ x1 + x2, weights = w, data = g, method = "logistic", control = list(reltol = 1e-15, maxit = 1000))
mn <- multinom(y ~ x1 + x2, weights = w, data = transform(g, y = factor(y, ordered = FALSE)), trace = FALSE, reltol = 1e-15, abstol = 1e-15, maxit = 2000)
write.csv(g, file.path(here, "categorical.csv"), row.names = FALSE, quote = FALSE)
out <- rbind(data.frame(model = "ordered", quantity = c(names(po$zeta), names(coef(po))), value = sprintf("%.12g", c(po$zeta, coef(po)))),
             data.frame(model = "ordered", quantity = "loglik", value = sprintf("%.12g", as.numeric(logLik(po)))),
             data.frame(model = "multinomial", quantity = paste(rep(rownames(coef(mn)), 3), rep(colnames(coef(mn)), each = 3), sep = ":"), value = sprintf("%.12g", as.vector(coef(mn)))),
             data.frame(model = "multinomial", quantity = "loglik", value = sprintf("%.12g", as.numeric(logLik(mn)))))
write.csv(out, file.path(here, "expected_categorical.csv"), row.names = FALSE, quote = FALSE)
cat("mice", as.character(packageVersion("mice")), "pan", as.character(packageVersion("pan")), "MASS", as.character(packageVersion("MASS")),
    "nnet", as.character(packageVersion("nnet")), "lme4", as.character(packageVersion("lme4")), R.version.string, "\n")

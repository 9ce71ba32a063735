# Pearson's chi-squared and Fisher's exact test by base R; writes expected.csv.
tables <- list("5 70 0 72", "3 17 7 18", "12 0 6 8", "30 10 20 25", "100 200 120 180")
rows <- lapply(tables, function(cells) {
  x <- matrix(as.numeric(strsplit(cells, " ")[[1]]), 2, byrow = TRUE)
  plain <- suppressWarnings(chisq.test(x, correct = FALSE)); yates <- suppressWarnings(chisq.test(x, correct = TRUE))
  exact <- fisher.test(x)
  data.frame(table = cells, chi = unname(plain$statistic), p = plain$p.value, yates = unname(yates$statistic), yates_p = yates$p.value,
             fisher_p = exact$p.value, odds = unname(exact$estimate), low = exact$conf.int[1], high = exact$conf.int[2])
})
more <- matrix(c(10, 20, 30, 25, 15, 20), 2, byrow = TRUE); plain <- chisq.test(more, correct = FALSE)
rows[[length(rows) + 1]] <- data.frame(table = "10 20 30 25 15 20", chi = unname(plain$statistic), p = plain$p.value, yates = NA, yates_p = NA,
                                       fisher_p = NA, odds = NA, low = NA, high = NA)
write.csv(format(do.call(rbind, rows), digits = 15), "expected.csv", row.names = FALSE)

"""Outside numbers that the estimators must reproduce, family by family; `validation_cases` lists them all."""

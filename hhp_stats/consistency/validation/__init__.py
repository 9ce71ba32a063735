"""Outside numbers that the estimators must reproduce, family by family; `registry` lists them all."""

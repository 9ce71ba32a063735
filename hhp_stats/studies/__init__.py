"""One module or folder per study: plan and data in, result rows and descriptive tables out.

No formulas (`regression`, `estimate`, `infer`, `design`, `measures` hold them) and no formatting (`present`).
"""

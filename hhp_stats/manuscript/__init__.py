"""Do the figures of a manuscript, as its authors have it, follow from each other?"""

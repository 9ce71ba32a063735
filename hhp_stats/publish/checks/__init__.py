"""Is what is about to be published consistent with itself: result rows, participant flows, rendered pages?"""

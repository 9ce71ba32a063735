"""What may be printed of people: decided once, when a study writes its results, from the sets of people it counts.

A study says of every number of people that it hands over whom it counts (`declared`). Which sums hold between the
numbers, and which small groups a reader could work out from them, follows from the sets (`system`); `withholding` finds
what must not be printed, `bars` pools distributions, `decision` blanks the frames. Everything that reads results
(chapters, figures, change report, bundle) opens the public frames only.
"""

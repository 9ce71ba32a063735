"""The protocol as data: load it, cross-check it, compare it with what ran."""

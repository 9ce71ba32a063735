"""Speed and memory, measured by `make bench`. Nothing here is a test: machines differ, tests must not."""

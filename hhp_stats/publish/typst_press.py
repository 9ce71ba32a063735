"""Typst in a process of its own: a program, which must not import this package.

It is given the arguments of `typst.compile` as JSON and answers with the document, or with Typst's report and the exit
status `FAULTY`. A volume takes most of a gigabyte, which Typst keeps for the next document: here it goes when the
document is made. And what is at work in a process can be ended at any moment.
"""

from __future__ import annotations

import json
import sys

FAULTY = 3  # the document breaks a rule, or holds what no font has

if __name__ == "__main__":
    import typst

    try:
        document = typst.compile(**json.load(sys.stdin))
    except typst.TypstError as error:
        sys.stdout.buffer.write(str(getattr(error, "diagnostic", "") or error).encode())
        sys.exit(FAULTY)
    sys.stdout.buffer.write(document)

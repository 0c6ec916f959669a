"""Exit statuses of the console command, and the form of its complaints."""

import sys

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def complain(sentence: str) -> int:
    """Print one sentence to stderr and return the status of bad input."""
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT

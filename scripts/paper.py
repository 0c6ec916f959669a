"""Compute and render the paper: `scripts/paper.py [all|list|run|render|check]`."""

import sys
from pathlib import Path

from qjax.experiments.commands import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))

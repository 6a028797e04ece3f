"""Play the hour and say what was seen: ``python -m tests.observability --pictures FOLDER``."""

import argparse
import sys
from pathlib import Path

from tests.observability.hour import play

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.observability", description=__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep the status page of each stage here")
    pictures = parser.parse_args().pictures
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    total = 0.0
    try:
        for name, seconds, seen in play(pictures):
            total += seconds
            print(f"{name:15} {seconds:5.1f} s  {seen}", flush=True)
    except AssertionError as error:
        sys.exit(f"Not as it should be: {error}")
    print(f"{'all':15} {total:5.1f} s")

"""Play the hour and say what was seen: ``python -m tests.observability``."""

import sys

from tests.observability.hour import play

if __name__ == "__main__":
    total = 0.0
    try:
        for name, seconds, seen in play():
            total += seconds
            print(f"{name:15} {seconds:5.1f} s  {seen}", flush=True)
    except AssertionError as error:
        sys.exit(f"Not as it should be: {error}")
    print(f"{'all':15} {total:5.1f} s")

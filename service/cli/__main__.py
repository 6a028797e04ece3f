"""``python -m service.cli`` is ``learnsvc``."""

from __future__ import annotations

from service.cli.app import main

if __name__ == "__main__":
    main()

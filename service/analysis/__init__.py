"""Two texts in, one style delta out: what an edit says about its writer's style, as a pure function.

`analyze` is the whole interface; `sketch` and `contains` tell later whether a phrase was left standing in a text that
is not kept. Nothing here does I/O (beyond reading its own word lists once), looks at a clock or knows the service.

The image has this room compiled, which is why its classes are plain and its constants final: see service/README.md.
"""

from __future__ import annotations

from service.analysis.delta import analyze
from service.analysis.sketch import contains, sketch

__all__ = ["analyze", "contains", "sketch"]

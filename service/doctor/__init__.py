"""Looking at everything a worker depends on before it is depended on: the checks of ``learnsvc doctor``.

Facts are gathered first (``*_facts``: all the I/O, nothing judged), then judged (``*_checks``: pure, a verdict a
function). The servers are asked only what changes nothing. Whatever cannot be seen, because a managed Redis refuses
CONFIG or a role may not list indexes, is a warning that says so, never a silent ok.
"""

from service.doctor.examine import examine
from service.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine"]

"""A limits file that was edited while trading is told to the audit trail when its limits hold.

Rows name the version alone; whoever reads them later asks view `limits_book` for the text, and the
next start may be weeks away. The trail is a file of the home, which others carry to the warehouse:
execution itself never speaks to it.
"""

import logging

from core import audit_log
from core.audit_log import AuditLine
from core.errors import TickhouseError
from core.sections import RunSettings
from execution.risk.limits_file import LimitsFile

ACTION = "limits in force"
_log = logging.getLogger(__name__)


def tell(limits: LimitsFile, now_us: int, run: RunSettings) -> None:
    """Once for each file that came into force; an audit trail that takes nothing costs the text."""
    content, limits.edited = limits.edited, None
    if content is None or limits.home is None:
        return
    version = limits.rules.version
    line = AuditLine(
        ts_us=now_us, by="execution", authenticated=False, action=ACTION,
        detail=f"limits.toml was changed while trading: {version} holds", subject="limits.toml",
        payload={"version": version, "content": content.decode("utf-8", "replace")},
    )  # fmt: skip
    try:
        audit_log.append(limits.home, line, run.run_id, run.mode)
    except (TickhouseError, OSError) as error:
        _log.warning("limits %s: their text has to wait for the next start: %s", version, error)

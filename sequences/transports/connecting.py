"""Telling a connection that never came about from one that broke: only the first proves that nothing was sent."""

from typing import Any


def never_connected(error: BaseException) -> bool:
    """Whether a requests error came before the first byte left: name resolution or connecting failed."""
    import urllib3.exceptions as causes

    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, causes.NewConnectionError | causes.ConnectTimeoutError | causes.NameResolutionError)

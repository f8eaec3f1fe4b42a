"""What is seen of one send: its ids on every log line, a span, and a count by channel and outcome."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from omnify.lib.logs import logged
from omnify.lib.spans import span
from sequences import tally

Deliver = Callable[[Any, Any], str]


def watched(deliver: Deliver) -> Deliver:
    """Around `deliver(claim, now_of) -> state`. A claim that was taken away meanwhile counts as "lost"."""

    @wraps(deliver)
    def inside(claim: Any, now_of: Any) -> str:
        ids = {"tenant": claim.tenant_id, "message": claim.id, "enrollment": claim.message.enrollment_id}
        channel = claim.message.channel
        with logged(**ids), span("send", channel=channel, provider=claim.known.provider, **ids) as here:
            state = deliver(claim, now_of)
            here.set_attribute("outcome", state or "lost")
        tally.count("sends", channel, state or "lost")
        return state

    return inside

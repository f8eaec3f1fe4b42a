"""What is seen of one send: its ids on every log line, a span, and a count by channel and outcome."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from omnify.lib.logs import logged
from omnify.lib.spans import span
from sequences import tally

Deliver = Callable[..., str]


def watched(deliver: Deliver) -> Deliver:
    """Around `deliver(claim, …) -> state`, a function or a method. A claim that was taken away meanwhile counts as "lost"."""
    place = list(signature(deliver).parameters).index("claim")

    @wraps(deliver)
    def inside(*given: Any) -> str:
        claim = given[place]
        ids = {"tenant": claim.tenant_id, "message": claim.id, "enrollment": claim.message.enrollment_id}
        channel = claim.message.channel
        with logged(**ids), span("send", channel=channel, provider=claim.known.provider, **ids) as here:
            state = deliver(*given)
            here.set_attribute("outcome", state or "lost")
        tally.count("sends", channel, state or "lost")
        return state

    return inside

"""Why a message was let through at the wire, as it is kept with it for whoever asks later."""

import json
from datetime import datetime
from typing import Any

from sequences.guards import WireFacts, verdict_of
from sequences.limits import caps_for
from sequences.spending import Spent


def permit(facts: WireFacts, spent: Spent, arrives_by: datetime, now: datetime) -> str:
    """Why it was let through, as Message.permit keeps it: rules asked, consents and places known, until when, which epoch,
    and the day it was paid for where a day's allowance is kept."""
    rules = [*verdict_of(facts, now).rule_ids]
    if facts.marketing:
        rules += [cap.id for cap in caps_for(facts.limits, facts.places, facts.channel, now)]
    kept: dict[str, Any] = {
        "rules": rules,
        "until": arrives_by.isoformat(),
        "consents": sorted(facts.consents),
        "places": list(facts.places),
        "epoch": facts.epoch,
    }
    if spent.day is not None:
        kept["day"] = spent.day.isoformat()
    return json.dumps(kept)

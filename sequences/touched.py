"""Which messages count against a cap, in SQL: one reading for the claim, which spends, and for the tick, which plans."""

# Of a message `o` that was put on the wire: what reached the person, or may have. Not what was proven absent: put back, refused,
# called back before it left, old when its absence was proven, or shown to a person because of that proof.
ABSENT = ("not_placed", "resent_once", "touched_since", "abandoned_twice")
MAY_HAVE_ARRIVED = f"""
    o.state NOT IN ('ready', 'deferred', 'claimed', 'rejected', 'suppressed')
    AND NOT (o.state = 'expired' AND o.state_reason = 'expired') AND NOT (o.state = 'cancelled' AND o.status_rank = 45)
    AND NOT (o.state IN ('held', 'expired') AND o.state_reason IN {ABSENT})
"""

# touches_of_people: what reached these people since a moment, and what waits to: two sequences that decide in one minute
# must not both count on the same last place under a cap.
OF_PEOPLE = f"""
SELECT o.contact_id, o.channel, o.purpose, coalesce(o.sending_started_at, greatest(o.not_before, %(now)b)), o.state, o.status_rank
FROM sequences_message AS o
WHERE o.contact_id = ANY(%(contacts)b)
  AND ((o.sending_started_at > %(since)b AND {MAY_HAVE_ARRIVED}) OR o.state IN ('ready', 'deferred', 'claimed'))
"""  # noqa: S608 (a condition of ours)

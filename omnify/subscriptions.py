"""What follows an event of the ledger: kind -> dotted names of tasks, each called with (event id, tenant id)."""

SUBSCRIPTIONS: dict[str, list[str]] = {
    "contact.deleted": ["sequences.tasks.contact_deleted"],
    "contact.opted_out": ["sequences.tasks.opted_out"],
    "sender.topic_offered": ["sequences.tasks.topic_offered"],
    "tenant.sending_started": ["sequences.tasks.sending_started"],
}

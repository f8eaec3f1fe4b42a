"""What happens by the clock alone: (kind, dotted task, seconds between two runs, cluster). The pulse asks for each in time."""

PERIODIC: list[tuple[str, str, int, str]] = [
    ("poll", "sequences.tasks.poll_providers", 60, "default"),
    ("blocklists", "sequences.tasks.sync_blocklists", 900, "slow"),
    ("imports-resume", "contacts.tasks.resume_imports", 60, "slow"),
    ("contacts-place", "contacts.tasks.place_contacts", 60, "slow"),
    ("contacts-forget", "contacts.tasks.sweep_forgotten", 600, "slow"),
    ("retention", "sequences.tasks.clear_old", 60, "slow"),
    ("sessions-clear", "omnify.tenants.tasks.clear_sessions", 86_400, "slow"),
    ("imports-discard", "contacts.tasks.discard_forgotten_imports", 86_400, "slow"),
    ("numbers", "sequences.tasks.count_sequences", 60, "slow"),
    ("lines-reap", "sequences.tasks.reap_lines", 60, "default"),
    ("ledger-seal", "omnify.tenants.tasks.seal_ledger", 60, "slow"),
    ("approvals-expire", "omnify.tenants.tasks.expire_approvals", 3600, "slow"),
]

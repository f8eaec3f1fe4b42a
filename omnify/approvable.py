"""What a signature makes happen: kind of request -> dotted name of a function (approval, now) that does it through the verbs
and says in a sentence what was done. Strings, so that no floor imports one above it."""

APPROVABLE: dict[str, str] = {
    "enrol": "sequences.approving.apply_enrolment",
    "limits": "sequences.approving.apply_limits",
    "hours": "sequences.approving.apply_hours",
    "consent": "contacts.importing.approving.apply_import",
    "settings": "omnify.tenants.approving.apply_settings",
}

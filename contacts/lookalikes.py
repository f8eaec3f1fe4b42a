"""Who may be the same person as this contact: somebody with one of their addresses, or, more weakly, with their name."""

from contacts.addresses import normalised
from contacts.locks import addresses_of, having
from contacts.models import Contact, Interaction

MOST = 20


def lookalikes(contact: Contact, query: str = "") -> list[Contact]:
    """Living contacts of the current tenant that may be merged with this one, newest first.

    With a query: those who have exactly this number or mailbox. Without: who shares an address or bears the same full name.
    """
    rows = Contact.objects.alive().exclude(pk=contact.pk).select_related("company").order_by("-pk")
    query = query.strip()
    if query:
        address = normalised(query)
        return list(rows.filter(having(address))[:MOST]) if "@" in address or len(address) >= 7 else []
    found: dict[int, Contact] = {}
    for address in addresses_of(contact):
        for row in rows.filter(having(normalised(address)))[:MOST]:
            found.setdefault(row.pk, row)
    if contact.first_name and contact.last_name:
        namesakes = rows.filter(first_name=contact.first_name, last_name=contact.last_name)
        for row in namesakes[:MOST]:
            found.setdefault(row.pk, row)
    return list(found.values())[:MOST]


def touches(contact: Contact) -> int:
    """How many touches a merge would carry over."""
    return int(Interaction.objects.filter(contact=contact).count())

"""Who may be written to, with what permission, and everything that was said."""

from contacts.models.conversation import Interaction
from contacts.models.erasure import Forgotten
from contacts.models.imports import ImportJob, ImportProblem
from contacts.models.people import Company, Contact
from contacts.models.permission import Consent, Suppression

__all__ = ["Company", "Consent", "Contact", "Forgotten", "ImportJob", "ImportProblem", "Interaction", "Suppression"]

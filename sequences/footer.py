"""What the law wants under every marketing mail and at the start of every AI call. Pure.

Mail: 15 USC 7704(a)(3) and (5), a way to opt out and a postal address. Calls: 47 CFR 64.1200(b), who calls; state laws on AI
disclosure and recording, announced always, because the lists of states differ (docs/compliance.md).
"""

import re

_DISCLOSES_AI = re.compile(r"\b(?:ai|a\.i\.|artificial intelligence|virtual|automated|digital)\b", re.IGNORECASE)
_OFFERS_STOP = re.compile(r"\b(?:stop calling|not call|(?:don't|do not) call|opt out|take you off)\b", re.IGNORECASE)
_SAYS_RECORDED = re.compile(r"\brecord(?:ed|ing)?\b", re.IGNORECASE)


def with_footer(text: str, *, business: str, address: str, unsubscribe: str, preferences: str = "") -> str:
    """The mail's text with the postal address, the unsubscribe line and the link to the preference page below, each only if the
    text has it not yet."""
    said = " ".join(text.split())
    lines = []
    if address and " ".join(address.split()) not in said:
        lines.append(f"{business}, {' '.join(address.split())}" if business else address)
    if unsubscribe and unsubscribe not in text:
        lines.append(f"Unsubscribe: {unsubscribe}")
    if preferences and preferences not in text:
        lines.append(f"Choose how we may reach you: {preferences}")
    return text.rstrip() + "\n\n-- \n" + "\n".join(lines) + "\n" if lines else text


def opening(words: str, *, business: str) -> str:
    """The first words of a call: whatever they leave out of name, AI disclosure, way to stop and recording notice is said first."""
    missing = []
    if not _DISCLOSES_AI.search(words) or business.casefold() not in words.casefold():
        missing.append(f"This is an AI assistant calling for {business}.")
    if not _OFFERS_STOP.search(words):
        missing.append("You can ask me at any time not to call again.")
    if not _SAYS_RECORDED.search(words):
        missing.append("This call may be recorded.")
    return " ".join([*missing, words.strip()]).strip()

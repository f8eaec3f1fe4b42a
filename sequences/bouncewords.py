"""What mail servers say when they refuse: words for an address that is wrong for good, full or busy, or a block."""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

HARD: Final = re.compile(
    r"user (?:is )?(?:unknown|not found|does(?: not|n't) exist|doesn't have)|unknown (?:user|recipient|address|mailbox|local ?part)|no such (?:user|mailbox|address|recipient|person|domain|host|account)|"
    r"(?:user|recipient|address|account|mailbox|e-?mail)(?: \S+){0,4}? (?:does(?: not|n't) exist|not found|unknown|was not found|is not valid|is invalid|could(?: not|n't) be found|is unknown|not known|no longer (?:exists|available|valid))|"
    r"this user doesn't have|invalid (?:recipient|address|mailbox|user)|bad (?:destination )?(?:mailbox )?address|bad-mailbox|recipientnotfound|recipnotfound|not a (?:valid|known) (?:user|mailbox|recipient|address)|"
    r"no mailbox (?:here )?by that name|mailbox (?:is )?unavailable or|mailbox not available|not listed in|not our customer|does(?:n't| not) have an? \S+ account|"
    r"host (?:is )?unknown|host or domain name not found|host not found|unknown host|domain (?:name )?(?:not found|does not exist|is not)|name service error|no mx (?:record|found)|can(?:no|')t (?:find|resolve)|couldn't find (?:a |any )?(?:mail exchanger|host)|unrouteable address|nxdomain|"
    r"user has moved|has moved to|address (?:has )?changed|relocated|no longer (?:works|with|employed|on this server|in use)|does not accept mail|null ?mx|domain does not accept",
    re.I,
)
SOFT: Final = re.compile(
    r"mailbox (?:is )?full|over ?quota|quota (?:exceeded|is full)|exceed\w* (?:\w+ ){0,3}(?:quota|storage)|storage (?:limit|allocation|is full)|out of storage|insufficient (?:system )?(?:storage|disk)|disk (?:is )?full|not enough (?:storage|disk)|mailfull|maildrop|"
    r"(?:message|mail) (?:size )?(?:too (?:large|big)|exceeds)|size limit|gr[ae]ylist|try again later|temporar(?:y|ily)|deferred|rate limit|too many (?:connections|messages|recipients|errors)|throttl|"
    r"timed? ?out|expired|retry (?:time|timeout)|connection (?:refused|reset|closed|lost)|network (?:is )?unreachable|no route to host|delivery time|could not be delivered for|has been in the queue|not responding|service (?:not available|unavailable)|"
    r"malformed or unexpected name server|server failure|servfail|loop(?:s|ing)? (?:back|detected)|too many hops|mail for \S+ loops",
    re.I,
)
BLOCKED: Final = re.compile(
    r"block(?:ed|list)|blacklist|spam|policy|dmarc|dkim|spf|not authori[sz]ed|access denied|relay(?:ing)? (?:denied|access)|reputation|rejected (?:for|by)|content|virus|suspicious|suspended|disabled|inactive|filter",
    re.I,
)

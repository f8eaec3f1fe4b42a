"""English words for reaching somebody, as pieces of patterns over folded words."""

from __future__ import annotations

from typing import Final

# ways of being reached, as verbs and as things
ING: Final = (
    "texting|txting|txtn|textin|messaging|msging|contacting|calling|callin|phoning|ringing|dialing|dialling|emailing|"
    "mailing|writing|bothering|harassing|spamming|bugging|pestering|annoying|hounding|pinging|soliciting|disturbing|"
    "sending|sendin|messagin|emailin|contactin|botherin|harassin|spammin|txtng|trying to (?:contact|call|get hold of)|"
    "blowing me up|blowin me up|hitti?n?g? my (?:line|phone)|hittin me up|"
    "reaching out|hitting me up|blowing up my phone|dming|whatsapping|stalking|trying to reach|following up|"
    "marketing|advertising|selling"
)
BASE: Final = (
    "text|txt|message|msg|contact|call|phone|ring|dial|email|e mail|mail|write|bother|harass|spam|bug|pester|annoy|"
    "hound|ping|solicit|disturb|send|reach out|hit me up|dm|whatsapp|reply|respond|get in touch|follow up|sms"
)
ED: Final = "texted|messaged|contacted|called|phoned|emailed|mailed|bothered|harassed|spammed|solicited|disturbed"
THINGS: Final = (
    "texts?|txts?|messages?|msgs?|sms(?:es)?|calls?|phone calls?|e?mails?|e mails?|contact|communications?|spam|"
    "newsletters?|solicitations?|ads?|adverts?|advertis\\w+|promos?|promotions?|marketing|notifications?|alerts?|"
    "robocalls?|robotexts?|voicemails?|junk|correspondence|mailings?|offers"
)
FILL: Final = (
    "all|any|anymore|more|further|additional|future|these|those|this|the|that|your|ur|such|with|of|a|kind|type|sort|"
    "damn|fucking|fing|freaking|stupid|annoying|marketing|promotional|sales|unwanted|unsolicited|automated|spam|"
    "constant|constantly|endless|w|wit|text|phone|sms|e|please|pls|ever|even|always|just|fn|goddamn|bloody|bs|crap"
)
NEVER: Final = (
    "dont|do not|donot|do nt|dnt|never|didnt ask you to|no longer|please not|must not|may not|shall not|cannot|cant"
)
WANT: Final = "want|wanna|wish|need|care|like|consent|agree|authori[sz]e|permit|allow|appreciate"
LIST: Final = (
    r"(?:your |this |that |the |ur |all |any |whatever |every )*(?:\w+ ){0,2}(?:lists?|database|system|records)"
)
ME: Final = (
    r"(?:me|us|myself|this number|this phone|this contact|this email|number|(?:my|our) (?:\w+ ){0,2}?"
    r"(?:number|name|email|e mail|address|phone|cell|mobile|contact|info|information|details|data|line|digits))"
)
PAD: Final = rf"(?:(?:{FILL}) ){{0,4}}"

"""How people take back consent in English: a refusal and a way of being reached, or a place on a list.

Every pattern runs over folded words ("dont", "im") with single blanks. What is aimed at somebody else ("tell him to
stop calling"), limited in time ("don't call before noon") or about another thing ("take me off the waitlist") is not
taken for a revocation; where it could be one, the verdict is "hold" and a person looks.
"""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.rules import Rule, Verdict, after, before, rule

# ways of being reached, as verbs and as things
ING: Final = (
    "texting|txting|txtn|textin|messaging|msging|contacting|calling|callin|phoning|ringing|dialing|dialling|emailing|"
    "mailing|writing|bothering|harassing|spamming|bugging|pestering|annoying|hounding|pinging|soliciting|disturbing|"
    "sending|reaching out|hitting me up|blowing up my phone|dming|whatsapping|stalking|trying to reach|following up|"
    "marketing|advertising|selling"
)
_BASE: Final = (
    "text|txt|message|msg|contact|call|phone|ring|dial|email|e mail|mail|write|bother|harass|spam|bug|pester|annoy|"
    "hound|ping|solicit|disturb|send|reach out|hit me up|dm|whatsapp|reply|respond|get in touch|follow up|sms"
)
_ED: Final = "texted|messaged|contacted|called|phoned|emailed|mailed|bothered|harassed|spammed|solicited|disturbed"
_THINGS: Final = (
    "texts?|txts?|messages?|msgs?|sms(?:es)?|calls?|phone calls?|e?mails?|e mails?|contact|communications?|spam|"
    "newsletters?|solicitations?|ads?|adverts?|advertis\\w+|promos?|promotions?|marketing|notifications?|alerts?|"
    "robocalls?|robotexts?|voicemails?|junk|correspondence|mailings?|offers"
)
_FILL: Final = (
    "all|any|anymore|more|further|additional|future|these|those|this|the|that|your|ur|such|with|of|a|kind|type|sort|"
    "damn|fucking|fing|freaking|stupid|annoying|marketing|promotional|sales|unwanted|unsolicited|automated|spam|"
    "constant|constantly|endless|w|wit|text|phone|sms|e|please|pls|ever|even|always|just|fn|goddamn|bloody|bs|crap"
)
_NEVER: Final = (
    "dont|do not|donot|do nt|dnt|never|didnt ask you to|no longer|please not|must not|may not|shall not|cannot|cant"
)
_WANT: Final = "want|wanna|wish|need|care|like|consent|agree|authori[sz]e|permit|allow|appreciate"

_LIMITS: Final = frozenset(
    "before after until till til while whilst when during yet unless instead except without later soon first tomorrow "
    "tonight today monday tuesday wednesday thursday friday saturday sunday morning evening afternoon noon midnight "
    "weekend weekends week work driving meeting right now between past if am pm".split()
)
_LASTING: Final = frozenset("again anymore ever more forever period please".split())
_OTHERS: Final = frozenset("him her them it that those customers clients people everyone somebody someone".split())
_THIRD: Final = frozenset("he she they him her them who someone somebody people everyone".split())
_CANNOT: Final = frozenset(
    "cant cannot dont never wont didnt couldnt wouldnt doesnt not isnt arent without hardly non".split()
)
_NOT_ABOUT_US: Final = frozenset(
    "waitlist waitlisted schedule appointment calendar guest reservation hold speaker speakerphone invoice order cart "
    "hook meeting lead leads project team group chat thread case account title deed insurance policy lease".split()
)


def _stopping(match: re.Match[str]) -> Verdict | None:
    """stop ...ing: ours unless somebody cannot stop, or somebody else should."""
    led, follows = before(match, 6), after(match, 3)
    if led and (led[-1] in _CANNOT or led[-2:] in (["do", "not"], ["can", "not"]) or _asked_about(led)):
        return None
    if _THIRD.intersection(led) and "you" not in led:
        return None
    if led[-1:] == ["i"] or (led and "you" not in led and led[-1] in ("to", "must", "should") and "i" in led):
        return None
    if follows and (follows[0] in _OTHERS or (match[0].endswith("sending") and not _sent_to_me(follows))):
        return "hold"
    return "opt_out"


def _sent_to_me(follows: list[str]) -> bool:
    while follows and re.fullmatch(_FILL, follows[0]):
        follows = follows[1:]
    return (
        not follows
        or follows[0] in ("me", "us", "to", "please")
        or re.fullmatch(f"{_THINGS}|stuff|shit|anything|things?", follows[0]) is not None
    )


def _refusing(match: re.Match[str]) -> Verdict | None:
    """don't ... me: ours unless limited in time, about somebody else, or what I myself do not do."""
    led, follows = before(match, 4), after(match, 6)
    said = match[0].split()
    near = follows[:1]
    if "forget" in led or led[-1:] == ["why"]:
        return None
    if led[-1:] in (["i"], ["we"]) and not re.search(rf"\b(?:{_WANT})\b", match[0]):
        return None
    if _THIRD.intersection(led[-2:]) and "you" not in led:
        return None
    if said[0] in ("cannot", "cant") and not {"you"}.intersection(said + led):
        return None
    if near and near[0] in _OTHERS:
        return None
    if said[-1] == "bother" and near and near[0] not in ("me", "us", "my", "our", "again", "anymore", "ever"):
        return "hold"
    if near and near[0] in ("back", "through", "out") and said[-1] in ("call", "ring", "reply", "respond", "write"):
        return "hold"
    if said[-1] in ("send", "reply", "respond", "write", "follow") and near and not _sent_to_me(follows):
        return "hold"
    if _INVITED.search(match.string[: match.start()]) or _INVITED.search(match.string[match.end() :]):
        return "hold"
    if _LIMITS.intersection(follows) and not _LASTING.intersection(follows[:3]):
        return "hold"
    return "opt_out"


# "please call me, don't email": another way is welcome
_INVITED: Final = re.compile(
    r"(?<!dont )(?<!not )(?<!never )(?<!stop )(?<!or )(?<!and )(?<!to )(?<!keep )(?<!you )(?<!quit )(?<!u )\b"
    r"(?:call|text|email|phone|ring|message|whatsapp) (?:me|us)\b(?! again| anymore)"
)


def _at_the_end(match: re.Match[str]) -> Verdict | None:
    """... stop: said to us when the text speaks of us or of messages."""
    led = before(match, 4)
    if _CANNOT.intersection(led[-3:]) or _THIRD.intersection(led) or {"i", "we"}.intersection(led[-1:]):
        return None
    if led and led[-1] in _STOPS_OF_A_ROAD:
        return None
    if len(match.string) > 300:
        return "hold"
    ours = re.search(rf"\b(?:you|u|your|yall|{_THINGS}|{ING}|number)\b", match.string[: match.start()])
    return "opt_out" if ours and "?" not in match.string[match.end() :] else "hold"


_STOPS_OF_A_ROAD: Final = frozenset(
    "bus train tram metro truck rest pit full first next last one door f non quick tube subway the a this that my our "
    "your or and txt text txtx reply send to will does do did short every any each another".split()
)


def _no_more(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 3), after(match, 4)
    if {"have", "has", "had", "got", "get", "see", "received", "is", "are", "was", "were", "theres", "there"} & set(
        led
    ):
        return None
    return "hold" if _LIMITS.intersection(follows) - {"please", "now"} else "opt_out"


def _off_the_list(match: re.Match[str]) -> Verdict | None:
    follows = after(match, 6)
    if {"dont", "not", "never", "didnt"}.intersection(before(match, 3)):
        return "hold"
    said = [*match[0].split(), *follows[:4]]
    if not _NOT_ABOUT_US.isdisjoint(said + follows):
        return "hold"
    if {"list", "lists"}.intersection(said):
        return "opt_out"
    if follows and follows[0] in ("the", "that", "for", "on") and "database" not in follows:
        return "hold"
    return "opt_out"


def _unsubscribing(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 5), after(match, 4)
    others = {"customers", "users", "people", "they", "clients", "leads", "recipients", "subscribers", "contacts"}
    if {"dont", "not", "didnt", "never", "accidentally", "mistake", "accident"}.intersection(led + follows):
        return "hold"
    return "hold" if others.intersection(led + follows) else "opt_out"


def _opting_out(match: re.Match[str]) -> Verdict | None:
    follows = after(match, 5)
    if {"not", "dont", "didnt", "never"}.intersection(before(match, 3)):
        return "hold"
    if follows[:1] == ["of"] and not re.search(
        rf"\b(?:{_THINGS}|this|these|all|everything|list|it)\b", " ".join(follows)
    ):
        return "hold"
    return "opt_out"


def _cancelling(match: re.Match[str]) -> Verdict | None:
    return "hold" if {"dont", "not", "didnt", "cant"}.intersection(before(match, 3)) else "opt_out"


def _asked_about(led: list[str]) -> bool:
    """ "did you stop …": what somebody did is asked, nothing is demanded."""
    return len(led) > 1 and led[-1] in ("you", "u", "yall") and led[-2] in ("did", "do", "didnt", "have", "havent")


def _begging(match: re.Match[str]) -> Verdict | None:
    led = before(match, 4)
    if led and (led[-1] in _CANNOT or _THIRD.intersection(led) or _asked_about(led)):
        return None
    return "opt_out"


def _not_asked(match: re.Match[str]) -> Verdict | None:
    return None if {"he", "she", "they"}.intersection(before(match, 3)) else "hold"


_LIST: Final = (
    r"(?:your |this |that |the |ur |all |any |whatever |every )*(?:\w+ ){0,2}(?:lists?|database|system|records)"
)
_ME: Final = (
    r"(?:me|us|myself|this number|this phone|this email|number|(?:my|our) (?:\w+ ){0,2}?"
    r"(?:number|name|email|e mail|address|phone|cell|mobile|contact|info|information|details|data|line|digits))"
)
_PAD: Final = rf"(?:(?:{_FILL}) ){{0,4}}"

OPT_OUT: Final[tuple[Rule, ...]] = (
    rule("stop contacting", "opt_out", rf"(?:stop|quit|cease|discontinue|refrain from|knock off|end|halt) {_PAD}(?:{ING})", scope="named", check=_stopping),
    rule("stop the messages", "opt_out", rf"(?:stop|quit|cease|discontinue|end|halt|cancel|kill|enough) {_PAD}(?:{_THINGS})(?! me)", scope="named", check=_begging),
    rule("do not contact", "opt_out", rf"(?:{_NEVER}) (?:(?:you|u|ever|please|keep|dare|be|try|to|want|wanna|wish|need|like|start|go|continue|even|bother|really|think|about|{_FILL}) ){{0,6}}(?:{_BASE}|{ING}|{_ED})", scope="named", check=_refusing),
    rule("would rather not", "opt_out", rf"(?:rather|prefer|ask(?:ed|ing)? (?:that )?you|like you|want you|need you|told you) (?:\w+ )?not (?:to )?(?:be |get |receive |have |hear )?{_PAD}(?:{_BASE}|{_ED}|{_THINGS})", scope="named", check=_refusing),
    rule("do not want messages", "opt_out", rf"(?:dont|do not|donot|no longer|never|not) (?:really |actually )?(?:{_WANT})(?: to)?(?: (?:be|get|getting|receive|receiving|hear|have|see|you|me|sending|from|on))* {_PAD}(?:{_THINGS}|contacted|from you|from u|from yall|to hear)", scope="named", check=_refusing),
    rule("do not want to hear", "opt_out", r"(?:dont|do not|never|no longer) (?:really )?(?:want|wanna|wish|care|need)(?: to)? (?:ever )?hear(?:ing)? (?:anything )?(?:\w+ )?(?:from|back)", scope="all", check=_refusing),
    rule("no more messages", "opt_out", rf"no (?:more|further|additional) {_PAD}(?:{_THINGS})", scope="named", check=_no_more),
    rule("no messages", "opt_out", rf"(?:^|(?<=[.!?,;\n] ))no {_PAD}(?:{_THINGS})(?: (?:please|pls|thanks|thank you|ever|anymore|again))*(?= ?(?:[.!\n]|$))", scope="named"),
    rule("take me off", "opt_out", rf"(?:take|get|cross|strike|pull|scratch|scrub|cut|kick|keep|leave|want|be taken|taken) (?:{_ME} )?(?:the (?:hell|fuck|heck) )?off(?: of)? (?:your|ur|this|that|the|these|any|all|ya|yalls|here)?(?: \w+){{0,3}}? ?(?:lists?|database|system|thing|here|now|please|$)", check=_off_the_list),
    rule("take me off", "opt_out", rf"(?:take|get|strike|scrub) {_ME} off", check=_off_the_list),
    rule("off the list", "opt_out", rf"(?:off|from|out of)(?: of)? {_LIST}(?= ?(?:[.!?,;\n]|$|please|pls|now|immediately|asap|thanks))", check=_off_the_list),
    rule("remove me", "opt_out", rf"(?:remove|delete|drop|erase|exclude|unlist|deregister|scratch|purge|unenroll|omit) {_ME}", check=_off_the_list),
    rule("remove me", "opt_out", r"(?:remove|removed|removal|deleted|erased) (?:\w+ ){0,2}?(?:from|off)(?: of)? (?:your|ur|this|all|any|ya|these|the (?:mailing|calling|contact|call|text|email|marketing|sms|phone|distribution)) ?(?:\w+ ){0,2}(?:lists?|database|system|records|contacts|texts|emails|messages|calls)?", check=_off_the_list),
    rule("want to be removed", "opt_out", r"(?:want|like|wish|need|asked|asking|request\w*|please|to) (?:to )?(?:be|get|have been) (?:removed|taken off|unsubscribed|deleted|opted out)", check=_off_the_list),
    rule("lose my number", "opt_out", r"(?:lose|loose|forget|trash|burn|ditch|discard|throw away|get rid of|block|toss) (?:my|this|our) (?:\w+ )?(?:number|digits|contact|info|information|email|phone|address|existence)", scope="channel"),
    rule("leave me alone", "opt_out", r"(?:leave|let) (?:me|us|my family) (?:(?:the )?(?:fuck|hell|heck|f|tf) )?(?:alone|be|in peace)(?= ?(?:[.!?,;\n]|$|please|now|already|and))", scope="all", check=_begging),
    rule("unsubscribe", "opt_out", r"un ?sub(?:s|scribe|scribed|scribing|scription|bed)?|unsuscribe|unsubcribe|unsubsribe|unsubscibe|desubscribe", check=_unsubscribing),
    rule("opt out", "opt_out", r"opt(?:ed|ing|s)?(?: me| us| my number)? ?out|optout", check=_opting_out),
    rule("revoke consent", "opt_out", r"(?:revok\w+|withdraw\w*|rescind\w*|retract\w*|take back) (?:(?:my|all|any|prior|previous|express|written|our|the) )*(?:consent|permission|authori[sz]ation|agreement|opt in)", scope="all"),
    rule("no consent", "opt_out", r"(?:do not|dont|no longer|never|not) (?:give |gave |have |had )?(?:you )?(?:my )?(?:consent|permission)(?: to)?(?! form)", scope="all", check=_refusing),
    rule("never contact again", "opt_out", rf"never (?:ever )?(?:{_BASE}) (?:me|us|this number|here)", scope="named"),
    rule("cease contact", "opt_out", r"(?:cease|stop|discontinue|end|halt|terminate) (?:and desist )?(?:all |any )?(?:further |future )?(?:contact|communications?|correspondence|outreach|solicitation)(?! form)", scope="all", check=_begging),
    rule("blocking you", "opt_out", r"(?:im |i am |i will |ill |gonna |going to |i have |ive |already )(?:be )?(?:block|blocking|blocked) (?:you|u|this|your|ur|the)(?: number)?|(?:you|u|your number) (?:are|is|r|will be|have been|getting) (?:now )?blocked"),
    rule("asked to stop", "opt_out", r"(?:i|ive|we|already|have) (?:\w+ ){0,2}?(?:said|sent|texted|replied|typed|told|asked|wrote|put|answered|responded|messaged) (?:you |u |yall |with |to |the |please |already |word |before |twice |again |(?:\w+ )?times ){0,6}(?:stop|unsubscribe|cancel|quit)"),
    rule("enough with the messages", "opt_out", rf"(?:stop|quit|enough|knock) (?:it )?(?:already )?with {_PAD}(?:{_THINGS})", scope="named", check=_begging),
    rule("off my phone", "opt_out", r"(?:get|stay) (?:the (?:hell|fuck|heck) )?(?:off|out of) (?:of )?my (?:phone|line|inbox|number|messages)"),
    rule("please stop", "opt_out", r"(?:please|pls|plz|plse|just|kindly|you need to|u need to|you must|you have to|can you|could you|can u|will you|would you|i want you to|id like you to|make this|make it|make these|(?:these|the|your|all|those) (?:texts|messages|calls|emails)(?: \w+){0,2}? (?:to|must|should|need to|have to|has to)?) ?stop(?: (?:it|this|that|now|already|immediately|please|pls|thanks|thank you|ok|at once|all|everything|asap|right now|doing this|doing that|with this|with that))*(?= ?(?:[.!?,;\n]|$))", check=_begging),
    rule("stop getting messages", "opt_out", rf"(?:stop|quit) (?:getting|receiving|hearing) {_PAD}(?:{_THINGS}|these|this|anything|from you|from u|stuff|them)", scope="named"),
    rule("stop at the end", "opt_out", r"stop(?: (?:it|this|now|please|pls|that|already|thanks|asap|immediately))* ?[.!?]*(?= ?$)", check=_at_the_end),
    rule("not on the list", "opt_out", r"(?:dont|do not|no longer|never) (?:want|wanna|wish|like|agreed?|asked) (?:to )?(?:be )?(?:on|in|part of|included (?:on|in)) (?:this|your|ur|the|any|that) (?:\w+ ){0,2}?(?:lists?|database|system|thread|campaign|chain)"),
    rule("stop this", "opt_out", r"(?:^|(?<=[.!?,;\n] ))(?:\w+ )?stop (?:it|this|that|all this|all of this|with this|this shit|this crap|this bs|this nonsense|the harassment|the nonsense|bothering|everything)(?= ?(?:[.!?,;\n]|$|please|now|already|immediately|at once|or))", check=_begging),
    rule("go away", "opt_out", r"(?:^|(?<=[.!?,;:\n] ))(?:(?:just|please|pls|so|no|and|now|ok|omg|dude|oh) ){0,2}(?:go away|get lost|piss off|p off|fuck off|f off|fk off|fck off|fuk off|eff off|bugger off|buzz off|sod off|back off|screw off|shove off|beat it|take a hike|kick rocks|fuck you|fuck u|f you|screw you|go to hell|go fuck yourself|drop dead|bug off|jog on|naff off)"),
    rule("not interested at all", "opt_out", r"(?:not|never|no longer) (?:at all )?interested (?:at all|whatsoever|ever|in the slightest|so stop|please stop|stop|now or ever|period)|absolutely not interested|not (?:remotely|even remotely|in the least|the least bit|in any way) interested"),
    rule("erase my data", "opt_out", r"(?:delete|erase|remove|destroy|purge|wipe) (?:all )?(?:of )?(?:my|our|the) (?:\w+ )?(?:data|information|info|details|records|personal data)|right to (?:be forgotten|erasure|deletion)|(?:gdpr|ccpa|cpra) (?:request|erasure|deletion|removal)", scope="all"),
    rule("do not disturb", "hold", r"do not disturb|dnd|not disturb"),
    rule("does not want these", "hold", r"(?:dont|do not|no longer) want (?:these|any of (?:this|these|it)|to be (?:on|in|part of) this)(?= ?(?:[.!?,;\n]|$))"),
    rule("never signed up", "hold", r"(?:never|didnt|did not|dont remember|dont recall|dont know) (?:\w+ ){0,2}?(?:sign(?:ed|ing)? up|subscrib\w+|ask(?:ed)? for (?:this|these)|opt(?:ed)? in|giv\w+ (?:you |u )?(?:my number|permission|consent)|how you got my)|how did (?:you|u) get (?:my|this) (?:number|email|info|name|contact)|where did (?:you|u) get (?:my|this)", check=_not_asked),
    rule("enough", "hold", r"(?:^|(?<=[.!?,;\n] ))(?:enough|thats enough|enough already|enough is enough|ive had enough|knock it off|cut it out|quit it|give it up|give it a rest|get a life|shut up|shut the fuck up|stfu)(?= ?(?:[.!?,;\n]|$))"),
    rule("spam", "hold", r"(?:this|thats|its|it|these|you|all|is|are) (?:is |are |just |a )*(?:spam|spammers?|scam|scammers?)|^spam$"),
    rule("said no", "hold", r"(?:i|ive|already) (?:already )?(?:said|told you|told u) (?:\w+ )?no(?: \w+)?|no means no|how many times"),
)  # fmt: skip

NOT_INTERESTED: Final = re.compile(
    r"(?<!\w)(?:(?:not|no|never|isnt|arent) (?:\w+ )?(?:really |currently |very |that )?interested|no thank(?:s| you)|no thx|no ty|no interest|"
    r"(?:well|ill|i will|we will|im gonna|going to) pass|pass on this|hard pass|im good|all set|not for (?:me|us)|"
    r"not (?:a )?(?:right |good |great )?(?:fit|time|now|today|at this time|this time|looking|in the market)|"
    r"timing (?:isnt|is not|is off|is bad|doesnt)|no need|(?:dont|do not) need|(?:dont|do not) want (?:it|this|any|that)|"
    r"already (?:have|got|bought|found|use|using|working with|chose|hired)|went with|decided against|changed my mind|maybe (?:later|next)|"
    r"no me interesa|no estoy interesad[oa]|no gracias|pas interesse|non merci|kein interesse|nein danke|"
    r"nao tenho interesse|nao estou interessad[oa]|nao obrigad[oa]|non mi interessa|no grazie|geen interesse|nej tak|nej tack)(?!\w)"
)

"""What a person must see at once: threats, wrong numbers, deaths, minors, and the wish for a human being."""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.rules import Rule, Verdict, after, before, rule

_NOT_PEOPLE: Final = frozenset(
    {"battery", "phone", "car", "i", "it", "dog", "cat", "engine", "deadline", "line", "almost"}
)


def _threat(match: re.Match[str]) -> Verdict | None:
    """A lawyer may also be a customer: only words turned against the sender are a threat for certain."""
    around = f"{match.string[max(0, match.start() - 60) : match.start()]} {match[0]} {' '.join(after(match, 6))}"
    if _FRIENDLY.search(around):
        return "hold"
    return "complaint" if _AGAINST.search(around) else "hold"


_FRIENDLY: Final = re.compile(
    r"\b(?:good|recommend\w*|referred|friend|contract|closing|documents?|paperwork|agreement|review|know (?:a|any)|need (?:a|an)|looking for|are you)\b"
)
_AGAINST: Final = re.compile(
    r"\b(?:hear(?:ing)? from|(?:contact|call|talk|speak|talking|speaking|calling|contacting|contacted|called|forward\w*|send\w*|report\w*)(?: \w+){0,2}? (?:my|an?)|"
    r"(?:will|gonna|going to|to) (?:be )?(?:contact|call|writ|sue|in touch|email|send)\w*|against|wird sich (?:bei ihnen )?melden|got an?|suing|sue|file|filing|stop|texting|harass\w*|these (?:texts|calls|messages))\b"
)


def _at_us(match: re.Match[str]) -> Verdict | None:
    """ "I will sue", not "a lawsuit against my landlord"."""
    follows = after(match, 6)
    against = follows[follows.index("against") + 1 :] if "against" in follows else []
    return "hold" if against and {"you", "u", "your", "yall"}.isdisjoint(against) else "complaint"


def _reported(match: re.Match[str]) -> Verdict | None:
    """ "I report this number", not "I reported it to the landlord"; the police may be about something else."""
    around = match.string[max(0, match.start() - 60) : match.end() + 60]
    if match[0].startswith("report"):
        return "complaint" if _REPORTED.search(match.string, match.start()) else None
    if match[0].startswith(("police", "call")):
        return (
            "complaint"
            if re.search(r"\b(?:you|your|u|harass\w*|texts?|texting|calling me|again)\b", around)
            else "hold"
        )
    return "complaint"


_REPORTED: Final = re.compile(
    r"report\w* (?:(?:you|u|yall|los|les|vous|sie)(?!\w)|(?:\w+ ){0,4}?(?:number|company|business|texts?|messages?|sms|spam|spammers?)(?!\w)|"
    r"(?:\w+ ){0,2}?to (?:the |your )?(?:fcc|ftc|bbb|police|carrier|authorities|attorney|state|verizon|at|t mobile)(?!\w))"
)


def _wrong(match: re.Match[str]) -> Verdict | None:
    """ "You have the wrong number", not "I gave you the wrong number" nor "the wrong person signed"."""
    led, follows = before(match, 6), after(match, 1)
    if {
        "gave",
        "give",
        "typed",
        "wrote",
        "entered",
        "dialed",
        "picked",
        "chose",
        "ordered",
        "sent",
        "blocked",
        "saved",
    }.intersection(led):
        return None
    if led[:1] in (["is"], ["was"], ["did"], ["do"], ["does"]) or led[-1:] == ["wont"]:
        return "hold"
    of_something = follows in (["of"], ["on"], ["signed"], ["came"], ["showed"], ["was"], ["is"], ["got"], ["called"])
    return "hold" if of_something and "have" not in led else "wrong_number"


def _law(match: re.Match[str]) -> Verdict | None:
    return (
        "hold"
        if {
            "comply",
            "compliant",
            "compliance",
            "software",
            "help",
            "certified",
            "licensed",
            "registered",
            "approved",
        }.intersection(before(match, 6) + after(match, 6))
        else "complaint"
    )


def _death(match: re.Match[str]) -> Verdict | None:
    """Somebody died; whether it is the person we write to is for a human to read."""
    led = before(match, 3)
    if led[-1:] in (["battery"], ["phone"], ["car"], ["line"], ["deal"], ["dog"], ["cat"]) or "i" in led[-1:]:
        return None
    return "wrong_number" if led and led[-1] in ("he", "she", "is", "has", "hes", "shes", "was") else "hold"


THREATS: Final[tuple[Rule, ...]] = (
    rule("legal threat", "complaint", r"(?:i will|ill|im going to|im gonna|we will|going to|gonna|could|can|will) (?:be )?(?:sue|suing|take legal action|take you to court|press charges|file (?:a )?(?:complaint|lawsuit|suit|charges)|report (?:you|u|(?:this|your) (?:number|company|business|texts?|messages?|spam)))", scope="all", check=_at_us),
    rule("legal threat", "complaint", r"(?:suing|sue) (?:you|u|your|yall)|legal action|lawsuit|class action|small claims|take you to court|see you in court|cease and desist|c and d letter|statutory damages|500 per (?:text|call|message|violation)|1500 per (?:text|call|message|violation)", scope="all", check=_at_us),
    rule("lawyer", "complaint", r"(?:lawyers?|attorneys?|solicitor|legal team|legal counsel|abogad[oa]s?|avocats?|anwalt|rechtsanwalt|advogad[oa]s?|avvocato|advocaat)", scope="all", check=_threat),
    rule("law", "complaint", r"(?:tcpa|fcc|ftc|fdcpa|can spam|attorney general|telephone consumer protection|do not call (?:list|registry|register|database)|dnc (?:list|registry)|dnc|ic3|ico|cnil|bundesnetzagentur|verbraucherzentrale)", scope="all", check=_law),
    rule("harassment", "complaint", r"(?:harass(?:ment|ing|ed)|stalking) ?(?:me|us|charges)?|this is (?:illegal|harassment|against the law)|you(?:re| are) (?:breaking|violating) the law|illegal(?:ly)? (?:text\w*|call\w*|contact\w*|message\w*|spam)|acoso|hostigamiento|(?:violat|breach)\w* (?:\w+ ){0,2}(?:gdpr|ccpa|dsgvo|rgpd|lgpd|rodo|avg)|harcelement|belastigung|assedio", scope="all"),
    rule("reporting you", "complaint", r"(?:report(?:ing|ed)?|reportar|denunci\w+|signaler|denuncia) (?:you|u|this|these|your|ur|it|as|los|les|vous|sie|para)(?: \w+){0,3}? ?(?:as spam|to|for|number|spam|fcc|ftc|bbb|police|carrier|authorities|spammer)?|police (?:report|complaint)|call(?:ing)? the (?:police|cops)|los voy a denunciar|voy a denunciar\w*|signale (?:ce|votre|cet|vos) (?:numero|sms|messages?|spam)|voy a demandar|demanda(?:re|r)|porter plainte|(?:werde|werden|wird) (?:sie|euch|dich|das) (?:\w+ ){0,3}?melden|anzeige erstatten|(?:werde|werden) (?:sie|euch) anzeigen|melde (?:das|sie|dies) (?:der|bei)|abmahnung|processar voces|denunciar (?:ao|voces|para)|(?:vi|la) (?:denuncio|segnalo)|doe aangifte|zgl[ao]sz\w+ (?:to |was |sprawe )?(?:na|do) (?:policj\w|uodo|uke|prokuratur\w)|pozwe was|подам в суд|напишу жалобу", scope="all", check=_reported),
)  # fmt: skip

GRIEVANCES: Final[tuple[Rule, ...]] = (
    rule("refund", "complaint", r"(?:want|need|demand|request\w*|like|get|give me|expect|waiting (?:on|for)|where is|wheres)(?: \w+){0,3}? (?:refund\w*|money back|chargeback)|refund (?:me|my|us)|dispute (?:the|this) charge|charge ?back|devolu\w+ (?:de )?(?:mi |el )?dinero|rembourse\w*", scope="nothing"),
    rule("grievance", "complaint", r"(?:file|make|lodge|have) a (?:formal )?complaint|speak (?:to|with) (?:a |your |the )?(?:manager|supervisor)|better business bureau|bbb|(?:terrible|horrible|awful|worst|disgusting) (?:service|company|experience|customer service)|rip off|ripped (?:me )?off|unacceptable|leave (?:you )?a (?:bad|terrible|1 star|one star) review", scope="nothing"),
)  # fmt: skip

WRONG: Final[tuple[Rule, ...]] = (
    rule("wrong number", "wrong_number", r"(?:wrong|incorrect) (?:number|no|num|person|guy|girl|lady|email|contact|phone|party|one)|not the (?:right|correct) (?:person|number|email)|you (?:have|got|must have)(?: \w+){0,2}? (?:the )?wrong(?= ?(?:[.!?,;\n]|$))|wrong(?= # ?$)", check=_wrong),
    rule("wrong number", "wrong_number", r"(?:nobody|no one|no body) (?:here )?(?:by|with) that name|no (?:one|body) (?:here )?(?:by|with|named|called) \w+(?: name)?|(?:theres|there is) no (?!one|problem|answer|service|signal)\w+ at this (?:number|phone)|no longer (?:\w+ )?(?:has|uses|have|belongs|owns?|works?|reach\w*)(?: \w+){0,3}? ?(?:this|that|here|number|phone|at)|this (?:number|phone) (?:no longer|doesnt|does not) belongs? to|(?:this|that|its|it) (?:is |was )?(?:not|isnt|no longer|used to be) (?:his|her|their|\w+s) (?:number|phone|cell|email|line)|not \w+s (?:number|phone) anymore|(?:i )?dont know (?:any|anyone|anybody|who) (?:\w+ ){0,3}?(?:is|named|called|that is|with that name|by that name)"),
    rule("wrong number", "wrong_number", r"numero (?:equivocado|incorrecto|errado)|se (?:equivoco|equivocaron|equivoca) de (?:numero|persona)|(?:mauvais|faux) numero|erreur de numero|tromp(?:e|ez|er|es)? de (?:numero|personne)|vous faites erreur|falsche (?:nummer|person)|falsch verbunden|sich verwahlt|verkehrte? nummer|(?:voce|vc|vcs) err(?:ou|aram) (?:o |de )?numero|(?:^|(?<=[.!?,;\n] ))(?:e|foi) engano(?= ?(?:[.!?,;\n]|$))|numero sbagliato|(?:ha|hai|avete) sbagliato (?:numero|persona)|verkeerde? nummer|forkert nummer|fel nummer|zly numer|pomylka|ошиблись номером|не тот номер|טעות במספר|מספר שגוי|رقم خاطئ|رقم غلط|番号違い|打错了"),
    rule("not this person", "wrong_number", r"(?:im|i am|this is|its) not (?:the person|who you|whoever|him|her)|you have me confused|new phone who dis|(?:new|different) (?:owner|person) (?:of|has|with) (?:this|the) (?:number|phone)|i (?:just )?got this (?:number|phone)(?: \w+){0,3}?|no soy (?:la persona|quien)"),
    rule("not this person", "hold", r"(?:^|(?<=[.!?,;\n] ))(?:sorry |hi |hello |im sorry )*(?:no|not) (?!one|problem|sure|home|yet|much|from|going|really|longer|more|working|here|there|need|rush|worries)\w+ here(?= ?(?:[.!?,;\n]|$))"),
    rule("deceased", "wrong_number", r"(?:(?:is|has|have|was|recently|just) )*(?:passed away|deceased|passed on|(?:is|has) died|is dead|died (?:last|in|a|two|three|on|this)|fallecio|ha fallecido|fallecid[oa]|murio|est decedee?|est mort|decede|verstorben|gestorben|faleceu|falecid[oa])", scope="all", check=_death),
    rule("deceased", "wrong_number", r"(?:he|she|\w+) (?:is |has |was )?(?:passed away|deceased|died)", scope="all", check=lambda match: None if match[0].split()[0] in _NOT_PEOPLE else ("wrong_number" if match[0].split()[0] in ("he", "she", "hes", "shes") else "hold")),
    rule("minor", "hold", r"(?:im|i am|hes|shes|he is|she is|its) (?:only |just |like )?(?:[5-9]|1[0-7])(?: (?:years? old|yo|yrs? old|y o)|(?= ?(?:[.!?,;\n]|$|and |so )))|(?:im|i am) (?:a |just a |only a )?(?:minor|kid|child|underage)|under ?age|my (?:mom|dad|mother|father|parents) (?:says?|said|wont let)|(?:this is )?a (?:childs?|kids?) phone|tengo (?:[5-9]|1[0-7]) anos|soy menor"),
)  # fmt: skip

HUMAN: Final[tuple[Rule, ...]] = (
    rule("a human please", "human", r"(?:talk|speak|chat|get|connect|transfer|put)(?: \w+){0,2}? (?:to|with|through to|me to|me with|on with)? ?(?:an?|the|some|your|with an?)? ?(?:real |live |actual |human )*(?:human(?: being)?|person|representative|rep|agent|operator|someone|somebody|people|staff|associate)(?: real| live)?|(?:real|live|actual) (?:person|human|people|agent|representative)|human (?:please|pls|agent|being|now)|^(?:human|agent|representative|operator|person)$|hablar con (?:una? )?(?:persona|humano|agente|alguien|representante)|parler (?:a|avec) (?:un |une )?(?:humain|personne|conseiller|quelqu)|mit (?:einem |einer )?(?:menschen|mitarbeiter\w*|person)|falar com (?:um |uma )?(?:humano|pessoa|atendente|alguem)"),
    rule("asked whether we are a machine", "human", r"(?:are|r) (?:you|u|these|this) (?:a |an |even |actually |really |just )*(?:bot|robot|ai|machine|real(?! quick| estate| good| busy| soon)|human|computer|automated|chatbot|person)|(?:is|am) (?:this|i|it) (?:a |an |even |actually |really |just |talking to |speaking (?:to|with) |texting )*(?:a |an )?(?:bot|robot|ai|machine|computer|automated|chatbot|real person|human)|you(?:re| are) (?:a |an )?(?:bot|robot|ai)|eres (?:un )?(?:bot|robot|humano|real)|es(?:ta)? (?:un )?robot|etes vous (?:un )?(?:robot|humain)|bist du (?:ein )?(?:bot|roboter|mensch)"),
)  # fmt: skip

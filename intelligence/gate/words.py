"""Messages that are one word: STOP, START, HELP, their relatives in other languages, and their typos.

The opt-out families are those of 47 CFR 64.1200(a)(10) and of the carriers' required lists (Twilio, Telnyx, AWS);
START, UNSTOP and SUBSCRIBE re-open, a bare YES does not: it may answer any question.
"""

from __future__ import annotations

from typing import Final, Literal

from intelligence.gate.reading import fold, squeezed

Kind = Literal["opt_out", "opt_in", "help"]

_FAMILIES: Final[dict[tuple[Kind, str], str]] = {
    ("opt_out", "en"): (
        "stop,stopall,stop all,end,end all,quit,cancel,cancel all,unsubscribe,unsubscribe all,unsubscribe me,unsub,"
        "revoke,opt out,optout,opt me out,discontinue,remove,remove me,delete me,desist,cease,stop it,stop this,stop that,"
        "stop now,no more,arret,td,stop stop,stopit,stopp,stahp,stawp,stop txt,stop text,stop sms,stop msg,text stop,txt stop,"
        "reply stop,send stop,stop to end,stop to opt out,stop to cancel,stop to quit,stop to unsubscribe,end it,end this,"
        "quit it,quit this,cut it out,knock it off,give it a rest,enough already,enough of this,enough of these,make it stop,"
        "make this stop,make them stop,stop with this,stop everything,no more of this,no more of these,block me,opting out,"
        "opted out,remove this number,unenroll,"
        "unenroll me,disenroll,stop spam,exit"
    ),
    ("opt_out", "es"): (
        "alto,parar,pare,paren,para ya,basta,basta ya,no mas,nomas,cancelar,baja,dar de baja,darme de baja,salir,"
        "eliminar,borrar,detener,desuscribir,desuscribirme,borrame,quitame,para,detente,detengase,detenganse,cese,cesen,"
        "quitar,quiero salir,no molestar,eliminarme,cancelame,cancelenme,borrenme,borreme,callate,anular,anular suscripcion,"
        "cancelar suscripcion,baja ya"
    ),
    ("opt_out", "fr"): (
        "arreter,arretez,arrete,stoppez,desabonner,desabonnement,me desabonner,desabonnez moi,desinscrire,"
        "desinscription,se desinscrire,retirer,ca suffit,resilier,stopper,cessez,cesser,cesse,arretez ca,arrete ca,arretez tout,"
        "stop tout,fin,degage,degagez,merci d arreter,supprimer,desinscrivez moi,annuler"
    ),
    ("opt_out", "de"): "stopp,aufhoren,abmelden,abmeldung,abbestellen,austragen,halt,schluss,loschen,kundigen,"
    "beenden,entfernen,jetzt reichts,schluss damit,schluss jetzt,widerruf,hor auf,horen sie auf,hort auf,hau ab",
    (
        "opt_out",
        "pt",
    ): "sair,parem,chega,descadastrar,descadastre,remover,nao mais,cancela,pare ja,parar ja,quero sair,pode parar,nao quero mais,sai fora,"
    "cai fora,vaza,bloquear,bloqueia,cancelar inscricao,cancelar cadastro,remover whatsapp,fim,parar de receber,excluir,"
    "me remova,me tira,me exclui,me descadastra,ja chega,nao perturbe",
    ("opt_out", "it"): "ferma,fermati,fermatevi,cancellami,disiscrivimi,disiscrivi,disiscrizione,annulla,smettila,"
    "smettetela,smetta,smettere,smetti,smettete,finitela,piantala,cancellatemi,cancellare,cancellazione,rimuovimi,"
    "rimuovetemi,rimuovere,rimuovermi,toglietemi,disiscrivetemi,disiscrivermi,annulla iscrizione,cancella iscrizione,basta cosi",
    ("opt_out", "nl"): "stoppen,afmelden,uitschrijven,ophouden,afmelding,hou op,houd op,stop ermee,stop hiermee,"
    "kappen,kappen nu,kap ermee,hou ermee op,houd ermee op,nu is het genoeg,einde,opzeggen,ga weg",
    ("opt_out", "da"): "afmeld,frameld,afmeld mig,meld fra,stop venligst,hold op",
    ("opt_out", "sv"): "avregistrera,avsluta,sluta,avanmal,stoppa",
    ("opt_out", "no"): "avmeld,avslutt,slutt,meld av",
    ("opt_out", "pl"): (
        "wypisz,rezygnuje,koniec,wypisz mnie,przestan,przestancie,przestac,dosc,dosyc,dosc tego,rezygnacja,anuluj,"
        "anuluj subskrypcje,wypisac,wypis"
    ),
    (
        "opt_out",
        "ru",
    ): "стоп,отписаться,отписка,отпишите,хватит,прекратите,отмена,отказаться,прекратить,перестаньте,отстаньте,достали",
    ("opt_out", "he"): "הסר,הסירו,הפסק,הפסיקו,תפסיקו,די,עצור,להסרה,ביטול,בטל,מספיק,תפסיק,תפסיקי,להפסיק",
    (
        "opt_out",
        "ar",
    ): "توقف,توقفوا,قف,إيقاف,ايقاف,إلغاء,الغاء,إلغاء الاشتراك,كفى,أوقف,اوقف,وقف,ستوب,إلغي الاشتراك,كفاية",
    ("opt_out", "tr"): "dur,iptal,durdur",
    ("opt_out", "zh"): "退订,停止,取消,取消订阅,退訂,停,拒收,别发了",
    ("opt_out", "ja"): "停止,配信停止,解除,ストップ,やめて",
    ("opt_out", "ko"): "수신거부,중지,그만,정지",
    ("opt_in", "en"): "start,unstop,subscribe,resubscribe,opt in,optin,opt me in,opt me back in",
    ("opt_in", "es"): "iniciar,comenzar,suscribir,alta",
    ("opt_in", "fr"): "demarrer,reprendre",
    ("help", "en"): "help,info,help me,information,help info",
    ("help", "es"): "ayuda",
    ("help", "fr"): "aide",
    ("help", "pt"): "ajuda",
    ("help", "de"): "hilfe",
}

# First come, first named: "stop" is English even though others use it.
KEYWORDS: Final[dict[str, tuple[Kind, str]]] = {}
for _key, _listed in _FAMILIES.items():
    for _word in _listed.split(","):
        KEYWORDS.setdefault(fold(_word), _key)

# Words that may stand around a keyword without changing it.
COURTESY: Final = frozenset(
    fold(word)
    for word in (
        "please pls plz plse pleas thanks thank thx ty you u now immediately asap ok okay oh hi hello hey sir madam maam bye for good period exclamation point "
        "already just right away today forever im the guys dude bro man kindly really seriously omg lol ffs wtf "
        "n and no nope nah yes yeah yep "
        "por favor porfa gracias todo hola ahora ya jetzt sofort "
        "svp stp s il vous te plait merci bitte danke obrigado obrigada venligst tack takk tak "
        "per favore grazie "
        "prosze aub alsjeblieft graag пожалуйста בבקשה من فضلك"
    ).split()
)
_ONLY_WITH_STOP: Final = frozenset(
    "the and n im today right away you lol man per no nope nah yes yeah yep graag for good period exclamation point".split()
)

# A typo of a keyword is the keyword, unless it is a word of its own.
_TYPO_OF: Final[dict[str, int]] = {
    **{"stop": 1, "quit": 1, "cancel": 1, "remove": 1, "revoke": 1, "stopall": 1, "optout": 1, "unsub": 1},
    "unsubscribe": 3,
}
_REAL_WORDS: Final = frozenset(
    (
        "top sop shop slop swop step stow stoop strop stomp atop stops stopped spot stock store story stoep slow show "
        "snop soap soup stob tops crop drop prop chop flop sto soto stout sting stay "
        "quite quiet quilt quip quid quoit quits quint quiz suit unit exit quitt "
        "cancer cancels cancelled canceled chancel cancela council camel candle "
        "removed removes remover remote remodel revoked revokes revoker evoke invoke provoke remorse "
        "output outputs layout payout unsure unsung suns unsaid subscribe subscribed subscriber subscribes resubscribe "
        "inscribe describe prescribe unscrew"
    ).split()
)
_GIVES_THE_ORDER: Final = frozenset({"stop", "end", "quit", "cancel", "unsubscribe"})
_TRANSPOSED: Final = frozenset({"edn", "endd", "ende", "sotp", "tsop", "stpo", "sop'", "stp", "dtop", "stpp"})


def keyword(words: tuple[str, ...]) -> tuple[Kind, str, str] | None:
    """(kind, language, keyword) when the words, apart from courtesies, are one keyword, perhaps mistyped; else None."""
    if not words or len(words) > 12:
        return None
    words = tuple(word for at, word in enumerate(words) if word != "you" or not at or words[at - 1] != "thank")
    plain = COURTESY - _ONLY_WITH_STOP
    for kept in (words, *(tuple(word for word in words if word not in some) for some in (plain, COURTESY))):
        if found := _exact(kept):
            if len(kept) < len(words) and found[2] != "stop" and _ONLY_WITH_STOP.intersection(words) - set(kept):
                return None  # "the end", "im quit": a courtesy to STOP only
            return found
    if words[0] in _GIVES_THE_ORDER and len(words) == 2 and words[1].isdecimal() and len(words[1]) > 3:
        return (*KEYWORDS[words[0]], words[0])  # "STOP 12345": the number it was to be sent to
    if "stp" in words and set(words) <= {"stp", "please"}:
        return (*KEYWORDS["stop"], "stop")  # in French it is a courtesy
    kept = tuple(word for word in words if word not in COURTESY) or words
    return _mistyped(kept) if 1 <= len(kept) <= 2 else None


def _exact(words: tuple[str, ...]) -> tuple[Kind, str, str] | None:
    if not words:
        return None
    if len(words) > 1 and len(set(words)) == 1:  # STOP STOP STOP
        words = words[:1]
    phrase = " ".join(words)
    if all(len(word) == 1 for word in words):
        phrase = "".join(words)  # s t o p
    if phrase in KEYWORDS:
        return (*KEYWORDS[phrase], phrase)
    glued = "".join(words)
    if len(words) > 1 and len(words[0]) <= 2 and glued in KEYWORDS:  # st op
        return (*KEYWORDS[glued], glued)
    if len(words) == 1 and (stretched := _STRETCHED.get(squeezed(phrase))) and phrase not in _REAL_WORDS:
        return (*KEYWORDS[stretched], stretched)
    return None


_STRETCHED: Final = {
    squeezed(word): word
    for word, (kind, _) in KEYWORDS.items()
    if kind == "opt_out" and len(word) > 3 and " " not in word
}


def _mistyped(words: tuple[str, ...]) -> tuple[Kind, str, str] | None:
    if len(words) == 2 and words[1] not in ("me", "all", "it", "this", "msg", "msgs", "text", "texts", "messages"):
        return None
    word = words[0]
    if word in _REAL_WORDS or not word.isascii():
        return None
    if word in _TRANSPOSED:
        return "opt_out", "en", "stop" if "t" in word else "end"
    for candidate, allowed in _TYPO_OF.items():
        if len(word) > 2 and abs(len(word) - len(candidate)) <= allowed and distance(word, candidate) <= allowed:
            return "opt_out", "en", candidate
    return None


def distance(one: str, other: str) -> int:
    """Damerau-Levenshtein distance (optimal string alignment) of two short words."""
    previous: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, previous, row = previous, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]

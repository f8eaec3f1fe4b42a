"""What makes words of refusal in other languages nobody's revocation: a question why, a report, a time, another thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from intelligence.gate.reading import fold
from intelligence.gate.rules import Rule, Verdict, after, before, clause, rule


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


# Times that end a refusal: "no me llame antes de las 9", "heute nicht anrufen".
_LIMITS: Final = _words(
    "antes despues hasta ahora hoy manana mientras cuando todavia aun avant apres jusqu maintenant aujourd pendant quand "
    "demain encore vor nach bis jetzt heute morgen wahrend wenn depois ate agora hoje amanha enquanto quando ainda prima "
    "dopo adesso oggi domani ancora voor tot nu vandaag vanavond wanneer przed po teraz dzis dzisiaj jutro kiedy "
    "до после сейчас сегодня завтра пока когда утром вечером לפני אחרי עכשיו היום מחר قبل بعد الآن الان اليوم غدا "
    "lunes martes miercoles jueves viernes sabado domingo lundi mardi mercredi jeudi vendredi samedi dimanche "
    "montag dienstag mittwoch donnerstag freitag samstag sonntag segunda terca quarta quinta sexta kl klokken for"
)
_NOW: Final = _words("ahora nu jetzt maintenant agora adesso teraz сейчас")
_LASTING: Final = _words("mas nunca plus jamais mehr nie mais piu meer nooit wiecej nigdy больше никогда igen mere")
_DAYS: Final = _words("hoy aujourd heute hoje oggi vandaag dzis dzisiaj сегодня היום اليوم")
# Something else that one ends or does not want: a contract, an order, an appointment.
_OTHER_THINGS: Final = _words(
    "linea contrato servicio cuenta plan cita pedido factura seguro recibo foto contrat commande rendez facture compte "
    "production vertrag bestellung termin rechnung konto wohnung consulta fatura conta plano linha boleto cartao pagamento "
    "kurs sohn tochter kind curso hijo hija cours fils fille filho filha corso figlio figlia cursus monsieur madame "
    "contratto ordine appuntamento fattura wizyty pozycji fakture rachunek factuur afspraak bestelling contract"
)
_WHY: Final = _words(
    "porque pourquoi warum wieso weshalb pq perche come waarom dlaczego czemu почему зачем למה لماذا ليش hvorfor"
)
# Who says "ich schreibe nicht" or "es hört auf" demands nothing.
_PERSONS: Final = _words("ich wir er es man ik wij hij zij ja my on ona я мы он она они jeg jag vi han hun אני")
_CAN: Final = _words("kann konnte konnten kan kunnen moge mozna")
_LINKS: Final = _words("lien bouton page enlace boton pagina link knop lenke odnosnik ссылка formulaire formulario")
_NOBODY: Final = _words("nadie personne niemand ninguem nessuno nikt никто ingen")
_RECEIVED: Final = _words(
    "bekomme bekam bekommen erhalte erhielt kriege krijg krijgen ontvang ontvangen kreeg far fik recibo llegan recois "
    "dostaje otrzymuje recebo ricevo получаю habe hab haben hatte kommen kamen gibt gab mache machen hay heb hebben tenho"
)
_FORGET: Final = _words(
    "forget olvides olvide oubliez oublie vergiss vergessen esqueca dimenticare vergeet zapomnij забудьте"
)
_ENGLISH_NO: Final = frozenset("dont cant wont not never didnt".split())
_NO: Final = r"(?:no|non|nao|nicht|nie|ne|n|niet|не|לא|ikke|kein)"
_AUXILIARY: Final = (
    r"(?:me|mi|m|nos|se|te|quiero|quero|voglio|veux|souhaite|voudrais|deseo|desejo|will|mochte|mich|wil|chce|prosze|mnie|"
    r"sie|mij|mi|хочу|меня|רוצה|vil|pas|den|das|de|dar|bitte|nie)"
)
_NEGATED: Final = re.compile(rf"(?<!\w){_NO}(?: {_AUXILIARY}){{0,4}}$")
_MISTAKE: Final = re.compile(
    r"por error|por engano|par erreur|aus versehen|per errore|per sbaglio|per ongeluk|przez pomylke|случайно"
)
_SAID: Final = re.compile(
    r"(?:dijo|dice|decir|disse|dire|sagte|hat gesagt|ha detto|powiedzial|zei|сказал) ?[:,]? $"
)  # quoted
_ARTICLES: Final = frozenset("el la los las un una o a os as um uma le les l des den die das il lo gli".split())
_MESSAGES: Final = re.compile(
    r"(?<!\w)(?:mens\w+|msgs?|msjs?|sms|corr\w+|e?mails?|textos?|llamad\w+|promo\w+|public\w+|spam|oferta\w*|nada|messag\w+|"
    r"pubs?|offres?|rien|nachricht\w*|werbung|anrufe?|propagandas?|messagg\w+|whatsapp\w*)(?!\w)"
)


def unlimited(match: re.Match[str]) -> Verdict | None:
    """A refusal in another language: ours unless asked why, limited in time, or about another thing."""
    led, follows = before(match, 4), after(match, 5)
    if {"por", "que"} <= set(led[-2:]) or _WHY.intersection(led) or _FORGET.intersection(led):
        return None
    if (
        _ENGLISH_NO.intersection(led[-1:])
        or _NOBODY.intersection(led[-1:] + follows[:1])
        or _RECEIVED.intersection(led)
    ):
        return None
    if _SAID.search(match.string, max(0, match.start() - 24), match.start()):
        return "hold"
    if _CAN.intersection(led[-2:]):
        return None
    lasting = _LASTING.intersection(match[0].split() + follows[:1])
    said = match[0].split()
    verb = next((word for word in reversed(said) if len(word) > 3), "")
    if re.search(rf"(?<!\w){re.escape(verb[:4])}\w*(?:me|nos)(?!\w)", match.string[match.end() : match.end() + 80]):
        return "hold"  # "no me llamen al trabajo, llamenme a casa"
    if _LIMITS.intersection(said + clause(match, 4)) - (_NOW if lasting else frozenset()):
        return "hold"
    if not lasting and (_I_WILL.search(match.string, match.end(), match.end() + 60) or _somebody(follows)):
        return "hold"
    if _DAYS.intersection(led) or _OTHER_THINGS.intersection(said + follows):
        return "hold"
    return "hold" if _a_thing(match, follows) else "opt_out"


def _somebody(follows: list[str]) -> bool:
    """ "n'appelez pas mon patron", "no llamen a mi mujer": not me."""
    follows = follows[1:] if follows[:1] == ["a"] else follows
    return bool(follows) and follows[0] in _MY and _NUMBERS.isdisjoint(follows[1:2])


_MY: Final = _words("mi mis mon ma mes mein meine meinen meiner meu minha mio mia mijn moj moja моего мою")
_NUMBERS: Final = _words(
    "daten dati dados datos donnees numero telefono celular telephone portable nummer handy telefon telefone cellulare numer"
)
_I_WILL: Final = re.compile(
    r"(?<!\w)(?:(?:te|le|les|lo|la|yo) (?:llamo|escribo|aviso)|je (?:vous |te )(?:r?appelle|ecris)|ich (?:rufe|melde|schreibe)|"
    r"eu (?:te |lhe )?(?:ligo|chamo|aviso)|(?:la|ti|vi) (?:chiamo|scrivo)|ik (?:bel|mail|app) (?:u|je|jullie))(?!\w)"
)


def _a_thing(match: re.Match[str], follows: list[str]) -> bool:
    """ "no me manden el azul": one thing of several is not wanted, not the sending."""
    sends = re.search(r"(?:^| )(?:mand|envi|envoy|schick|send|stuur|inv)\w*(?: (?:mas|plus|pas|mais|piu))?$", match[0])
    if not sends or not follows or _MESSAGES.search(" ".join(follows[:3])):
        return False
    return follows[0] in _ARTICLES or (follows[0] in ("a", "al", "de", "mas") and len(follows) > 1)


def leaving(match: re.Match[str]) -> Verdict | None:
    """Unsubscribing or being removed: ours unless it is what somebody does not want, or did by mistake."""
    led, rest = before(match, 5), clause(match, 5)
    if _NEGATED.search(" ".join(led)) or {"nicht", "niet", "ikke"}.intersection(rest[:4]):
        return "hold"
    if _MISTAKE.search(match.string, max(0, match.start() - 60), match.end() + 60):
        return "hold"
    if _LINKS.intersection(led):
        return "hold"
    if _LIMITS.intersection(rest[:3]) or _OTHER_THINGS.intersection(led + match[0].split() + after(match, 5)):
        return "hold"
    return None if _ENGLISH_NO.intersection(led[-1:]) else "opt_out"


def demanded(match: re.Match[str]) -> Verdict | None:
    """A refusal whose verb does not tell a wish from a report: who says it of himself, or of another, demands nothing."""
    return None if _PERSONS.intersection(before(match, 1)) else unlimited(match)


def ceasing(match: re.Match[str]) -> Verdict | None:
    """ "dejen de mandar …": to be stopped, unless it is not to be, or only one thing is."""
    verdict = leaving(match)
    return "hold" if verdict == "opt_out" and _a_thing(match, after(match, 5)) else verdict


def many(
    language: str, *patterns: str, check: Callable[[re.Match[str]], Verdict | None] = unlimited
) -> tuple[Rule, ...]:
    """Rules of one language and one check. The scope is the channel the words name, else that of the message."""
    return tuple(rule("revocation", "opt_out", fold(one), language=language, check=check) for one in patterns)

"""Taking back consent in German, Dutch and the Scandinavian languages."""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

from typing import Final

from intelligence.gate.abroad import ceasing, demanded, leaving, many
from intelligence.gate.rules import Rule

_START: Final = r"(?:^|(?<=[.!?,;\n] ))"
_END: Final = r"(?= ?(?:[.!?,;\n]|$|bitte|danke|aub|svp|alsjeblieft|tak|tack))"

_DE_THINGS: Final = (
    r"(?:nachrichten?|sms|e ?mails?|mails?|anrufe?|werbung|newsletter|kontakt|kontaktaufnahme|post|whatsapps?|spam)"
)
_DE_DO: Final = (
    r"(?:schreib|kontaktier|ruf|meld|belastig|stor|sms|textet|nerv|send|schick|mail|anschreib|anruf|anzuruf|kontakt)\w*"
)
_DE_TO_DO: Final = r"(?:anrufen|anschreiben|kontaktieren|schreiben|senden|schicken|zusenden|melden|storen|belastigen|texten|angerufen|kontaktiert|angeschrieben)"
_DE_ME: Final = (
    r"(?:mich|uns|meine (?:\w+ )?(?:nummer|daten|e ?mail\w*|mail\w*|adresse|telefonnummer|handynummer|kontaktdaten))"
)
_DE_LIST: Final = r"(?:aus|von) (?:ihr|eur|der|dem|dein|dies|all)\w* (?:\w+ )?(?:listen?|verteilern?|datenbank|kartei|mailingliste|adressbuch)"

GERMAN: Final = (
    *many(
        "de",
        r"stopp? (?:(?:die|alle|eure|ihre|bitte|mit|den) )*(?:nachrichten|werbung|anrufe?n?)",
        rf"kein(?:e|en|er)? (?:weiteren? |mehr |solchen? |eurer? |ihrer? |werbe )?{_DE_THINGS}(?: mehr)?",
        rf"{_DE_DO} (?:(?:sie|ihr|mich|mir|uns|bitte|euch|dich|hier|an|bei|ab|sofort|jetzt|unter|dieser|nummer) ){{0,5}}(?:nicht|nie|nichts|niemals|keine)(?: (?:mehr|wieder|an|weiter|nachrichten|sms))*",
        rf"(?:nicht (?:mehr|wieder|weiter)|nie (?:wieder|mehr)) (?:\w+ )?{_DE_TO_DO}|{_START}(?:bitte )?nicht {_DE_TO_DO}",
        r"lass\w* (?:(?:sie|ihr|bitte) ){0,2}(?:mich|uns) (?:bitte |endlich )?in (?:ruhe|frieden)|verpiss\w* (?:dich|euch)|zieh\w* leine|(?:hau|haut) ab|fick(?:t)? (?:dich|euch)|halt\w* (?:die|das|deine?) (?:klappe|fresse|maul|schnauze)|(?:jetzt|mir) reichts|schluss mit (?:\w+ )?(?:nachrichten|sms|anrufen|mails|werbung|spam)",
        rf"{_START}(?:(?:bitte|jetzt|endlich|also|und|dann|nun|hey|hallo|ok|doch) ){{0,3}}hor(?:t|en|e)? (?:(?:sie|bitte|endlich|sofort|mal|doch|jetzt) ){{0,3}}auf(?! (?:deine?n?|meine?n?|seine?n?|ihre?n?|den|dein|mein)(?!\w))(?: (?:mir|mich|uns|zu|damit|mit))*",
        r"(?:sie|ihr|du) (?:sollen|sollt|sollst|mussen|musst) (?:bitte |endlich |damit |sofort )*aufhoren|(?:konnen|konnten|wurden|konnt|konntet|kannst) (?:sie|ihr|du) (?:bitte |damit |mal |endlich )*aufhoren",
        check=demanded,
    ),
    *many(
        "de",
        rf"(?:mochte|will|wunsche|mochten|wollen|wunschen) (?:\w+ ){{0,3}}?(?:nicht|keine|keinen|nichts|nie)(?: (?:mehr|weiter|wieder))?(?: \w+){{0,3}}? (?:kontaktiert|angerufen|angeschrieben|{_DE_THINGS}|horen|erhalten|belastigt)",
        r"unterlass\w* (?:sie )?(?:das|dies|bitte|die kontakt\w+|jede\w* kontakt\w*|weitere \w+)|widerspr\w+ (?:\w+ ){0,4}?(?:nutzung|verwendung|verarbeitung|werbung|kontaktaufnahme|zusendung|speicherung|ansprache)|widerrufe? (?:\w+ ){0,2}(?:einwilligung|zustimmung|einverstandnis)",
    ),
    *many(
        "de",
        r"(?:abmelden|abbestellen|austragen|abgemeldet|abbestellung)|meld\w* (?:sie |mich |uns |ich )+(?:bitte )?ab(?! (?:\d|\w+tag|morgen|heute|nachst|mittwoch))|meld\w* (?:sie |bitte )*(?:mich|uns) (?:bitte )?(?:vom|von) (?:\w+ ){1,2}ab|trag\w* (?:sie |mich |uns )+(?:bitte )?aus|bestell\w* (?:\w+ ){0,3}ab",
        rf"(?:losch|entfern|streich)\w* (?:(?:sie|bitte|sofort) ){{0,3}}{_DE_ME}|(?:nehm|nimm)\w* (?:(?:sie|bitte) ){{0,2}}{_DE_ME} (?:bitte |sofort )?(?:{_DE_LIST}|raus|runter|heraus)|{_DE_LIST}|(?:meine )?(?:\w+ )?(?:nummer|daten|adresse|mailadresse) (?:\w+ )?(?:loschen|entfernen|streichen)",
        check=leaving,
    ),
)  # fmt: skip

_NL_DO: Final = r"(?:bel(?:len|t)?|stuur|sturen|mail(?:en)?|app(?:en)?|sms(?:en)?|contacteer|contacteren|schrijf|schrijven|benader(?:en)?)"
_NL_TO_DO: Final = (
    r"(?:bellen|sturen|appen|mailen|sms(?:en| en)?|contacteren|schrijven|benaderen|storen|lastigvallen|spammen)"
)
_NL_THINGS: Final = (
    r"(?:berichten|sms(?:jes| jes)?|mails?|e mails?|reclame|telefoontjes|oproepen|spam|nieuwsbrieven|contact)"
)
_NL_LIST: Final = r"(?:van|uit|af van) (?:(?:de|deze|die|jullie|je|uw|het|dit) )*(?:\w+ )?(?:lijst|lijsten|bestand|mailinglijst|mailing|database|systeem|adressenlijst)"

DUTCH: Final = (
    *many(
        "nl",
        rf"(?:wil|wens|hoef|willen) (?:\w+ ){{0,2}}?(?:geen|niet)(?: (?:meer|verder))?(?: \w+){{0,2}}? (?:{_NL_THINGS}|gebeld|benaderd|gecontacteerd|ontvangen)",
        r"trek (?:\w+ )?toestemming in",
    ),
    *many(
        "nl",
        rf"(?:(?:{_NL_DO}|val) (?:(?:me|mij|ons|alsjeblieft|aub|svp|a u b) ){{1,3}}|{_NL_DO} )(?:niet|nooit|niks|niets)(?: (?:meer|lastig|weer))*|{_NL_DO} (?:(?:me|mij|ons) )?geen (?:\w+ )?{_NL_THINGS}(?: meer)?|neem geen contact (?:meer )?(?:met (?:mij|me|ons) )?(?:meer )?op",
        rf"geen {_NL_THINGS} meer|{_START}geen {_NL_THINGS}{_END}|niet meer (?:te )?{_NL_TO_DO}|{_START}niet {_NL_TO_DO}|laat (?:me|mij|ons) met rust|(?:rot|donder|sodemieter|flikker|tyf) op|val dood",
        check=demanded,
    ),
    *many(
        "nl",
        rf"(?:stop|stoppen|hou op|houd op|kap|ophouden) met (?:\w+ ){{0,2}}?(?:{_NL_TO_DO}|sms\w*|berichten|contact\w*)",
        check=ceasing,
    ),
    *many(
        "nl",
        rf"afmelden|uitschrijven|(?:me|mij) (?:\w+ )?{_NL_LIST} (?:te )?(?:halen|verwijderen|schrappen)|mijn (?:telefoon)?(?:nummer|gegevens) (?:\w+ )?(?:verwijderen|wissen|schrappen)|schrijf (?:me|mij) uit|meld (?:ik )?(?:me|mij) af|(?:haal|verwijder) (?:me|mij|ons)(?: (?:even|aub|svp|direct|nu))*(?: {_NL_LIST}|{_END})|(?:haal|verwijder|wis) mijn (?:telefoon)?(?:nummer|gegevens|naam|mail\w*|adres)",
        check=leaving,
    ),
)  # fmt: skip

_DA_DO: Final = r"(?:skriv|ring|send|skick|sms|kontakt|mess|stor|forstyr|spam)\w*"

SCANDINAVIAN: Final = (
    *many("da",
        r"(?:onsker|vil|vill|vil gerne) (?:ikke|inte) (?:\w+ ){0,4}?(?:kontakt\w*|beskeder|meddelanden|sms\w*|mails|opkald|ringet|reklame\w*)|lad mig v(?:æ|ae|a)re(?: i fred)?(?= ?(?:[.!?,;\n]|$))|lad mig v\w+ i fred|lamna mig (?:i ?fred|ifred)|la meg v\w+ i fred|(?:^|(?<=[.!?,;\n] ))(?:skrid|skrub af|dra at helvete|stick)(?= ?(?:[.!?,;\n]|$))",
    ),
    *many(
        "da",
        rf"(?:ingen|ikke|inga|inte) (?:flere|fler) (?:beskeder|meddelanden|meldinger|sms\w*|opkald|samtal|mails|mejl)|(?:skriv|ring|send|kontakt|skicka|kontakta|messa)\w* (?:\w+ ){{0,2}}?(?:ikke|inte|aldrig|aldri)(?: (?:mer|mere|flere|igen|igjen|til))?|(?:ikke|inte|aldrig|aldri) (?:\w+ )?{_DA_DO}(?: (?:mig|meg|mer|mere|flere|til|til mig))+",
        check=demanded,
    ),
    *many(
        "da",
        rf"(?:stop med|hold op med|slut med|sluta(?: med)?|slutt(?: med)?) (?:at |a |att )?(?:\w+ )?{_DA_DO}",
        check=ceasing,
    ),
    *many(
        "da",
        r"(?:afmeld|frameld|avmeld|avregistrera|avanmal)\w*(?: (?:mig|meg|oss))?|(?:meld|tag|fjern|slet|slett|ta bort|ta|stryk) (?:mig|meg|oss|mitt? \w+|mit \w+)(?: \w+){0,2}? ?(?:af|fra|av|bort|vekk|listen|listan)?(?= ?(?:[.!,;\n]|$|tak|venligst|fra|fran))",
        check=leaving,
    ),
)  # fmt: skip

OPT_OUT: Final[tuple[Rule, ...]] = (*GERMAN, *DUTCH, *SCANDINAVIAN)

"""Taking back consent in other languages: the common ways in Spanish, French, German and Portuguese, a few beyond."""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.reading import fold
from intelligence.gate.rules import Rule, Verdict, after, before, rule

_LIMITS: Final = frozenset(
    fold(word)
    for word in (
        "antes despues hasta ahora hoy manana mientras cuando avant apres jusqu maintenant aujourd pendant quand demain vor nach bis jetzt heute "
        "morgen wahrend wenn depois ate agora hoje amanha enquanto quando prima dopo adesso oggi"
    ).split()
)


# Something else that one ends or does not want: a contract, an order, an appointment.
_OTHER_THINGS: Final = frozenset(
    fold(word)
    for word in (
        "linea contrato servicio cuenta plan cita pedido factura seguro contrat commande rendez facture compte vertrag bestellung "
        "termin rechnung konto consulta fatura conta plano linha contratto ordine appuntamento fattura"
    ).split()
)
# "no me manden el azul": one thing of several is not wanted, not the sending.
_ARTICLES: Final = frozenset("el la los las un una o a os as um uma le les das den die".split())
_MESSAGES: Final = re.compile(
    r"(?<!\w)(?:mens\w+|sms|corr\w+|e?mails?|textos?|llamad\w+|promo\w+|public\w+|spam|oferta\w*|nada)(?!\w)"
)
_ENGLISH_NO: Final = frozenset("dont cant wont not never didnt".split())


def _unlimited(match: re.Match[str]) -> Verdict | None:
    led, follows = before(match, 3), after(match, 5)
    if {"forget", "olvides", "olvide", "oubliez", "oublie", "vergiss", "esqueca"}.intersection(led):
        return None
    if _ENGLISH_NO.intersection(led[-1:]):
        return None
    if _LIMITS.intersection(follows[:4]) or _OTHER_THINGS.intersection(follows):
        return "hold"
    sends = match[0].split()[-1].startswith(("mand", "envi"))
    if sends and _ARTICLES.intersection(follows[:1]) and not _MESSAGES.search(" ".join(follows[:3])):
        return "hold"
    return "opt_out"


def _many(language: str, *patterns: str, scope: str = "channel") -> tuple[Rule, ...]:
    return tuple(
        rule("revocation", "opt_out", fold(pattern), language=language, check=_unlimited, scope=scope)  # type: ignore[arg-type]
        for pattern in patterns
    )


_ES_VERB: Final = "mand|envi|escrib|llam|contact|molest|texte|marc|hostig|busqu|insist|fastidi"
_FR_VERB: Final = "contact|appel|ecri|envo|derang|text|relanc|harcel|sollicit|spam|telephon|adress|embet"
_PT_VERB: Final = "mand|envi|lig|escrev|contat|contact|perturb|incomod|cham|liguem|telefon|importun|spam"

OPT_OUT: Final[tuple[Rule, ...]] = (
    *_many(
        "es",
        rf"no (?:(?:me|nos|quiero|queremos|deseo|deseamos|que|vuelvan?|vuelvas|a|sigan?|sigas|mas|ya|se|le|autorizo|deben?|puedes?) ){{0,5}}(?:{_ES_VERB})\w*(?: mas| nunca)?",
        r"no (?:quiero|deseo|queremos|deseamos|necesito) (?:(?:seguir|mas|volver|a|que|me|ya|ser|sus|tus|estos|estas|los|las|ningun|ninguna|saber|nada) ){0,4}(?:recib\w+|mensajes?|llamadas?|correos?|sms|publicidad|promociones|spam|contactad[oa]|de (?:ustedes|ti|vosotros))",
        r"(?:deja|dejen|dejes|deje|dejad|para|paren|pare|pares|parad|basta|cesen|eviten) (?:ya )?de (?:\w+ ){0,2}?(?:" + _ES_VERB + r")\w*",
        r"(?:ni|ya no|nunca) (?:me |nos )(?:\w+ )?(?:" + _ES_VERB + r")\w*",
        r"(?:deja|dejen|deje|dejad)(?:me|nos)(?: ya)? (?:en paz|tranquil[oa]s?)",
        r"no mas (?:\w+ )?(?:mensajes?|llamadas?|correos?|sms|publicidad|textos?|spam|whatsapps?)|basta de (?:\w+ )?(?:mensajes?|llamadas?|correos?|sms|publicidad|spam)",
        r"(?:dar|den|de|da|dé|dame|deme|denme|danos|darme|darnos|darse|quiero darme|date|me doy|solicito la|quiero la|pido la|tramitar la)(?:me|nos)? ?(?:de )?baja(?! (?:de |la |a )?(?:mi |la |el )?(?:cita|precio|temperatura|app|aplicacion|velocidad))",
        r"(?:quita|quite|quiten|borra|borre|borren|elimina|elimine|eliminen|saca|saque|saquen|remueva|remuevan|retira|retire|retiren|borrar|eliminar|quitar|sacar|dese)(?:me|nos|n)(?: ya)?(?: (?:de|del) (?:\w+ ){0,2}(?:lista|base|sistema|registro|contactos))?",
        r"(?:quit|borr|elimin|olvid|retir|sac)\w{1,4} (?:por favor )?(?:mi|este|nuestro) (?:numero|telefono|correo|contacto|email|celular|nombre)",
        r"desuscrib\w+|desinscrib\w+|cancel\w+ (?:los|estos|sus|tus) (?:mensajes|sms|correos|envios|textos)|vete a la mierda|vayanse a la mierda|no molest\w+|pierda mi numero",
        r"cancel\w+ (?:la |mi |esta )?suscripcion (?:a|de) (?:los |estos |sus |tus )*(?:mensajes|sms|correos|envios|textos)|(?:revoco|retiro|anulo) (?:mi |el )?consentimiento",
    ),
    *_many(
        "fr",
        rf"(?:ne |n )(?:(?:me|m|nous|plus|jamais|pas|surtout|veux|souhaite|voulons|desire|souhaitons|etre|que|vous|y|l) ){{0,6}}(?:{_FR_VERB})\w*(?: (?:plus|jamais|pas|rien))?",
        rf"(?:me |m |nous )?(?:{_FR_VERB})\w* (?:moi )?(?:plus|plus jamais)(?= ?(?:[.!,;\n]|$|de|svp|s il|merci|jamais|rien))",
        rf"(?:arret\w*|cess\w*|stopp?\w*) (?:tout de suite |immediatement |svp |s il vous plait )?(?:(?:de|d|vos|votre|tes|les|ces|m|me|nous|tous) ){{0,3}}(?:{_FR_VERB}|sms|messages?|mails?|e mails|courriels?|appels?|pub)\w*",
        r"(?:ne |n |je )?(?:veux|souhaite|voulons|desire|souhaitons|voudrais) (?:plus|pas|ne plus|ne pas)(?: (?:recevoir|etre|avoir|entendre|de|vos|aucun|ces|des|que|vous))+ ?(?:\w+ )?(?:sms|messages?|mails?|courriels?|appels?|contacte\w*|derange\w*|pub\w*|parler|nouvelles|newsletters?|sollicit\w+|offres)?",
        r"(?:desabonn|desinscri)\w*(?: moi)?",
        r"(?:retir|supprim|enlev|effac|ray|oubli|sort)\w* (?:moi|nous|mon (?:numero|nom|adresse|mail|email|contact|telephone)|mes (?:donnees|coordonnees|informations))",
        r"(?:me |m )(?:retirer|supprimer|enlever|rayer|desabonner|desinscrire)",
        r"(?:laiss|fich|fout)\w* (?:moi|nous) (?:tranquilles?|en paix|la paix)",
        r"plus (?:de|aucun|d) (?:sms|messages?|mails?|e mails?|courriels?|appels?|pub\w*|spams?)(?= ?(?:[.!,;\n]|$|svp|s il|merci))",
    ),
    *_many(
        "de",
        r"kein(?:e|en|er)? (?:weiteren? |mehr |solchen? |eurer? |ihrer? |werbe )?(?:nachrichten?|sms|e ?mails?|mails?|anrufe?|werbung|newsletter|kontakt|kontaktaufnahme|post|whatsapps?)(?: mehr)?",
        r"(?:schreib|kontaktier|ruf|meld|belastig|stor|sms|textet|nerv|send|schick|mail|anschreib|anruf|anzuruf|kontakt)\w* (?:(?:sie|ihr|mich|mir|uns|bitte|euch|dich|hier|an|bei|ab|sofort|jetzt|unter|dieser|nummer) ){0,5}(?:nicht|nie|nichts|niemals|keine)(?: (?:mehr|wieder|an|weiter|nachrichten|sms))*",
        r"nicht (?:mehr|wieder|weiter) (?:\w+ )?(?:anruf|anschreib|kontakt|schreib|send|schick|zusend|stor|belastig|angerufen)\w*",
        r"(?:mochte|will|wunsche|mochten|wollen) (?:\w+ ){0,3}?(?:nicht|keine|keinen|nichts|nie)(?: (?:mehr|weiter|wieder))?(?: \w+){0,3}? (?:kontaktiert|angerufen|angeschrieben|nachrichten|sms|anrufe|mails|e mails|horen|werbung|erhalten|bekommen|belastigt|kontakt)",
        r"hor\w* (?:(?:sie|bitte|endlich|sofort|mal) ){0,3}auf(?: (?:mir|mich|uns|zu|damit|mit))*",
        r"lass\w* (?:(?:sie|ihr|bitte) ){0,2}(?:mich|uns) (?:bitte |endlich )?in (?:ruhe|frieden)",
        r"(?:abmelden|abbestellen|austragen|abgemeldet|abbestellung)|meld\w* (?:sie |mich |uns )+(?:bitte )?ab|trag\w* (?:sie |mich |uns )+(?:bitte )?aus|bestell\w* (?:\w+ ){0,3}ab",
        r"(?:losch|entfern|streich|nehm|nimm)\w* (?:(?:sie|bitte|mich|uns) ){0,3}(?:mich|uns|meine (?:\w+ )?(?:nummer|daten|e ?mail\w*|mail\w*|adresse|telefonnummer|handynummer|kontaktdaten)|aus (?:\w+ )?(?:liste|verteiler|datenbank|kartei))",
        r"aus (?:ihr|eur|der|dem|dein|dies)\w* (?:\w+ )?(?:liste|verteiler|datenbank|mailingliste|kartei)|widerrufe? (?:\w+ ){0,2}(?:einwilligung|zustimmung|einverstandnis)|verpiss\w* (?:dich|euch)|zieh\w* leine|unterlass\w* (?:sie )?(?:das|dies|bitte|die kontakt\w+|jede\w* kontakt\w*|weitere \w+)",
    ),
    *_many(
        "pt",
        rf"(?:nao|nunca)(?: mais)? (?:(?:me|nos|quero|desejo|queremos|que|voltem?|a|mais|ser|precisa|autorizo|gostaria|de|favor|por|fiquem?|continuem?) ){{0,5}}(?:{_PT_VERB})\w*(?: mais)?",
        r"nao (?:quero|desejo|queremos|gostaria|preciso|aguento)(?: (?:mais|de|receber|seus|suas|essas|esses|estas|estes|ter|ver|nenhuma?|ouvir|falar))+ ?(?:mensagens|mensagem|ligacoes|emails|sms|e mails|contato|contatos|promocoes|propagandas?|voces|nada|spam)?",
        rf"(?:pare|parem|para|parar|deixe|deixem|deixa|chega|cessem) (?:ja )?(?:de|com) (?:(?:me|nos|ficar|essas?|esses?|as|os|tantas?) ){{0,3}}(?:{_PT_VERB}|mensagens|ligacoes|sms|emails|spam|propaganda)\w*",
        r"(?:me )?(?:tir|remov|retir|exclu|apag|delet)\w* (?:(?:me|o|meu|minha|esse|este|nosso) )*(?:(?:d\w+ )?(?:\w+ )?(?:lista|base|cadastro|sistema)|(?:meu|o meu|esse|este) (?:numero|nome|contato|telefone|email|celular)|numero|meus dados)",
        r"me (?:tir|remov|retir|exclu|descadastr|apag)(?:e|a|em|am|ir|ar|er|am)(?= ?(?:[.!,;\n]|$|d\w+|por favor|ja))",
        r"descadastr\w+|desinscrev\w+|cancel\w+ (?:as|essas|estas|esses|os|o envio) ?(?:de )?(?:mensagens|sms|emails|envios)?|(?:me |nos )?deix\w+ (?:me )?em paz|vai se foder|vao se foder|vai a merda|esquec\w+ (?:o )?meu numero|sem mais mensagens|chega de (?:mensagens|ligacoes|spam)",
        r"(?:quero|queremos|gostaria de|desejo|preciso) sair (?:d\w+ ){1,2}(?:lista|grupo|cadastro|envios?)|nao (?:entrem?|entrar) (?:mais )?em contato|cancel\w+ (?:a |o )?(?:minha|meu) (?:inscricao|cadastro)(?! (?:n[oa]|d[oa]) (?:curso|evento|prova|aula))|(?:revogo|retiro) (?:o )?(?:meu )?consentimento",
    ),
    *_many(
        "it",
        r"non (?:(?:mi|ci|voglio|desidero|vogliamo|piu|essere|ricevere|che|dovete|vi|permetto|di) ){0,5}(?:scriv|contatt|chiam|mand|invi|disturb|telefon|messagg|ricev|sms|email|chiamate)\w*(?: piu| mai piu)?",
        r"(?:smett|finit|pianta)\w* (?:di|con) (?:\w+ ){0,2}?(?:scriv|contatt|chiam|mand|invi|disturb|messagg|telefon)\w*",
        r"(?:cancell|rimuov|elimin|togli)\w*(?:mi|temi|ci)(?: \w+){0,3}|disiscriv\w*|lascia\w*(?:mi|ci) (?:in pace|stare)|basta (?:con )?(?:\w+ )?(?:messaggi|sms|chiamate|email|mail|pubblicita)",
        r"(?:cancell|rimuov|elimin|togli)\w* (?:il mio|questo|i miei) (?:numero|contatto|dati|nome|indirizzo|email)|(?:revoco|ritiro) (?:il )?(?:mio )?consenso",
    ),
    *_many(
        "nl",
        r"(?:bel|stuur|mail|app|sms|contacteer|schrijf|benader|bericht|val)\w* (?:(?:me|mij|ons|alsjeblieft|aub|svp|a u b) ){0,3}(?:niet|nooit|geen)(?: (?:meer|lastig|berichten|weer))*",
        r"(?:wil|wens|hoef|willen) (?:\w+ ){0,2}?(?:geen|niet)(?: (?:meer|verder))?(?: \w+){0,2}? (?:berichten|sms|mails?|telefoontjes|gebeld|benaderd|gecontacteerd|ontvangen|reclame|contact)",
        r"geen (?:berichten|sms|mails?|reclame|telefoontjes|oproepen|contact) meer|afmelden|uitschrijven|schrijf (?:me|mij) uit|meld (?:me|mij) af|laat (?:me|mij|ons) met rust|haal (?:me|mij|mijn \w+) (?:\w+ ){0,3}(?:af|uit|van|lijst)|verwijder (?:me|mij|mijn \w+)|(?:stop|hou op) met (?:\w+ )?(?:bellen|sturen|mailen|appen|sms\w*|berichten|contact\w*)|rot op",
    ),
    *_many(
        "da",
        r"(?:afmeld|frameld|avmeld|avregistrera|avanmal)\w*(?: (?:mig|meg|oss))?|(?:meld|tag|fjern|slet|slett|ta bort|ta|stryk) (?:mig|meg|oss|mitt? \w+|mit \w+)(?: \w+){0,2}? ?(?:af|fra|av|bort|vekk|listen|listan)?(?= ?(?:[.!,;\n]|$|tak|venligst|fra|fran))|(?:stop|slut|sluta|slutt|hold op) (?:\w+ )?(?:med )?(?:at |a |att )?(?:\w+ )?(?:skriv|ring|send|skick|sms|kontakt|mess|stora|forstyr)\w*|ingen flere (?:beskeder|sms|opkald|mails)|inga fler (?:meddelanden|sms|samtal|mejl)|(?:ikke|inte|aldrig|aldri) (?:\w+ )?(?:skriv|ring|send|skicka|kontakt|sms)\w*(?: (?:mig|meg|mer|mere|flere|til|til mig))+|(?:skriv|ring|send|kontakt|skicka|kontakta)\w* (?:\w+ ){0,2}?(?:ikke|inte|aldrig|aldri)(?: (?:mer|mere|flere|igen|igjen|til))?|lad mig v\w+|lamna mig i fred|la meg v\w+ i fred",
    ),
    *_many(
        "pl",
        r"wypisz\w*|wypisac|(?:prosze )?nie (?:dzwon|pisz|wysyl|kontakt|przysyl|zycze sobie|chce)\w*(?: \w+){0,3}|usun\w* (?:moj|mnie|moje|ten) ?(?:numer|dane|adres|z listy)?|przestan\w* (?:dzwon|pis|wysyl|mnie)\w*|daj\w* mi spokoj|odczep\w* sie",
    ),
    *_many(
        "ru",
        r"отпиш\w*|отписат\w*|(?:больше )?не (?:надо |нужно |хочу |смейте )?(?:мне |больше |получать |ваши |вам )*(?:пиш|звон|присыл|шл|беспоко|отправл|смс|сообщ|писать|рассыл|слать)\w*|(?:хватит|прекрат\w*|перестан\w*|переста\w*|довольно) (?:мне |уже )?(?:пис|звон|присыл|слат|беспоко|спам|отправл|рассыл|слать)\w*|удалит?\w* (?:меня|мой|этот|мо[ие]) ?(?:номер|данные|из \w+)?|оставьте? меня в покое|отвал\w*|отстань\w*|уберите меня",
    ),
    *_many(
        "he",
        r"(?:תפסיקו|תפסיק|להפסיק|הפסיקו|הפסק|די|תפסיקי)(?: \w+){0,2}? (?:לשלוח|להתקשר|להטריד|לסמס|להציק|לפנות)(?: \w+){0,2}|(?:הסירו|הסר|תסירו|תסיר|להסיר|תמחקו|תורידו|מחקו|תוציאו|הורידו) (?:אותי|את המספר|את השם|בבקשה|מרשימת|מהרשימה)(?: \w+)?|(?:לא|אל) (?:\w+ )?(?:לשלוח|תשלחו|תתקשרו|להתקשר|מעוניין לקבל|רוצה לקבל|לפנות|תפנו|תסמסו)(?: \w+){0,2}|עזבו אותי|תעזבו אותי|הסרה",
    ),
    *_many(
        "ar",
        r"(?:توقف\w*|كف\w*|اوقف\w*) (?:عن )?(?:\w+ )?(?:ارسال|الارسال|مراسلتي|الاتصال|ازعاجي|الرسائل|التواصل)(?: \w+)?|لا (?:\w+ )?(?:ترسل|تتصل|تراسل|تتواصل|تزعج|اريد|ارغب)\w*(?: \w+){0,3}|(?:احذف\w*|ازل\w*|شيل\w*|ازاله|حذف|ازيلوا) (?:رقمي|اسمي|اشتراكي|بياناتي|ني)|الغاء (?:ال)?اشتراك\w*|اتركوني(?: \w+)?|اتركني(?: \w+)?",
    ),
    *_many(
        "ja",
        r"\w*(?:配信停止|配信を停止|送らないで|連絡しないで|電話しないで|メールしないで|解除して|退会|やめてください)\w*",
    ),
    *_many("zh", r"\w*(?:退订|退訂|不要再(?:发|发送|打|联系|給|给|傳|聯繫|發)|别再(?:发|打|联系)|取消订阅|請勿再|请勿再|停止发送|停止發送)\w*"),
    *_many("ko", r"\w*(?:수신거부|수신 거부|보내지 마|연락하지 마|전화하지 마|문자하지 마|그만 보내|구독 취소|구독취소)\w*"),
    *_many("tr", r"(?:bana |beni )?(?:bir daha |artik )?(?:mesaj |sms |mail )?(?:atma|gonderme|arama|yazma|rahatsiz etme)(?:yin|yiniz|y in)?(?: artik)?|listeden cikar\w*|abonelik\w* iptal\w*|numaram[iı]? sil\w*"),
)  # fmt: skip

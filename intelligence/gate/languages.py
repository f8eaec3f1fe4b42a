"""Taking back consent in other languages: Spanish, Portuguese, Italian and French here, the rest in `northern` and `eastern`.

What is demanded is told from what is reported by the form of the verb: "no me llamen" is a wish, "no me llaman" a report.
"""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

from typing import Final

from intelligence.gate import eastern, northern
from intelligence.gate.abroad import ceasing, leaving, many
from intelligence.gate.rules import Rule, rule

_END: Final = r"(?= ?(?:[.!?,;\n]|$|por favor|porfa|gracias|ya |svp|s il|merci|per favore|grazie|subito))"

_ES_DO: Final = r"(?:(?:mand|envi|llam|contact|molest|mensaje|fastidi|habl)(?:e|es|en|eis|ar|arme|arnos|ando|andome)|texte\w{0,2}|(?:marqu|busqu|hostigu|vuelv)(?:e|es|en)|(?:escrib|insist)(?:a|as|an|ais|ir|irme|irnos|iendo)|jod(?:a|as|an|er|erme)|ching(?:ue|uen|ues|ar))"
_ES_TO_DO: Final = r"(?:mand|envi|llam|contact|molest|texte|mensaje|fastidi|marc|hostig|busc|spame|ching)ar(?:me|nos|le)?|(?:escrib|insist|recib)ir(?:me|nos)?|joder(?:me|nos)?|(?:mand|envi|llam|molest|contact|chate)ando(?:me|nos)?|escribiendo(?:me|nos)?"
_ES_THINGS: Final = r"(?:mensaj\w+|msjs?|msgs?|sms|textos?|llamadas?|correos?|e?mails?|promociones|publicidad|spam|ofertas|whatsapps?|notificaciones)"
_ES_LIST: Final = r"de (?:su|sus|la|las|esta|tu|tus|esa|el|este|todas|todos)(?: \w+){0,2}? ?(?:listas?|base|sistema|registros?|contactos|envios|mensajes|agenda)(?! de espera)"

SPANISH: Final = (
    *many(
        "es",
        rf"no (?:(?:me|nos|quiero|queremos|deseo|deseamos|que|vuelvan?|vuelvas|a|esten?|estes|sigan?|sigas|mas|ya|se|le|autorizo|deben?|puedes?) ){{0,5}}{_ES_DO}(?: mas| nunca)?",
        rf"no (?:quiero|deseo|queremos|deseamos|necesito|autorizo|acepto) (?:(?:seguir|mas|volver|a|que|me|ya|ser|sus|tus|estos|estas|los|las|ningun|ninguna|saber|nada|el) ){{0,4}}(?:recib\w+|{_ES_THINGS}|contacto|contactad[oa]|molestad[oa]|de (?:ustedes|ti|vosotros))",
        rf"(?:ni|ya no|nunca) (?:me |nos )(?:\w+ )?{_ES_DO}",
        rf"no (?:recibir )?mas (?:\w+ )?{_ES_THINGS}|basta (?:ya )?de (?:\w+ )?{_ES_THINGS}|(?:^|(?<=[.!?,;\n] ))no (?:recibir )?{_ES_THINGS}{_END}",
        r"(?:vete|vayanse|vayase|andate|vayan) (?:a la mierda|al (?:carajo|diablo|infierno))|chinga(?:te|tu madre| tu madre)|chinguen (?:a )?su madre|(?:no )?me (?:dejen|deja|deje) en paz|pierda mi numero|no me interesan? (?:recibir )?(?:sus|tus) (?:\w+ )?(?:mensajes|llamadas|correos|sms)|no me interesa recibir (?:mas )?(?:mensajes|llamadas|correos|sms|publicidad)|(?:dije|pedi|he dicho|he pedido|avise) que (?:no (?:me )?|ya no |ya )?(?:paren?|dejen?|basta|escriban?|llamen?|manden?)",
    ),
    *many(
        "es",
        rf"(?:deja|dejen|dejes|deje|dejad|dejar|para|paren|pare|pares|parad|parar|basta|cesen|cese|eviten) (?:ya )?de (?:\w+ ){{0,2}}?(?:{_ES_TO_DO})|(?:deja|dejen|deje|dejad)(?:me|nos)(?: ya)? (?:en paz|tranquil[oa]s?)",
        rf"(?:stop|parenle|parele|parale|detener|detengan|detenga|parar|paren|pare|cesen|cese|cancel\w+) (?:(?:ya|de|con|los|las|estos|estas|sus|tus|mis|todos|todas|la|suscripcion|a|mi) ){{0,4}}{_ES_THINGS}",
        check=ceasing,
    ),
    *many(
        "es",
        r"(?:dar|den|da|dame|deme|denme|danos|darme|darnos|darse|date|me doy|me de|me den|de(?: de)|solicito la|quiero la|pido la|tramitar la)(?:me|nos)? ?(?:de )?baja(?! (?:de |la |a )?(?:mi |la |el )?(?:cita|precio|temperatura|app|aplicacion|velocidad))|(?:^|(?<=[.!?,;\n] ))baja de (?:la|su|tu) (?:lista|suscripcion|newsletter)",
        rf"(?:quit|borr|elimin|sac|saqu|remuev|retir|sac)\w{{1,4}}(?:me|nos)(?: ya)?(?:{_END}| {_ES_LIST})|(?:quit|borr|elimin|saqu|retir)\w{{1,2}}n?me (?:ya )?{_ES_LIST}|me (?:(?:pueden?|podrian?|puedes|podrias) )?(?:quit|borr|elimin|saqu|sac|retir)\w+ {_ES_LIST}|(?:quiero |quisiera )?salir (?:de|del) (?:\w+ )?lista(?! de espera)",
        r"(?:quit|borr|elimin|olvid|retir|sac|saqu)\w{1,4} (?:por favor )?(?:mi|este|nuestro) (?:numero|telefono|correo|contacto|email|celular|nombre)(?! (?:viejo|anterior|antiguo))|(?:borr|elimin)\w{1,3} (?:todos )?mis datos|desuscrib\w+|desinscrib\w+|(?:revoco|retiro|anulo) (?:mi |el )?consentimiento",
        check=leaving,
    ),
)  # fmt: skip

_PT_DO: Final = r"(?:(?:mand|envi|contat|contact|perturb|incomod|cham|telefon|importun|spam|procur)(?:e|es|em|ar|arem|ando|ad[oa])|lig(?:ue|ues|uem|ar|ando)|escrev(?:a|as|am|er|endo))"
_PT_TO_DO: Final = r"(?:mand|envi|lig|contat|contact|perturb|incomod|cham|telefon|importun|spam)ar|escrever|encher|receber|entrar em contato"
_PT_THINGS: Final = (
    r"(?:mensage[nm]s?|msgs?|ligac\w+|sms|e ?mails?|contatos?|promoc\w+|propagandas?|publicidade|spam|coisas)"
)
_PT_LIST: Final = r"(?:d\w+ )?(?:\w+ )?(?:listas?|base|cadastro|sistema|mailing|contatos)"

PORTUGUESE: Final = (
    *many(
        "pt",
        rf"(?:nao|nunca)(?: mais)? (?:(?:me|nos|quero|desejo|queremos|que|voltem?|a|mais|ser|precisa|autorizo|gostaria|de|favor|por|fiquem?|continuem?) ){{0,5}}{_PT_DO}(?: mais)?",
        r"(?:nao|nunca)(?: mais)? (?:me|nos) (?:mais )?(?:mand|envi|cham|lig|contat|perturb|incomod)a(?:(?: mais)? (?:mais|nada|msgs?|mensage\w+|nunca mais|por favor)|(?= ?(?:[.!\n]|$)))",
        rf"nao (?:quero|desejo|queremos|gostaria|preciso|aguento|autorizo)(?: (?:mais|de|receber|seus|suas|essas|esses|estas|estes|ter|ver|nenhuma?|ouvir|falar|o|a))* (?:receber(?: isso| nada)?|{_PT_THINGS}|nada(?= mais| de voces| ?(?:[.!,;\n]|$))|voces)|nao (?:entrem?|entrar) (?:mais )?em contato|nao receber mais",
        r"(?:me |nos )?deix\w+ (?:me )?em paz|vai se f[ou]der|vao se f[ou]der|v(?:ai|a|ao) a merda|v(?:ai|ao) tomar no cu|(?:^|(?<=[.!?,;\n] ))(?:me erra|me esquec[ea]m?|some daqui|sai fora|cai fora)(?= ?(?:[.!?,;\n]|$))|esquec\w+ (?:o )?meu numero|sem mais mensagens|ja (?:falei|pedi|disse) (?:pra|para|que) (?:\w+ )?(?:parar|parem?|nao)",
        r"como (?:eu )?(?:faco (?:pra|para) )?(?:sair|saio|me descadastr\w+|cancel\w+|nao receber|parar)(?: mais)?(?= ?(?:[?.!]|$)| d\w+ lista| de receber| (?:as |essas |estas |esses )?(?:mensage|msg|sms|envios))",
    ),
    *many(
        "pt",
        rf"stop (?:com )?{_PT_THINGS}|(?:pare|parem|para|parar|deixe|deixem|deixa|chega|cessem) (?:ja )?(?:de|com) (?:(?:me|nos|ficar|essas?|esses?|as|os|tantas?) ){{0,3}}(?:{_PT_TO_DO}|{_PT_THINGS})",
        check=ceasing,
    ),
    *many(
        "pt",
        rf"(?:me )?(?:tir|remov|retir|exclu|apag|delet)\w* (?:(?:me|o|meu|minha|esse|este|nosso|todos|os) )*(?:{_PT_LIST}|(?:meu|o meu|esse|este) (?:numero|nome|contato|telefone|email|celular)(?! antigo)|numero|meus dados)",
        r"me (?:tir|remov|retir|exclu|descadastr|apag)(?:e|a|i|em|am|ir|ar|er|am)(?= ?(?:[.!,;\n]|$)| (?:daqui|dai|disso|dessa|por favor|ja)(?!\w))",
        r"descadastr\w+|desinscrev\w+|cancel\w+ (?:o |os )?(?:recebimento|envio)|cancel\w+ (?:as|essas|estas|esses|os|o envio) ?(?:de )?(?:mensagens|sms|emails|envios)?|(?:quero|queremos|gostaria de|desejo|preciso) sair (?:d\w+ ){1,2}(?:lista|grupo|cadastro|envios?|whatsapp)|(?:^|(?<=[.!?,;\n] ))(?:sair|remover|cancelar|desativar) (?:d\w )?(?:lista|whatsapp|envios?)|cancel\w+ (?:a |o )?(?:minha|meu) (?:inscricao|cadastro)(?! (?:n[oa]|d[oa]) (?:curso|evento|prova|aula))|(?:revogo|retiro) (?:o )?(?:meu )?consentimento",
        check=leaving,
    ),
)  # fmt: skip

_IT_DO: Final = r"(?:(?:contatt|chiam|mand|invi|disturb|telefon|messaggi|import?un)(?:are|ate|i|armi|arci|atemi|ateci|ando)|scriv(?:ere|ete|a|i|ermi|erci|etemi|eteci)|romp(?:ere|ete|etemi|ermi))"
_IT_THINGS: Final = r"(?:messaggi|sms|chiamate|e?mails?|pubblicita|spam|comunicazioni|telefonate|offerte)"

ITALIAN: Final = (
    *many(
        "it",
        rf"non (?:(?:mi|ci|voglio|desidero|vogliamo|piu|essere|che|dovete|vi|permetto|di|si) ){{0,5}}{_IT_DO}(?: piu| mai piu)?",
        rf"non (?:voglio|desidero|vogliamo|desideriamo) (?:(?:piu|ricevere|altri|altre|i|le|vostri|vostre|questi|queste|essere|nessun|altro|alcun|tuoi) ){{0,4}}(?:ricevere|{_IT_THINGS}|messaggio|contattat[oaie]|disturbat[oaie]|chiamat[oaie])",
        rf"(?:basta|niente|mai|nessun\w?|stop) (?:con |piu |altr[ioe] |i |le |questi )*(?:{_IT_THINGS}|messaggio)|lascia\w*(?:mi|ci) (?:in pace|stare)|(?:vaf)?fanculo|(?:vai|vada|andate) (?:a quel paese|al diavolo|a cagare)|ho (?:gia )?detto (?:basta|stop|di smettere|no)",
    ),
    *many(
        "it",
        r"(?:smett(?:i|ete|etela|ila|a|ere|erla|iamo)|finit(?:e|ela)|piant(?:a|ate|atela|ala)) (?:di|con) (?:\w+ ){0,2}?(?:scriv|contatt|chiam|mand|invi|disturb|messagg|telefon|romp|stress)\w*",
        check=ceasing,
    ),
    *many(
        "it",
        rf"(?:cancell|rimuov|elimin|togli)\w*(?:mi|temi|ci)(?:{_END}| (?:da|dal|dalla|dalle|dai|dagli) (?!appuntament|prenotazion)\w+)|disiscriv\w*|(?:voglio|vorrei|chiedo di|desidero) essere (?:cancellat|rimoss|tolt|eliminat)[oai]",
        r"(?:cancell|rimuov|elimin|togli)\w* (?:il mio|questo|i miei) (?:numero|contatto|dati|nome|indirizzo|email)(?! vecchio)|(?:revoco|ritiro) (?:il )?(?:mio )?consenso|mi oppongo al trattamento",
        check=leaving,
    ),
)  # fmt: skip

_FR_DO: Final = (
    r"(?:contact|appel|ecri|envo|derang|texto|relanc|recontact|harcel|sollicit|spam|telephon|adress|embet|rappel)\w*"
)
_FR_THINGS: Final = (
    r"(?:sms|messages?|textos?|mails?|e mails?|courriels?|appels?|pub\w*|spams?|newsletters?|sollicitations?|offres)"
)
_FR_LIST: Final = r"(?:de|du) (?:(?:votre|vos|la|cette|ta|tes|ces|toutes|toute) )*(?:\w+ )?(?:listes?|base|fichiers?|repertoire|contacts|mailing|diffusion|bdd)"

FRENCH: Final = (
    *many(
        "fr",
        rf"(?:ne |n )(?!vous derang)(?:(?:me|m|nous|plus|jamais|pas|surtout|veux|souhaite|voulons|desire|souhaitons|etre|que|vous|y|l) ){{0,6}}{_FR_DO}(?: (?:plus|jamais|pas|rien))?",
        rf"(?:me |m |nous )?{_FR_DO} (?:moi )?(?:plus|plus jamais)(?= ?(?:[.!,;\n]|$|de|svp|s il|merci|jamais|rien))|plus jamais (?:me |m |nous ){_FR_DO}",
        rf"(?:ne |n )(?:veux|souhaite|voulons|desire|souhaitons|voudrais) (?:plus|pas)(?: (?:jamais|du tout|que|vous))* (?:recevoir|etre (?:re)?(?:contact|derang|appel|sollicit|demarch|harcel)\w*|entendre parler|(?:(?:de|d|vos|ces|aucun|des) )+(?:\w+ )?(?:{_FR_THINGS}|nouvelles))",
        rf"je (?:veux|voudrais|souhaite) plus (?:(?:de|d|recevoir|vos|ces|aucun) )+(?:\w+ )?{_FR_THINGS}|plus jamais (?:de |d ){_FR_THINGS}|(?:cess|arret)\w+ tout(?:e|es)? (?:\w+ )?(?:contacts?|communications?|sollicitations?|envois?)|ne plus (?:recevoir|etre (?:contact|derang|appel|sollicit)\w*)|(?:^|(?<=[.!?,;\n] ))pas (?:de|d) {_FR_THINGS}(?= ?(?:[.!,;\n]|$|svp|s il|merci))|plus (?:de|aucun|d) {_FR_THINGS}(?= ?(?:[.!,;\n]|$|svp|s il|merci))",
        r"(?:laiss|fich|fout)\w* (?:moi|nous) (?:tranquilles?|en paix|la paix)|lach\w* (?:moi|nous)(?= ?(?:[.!?,;\n]|$)| la grappe| les baskets)|(?:^|(?<=[.!?,;\n] ))degage[zs]?(?= ?(?:[.!?,;\n]|$))|casse toi|cassez vous|(?:va te|allez vous) faire (?:foutre|voir|enculer)|(?:fous|foutez) (?:moi |nous )?(?:le camp|la paix)|ta gueule",
        r"m oppose (?:a|au|aux) (?:\w+ ){0,3}?(?:traitement|prospection|demarchage|utilisation|sollicitations?|envois?)|(?:revoqu|retir)\w+ mon consentement|(?:ai|avons|avais) (?:\w+ ){0,2}?dit (?:stop|non merci|d arreter|arretez|que ca suffit)",
    ),
    *many(
        "fr",
        rf"(?:arret(?:e|ez|er|ons)|cess(?:e|ez|er)|stop|stopp(?:ez|er)) (?:tout de suite |immediatement |svp |s il vous plait )?(?:(?:de|d|a|aux|avec|vos|votre|tes|les|ces|m|me|nous|tous) ){{0,3}}(?:{_FR_DO}|{_FR_THINGS})(?! (?:promotions|marketing))",
        check=ceasing,
    ),
    *many(
        "fr",
        r"(?:desabonn|desinscri)\w*(?: moi)?",
        rf"(?:retir|supprim|enlev|effac|ray|oubli|sort)\w* (?:(?:moi|nous)(?:{_END}| {_FR_LIST})|mon (?:numero|nom|adresse|mail|email|contact|telephone)|mes (?:donnees|coordonnees|informations)|{_FR_LIST})",
        r"(?:me |m )(?:retirer|supprimer|enlever|rayer|desabonner|desinscrire)",
        check=leaving,
    ),
)  # fmt: skip

_ENOUGH: Final = rule(
    "enough",
    "hold",
    r"(?:^|(?<=[.!?,;\n] ))(?:suficiente|assez|genoeg|genug|es reicht|das reicht|fuera|lass mich|lassen sie mich)(?= ?(?:[.!?,;\n]|$))",
)

OPT_OUT: Final[tuple[Rule, ...]] = (
    _ENOUGH,
    *SPANISH,
    *FRENCH,
    *northern.OPT_OUT,
    *PORTUGUESE,
    *ITALIAN,
    *eastern.OPT_OUT,
)

"""What away notices say in their subjects and at their beginnings, and what only a person says.

Each expression looks at a few hundred characters, and no repetition in it is unbounded.
"""

# ruff: noqa: E501 (a language is one line)

from __future__ import annotations

import re
from typing import Final

# Mail programs write these words before the subject of the mail they answer.
AUTOMATIC_SUBJECT: Final = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response?|respon[sd]e?r?|answer|message)\b|auto ?:|autoreply|oof ?:|\[auto(?:matic|mated)?[ -]?(?:\w{0,3}repl\w{1,3}|response|generated)?\]|"
    r"auto-?svar|automatiske?t? svar\w*|automati(?:sch|c) antwoord|automatische[rs]? (?:antwort|rückantwort)|automatische? antwort|auto-?antwort|"
    r"réponse automatique|respuesta autom[áa]tica|contestación automática|respost?a autom[áàa]tica|risposta (?:automatica|non al computer)|"
    r"automaattinen vastaus|automaat(?:ne )?vastus|odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|automatická odpov[eě][dď]|automatikus válasz|r[ăa]spuns automat|automatski odgovor|samodejni odgovor|otomatik (?:yan[ıi]t|cevap)|"
    r"automatinis atsakymas|automātiskā atbilde|sjálfvirkt svar|автоматический ответ|автоответ|автоматичен отговор|автоматична відповідь|аутоматски одговор|αυτόματη απάντηση|trả lời tự động|tự động trả lời|balasan otomatis|ตอบกลับอัตโนมัติ|"
    r"自動返信|自動応答|自动回复|自動回覆|自动答复|자동 ?회신|자동 ?응답|자동 ?답장|מענה אוטומטי|תשובה אוטומטית|رد تلقائي|پاسخ خودکار|स्वचालित उत्तर)"
    r"|\bautomatic reply\b|\bauto[ -]?reply\b|\bautoreply\b|\bvacation (?:auto|reply|response|responder)\b",
    re.I,
)
# These people write themselves, as the whole subject or its beginning, into the notice they leave.
_THEN: Final = (
    r"(?=\s*(?:$|[:：(!]|(?:until|till|from|through|bis|vom|ab|jusqu['’]?\w{1,3}|hasta|fino|até|tot|til|do|до)\b))"
)
AWAY_SUBJECT: Final = re.compile(
    r"^\s*(?:abwesenheits?\w*|abwesend\b|urlaubs(?:notiz|meldung|vertretung|modus)\w*|nicht im büro\b|message d['’]absence|(?:réponse d['’]|notification d['’])?absence du bureau|fuera de (?:la )?oficina|fuori (?:sede|ufficio)|fora do escritório|"
    r"afwezig\w*|niet aanwezig|frånvaro\w*|fravær\w*|poissaolo\w*|nieobecno\w*|out[ -]of[ -](?:the )?office\b|ooo\b|(?:i['’]?m |i am )?away from (?:the|my) (?:office|desk)\b|vacation (?:reply|response|notice|message)|不在(?:通知|$|[:： ]|のお知らせ|の連絡)|부재중|휴가 ?중|休假(?:中|$|[:：])|不在办公室)"
    rf"|^\s*(?:on vacation|on leave|on annual leave|annual leave|(?:im )?urlaub|ausente|ausencia|ausência|(?:em |de )?férias|en congés?|in ferie|en vacances|de vacaciones|met vakantie|op vakantie|på semester|på ferie|lomalla|na urlopie|в отпуске){_THEN}"
    r"|\bout[ -]of[ -](?:the )?office\b",
    re.I,
)
RETURNED_SUBJECT: Final = re.compile(
    r"^\s*(?:undeliverable(?=\s*(?:$|:|mail|message))|undelivered (?:mail|message)|delivery (?:status notification|has failed|notification:)|delivery failure(?=\s*(?:$|[:(]|notice))|mail delivery (?:failed|failure|status)|mail system error|returned mail:|failure notice\s*$|message (?:delivery|undeliver)\w* fail|"
    r"delayed mail \(|warning: (?:message|could not send)|unzustellbar|nicht zustellbar|non remis|no se puede entregar|no entregado:|mensaje no entregado|não entregue|onbestelbaar|impossibile recapitare|недоставлен|не доставлено)",
    re.I,
)

AUTOMATIC_BODY: Final = re.compile(
    r"\b(?:this|that|dies|dieses?|ceci|ce|este|esto|questo|dit|det|to)\b(?: \w{1,12}){0,2} (?:(?:automatic|automated|auto-?generated|automatically generated|automatische?r?|automatisch (?:erstellte|generierte)|automatisk) (?:reply|response|message|e-?mail|notification|antwort|nachricht|bericht|svar)|(?:réponse|message|courriel) automatique|(?:mensaje|respuesta|correo) automátic[ao]|(?:mensagem|resposta) automática|(?:messaggio|risposta) automatic[ao])"
    r"|\b(?:message|e-?mail|response|reply) (?:was|is|has been) (?:(?:generated|sent|created) automatically|automatically (?:generated|sent|created))|\byour (?:e-?mail|message) (?:will not be|is not being) (?:forwarded|read)\b|(?:nachricht|mail) wird nicht (?:weitergeleitet|gelesen)"
    r"|\b(?:your (?:message|e-?mail|request|ticket|enquiry|inquiry) has been received)\b|\bdo not reply to this (?:e-?mail|message)\b|\bticket \S{1,20} has been created|response to your (?:e-?mail|message) will be delayed|自動(?:返信|送信|応答)|自动(?:回复|答复)|자동(?:으로)? ?(?:회신|응답|발송)",
    re.I,
)
_I: Final = r"(?:\bi(?:['’]m| am| will be|['’]ll be|['’]m gonna be| gonna be| shall be)|\bam)(?: \w{1,15}){0,2}"
_WE: Final = r"\b(?:we(?:['’]re| are| will be)|(?:the|our) offices? (?:is|are|will be))(?: \w{1,15}){0,2}"
_LEAVE: Final = r"on (?:\w{1,12} ){0,2}?(?:leave|vacation|holidays?|sabbatical|business trip)"
_TILL: Final = r"(?=.{0,80}?\b(?:until|till|til|through|from|return|returning|back|limited|intermittent|no access|without access)\b)"
AWAY_BODY: Final = re.compile(
    rf"{_I} (?:out[ -]of[ -](?:the |my )?office|{_LEAVE}(?: (?:and|with|this|next|right)|[.,!\n]|$)|(?:away|out|absent|{_LEAVE}|travell?ing|unavailable){_TILL})"
    rf"|{_WE} (?:out of (?:the )?office|closed for (?:the )?\w{{1,15}}|closed (?:until|till|from))|(?:^|[.!\n] {{0,3}})(?:currently )?(?:out of (?:the )?office|on (?:\w{{1,12}} )?(?:leave|vacation)) (?:until|till|from|through|with|and|this|for)|(?:^|[.!\n,] {{0,3}})(?:currently (?:out of the office|away|on leave|on vacation|on holiday)|on vacation, limited)"
    r"|\bi will have (?:limited|no|intermittent) access to\b|\bwith (?:limited|no|intermittent) access to (?:my )?e-?mail"
    r"|\best(?:oy|ar|aré|aremos|amos)(?: \w{1,15}){0,2} (?:fuera de (?:la )?oficina|de vacaciones|ausente)|\b(?:je suis|je serai)(?: \w{1,15}){0,2} (?:absente?|en congés?|en vacances|hors du bureau)"
    r"|\b(?:ich bin|bin ich|ich befinde mich)(?: [^\s,;]{1,20}){0,6}? (?:abwesend|im urlaub|nicht im (?:büro|haus)|außer haus|nicht erreichbar|in elternzeit)|\best(?:ou|arei)(?: \w{1,15}){0,2} (?:de férias|fora do escritório|ausente|em férias)"
    r"|\bsono(?: \w{1,15}){0,2} (?:fuori (?:sede|ufficio)|in ferie|assente|in vacanza)|\bik ben(?: \w{1,15}){0,3} (?:afwezig|niet aanwezig|met vakantie|op vakantie|met verlof)|\bjag är(?: \w{1,15}){0,2} (?:frånvarande|på semester|ledig|borta)|\bjeg (?:er|har)(?: \w{1,15}){0,2} (?:fraværende|på ferie|ude af kontoret|bortreist|ferie)"
    r"|\bolen(?: \w{1,15}){0,2} (?:lomalla|poissa|vapaalla)|\bjestem(?: \w{1,15}){0,2} (?:na urlopie|poza biurem|nieobecn)|\bjsem(?: \w{1,15}){0,2} (?:na dovolené|mimo kancelář)|\bszabadságon (?:vagyok|leszek)|\b(?:yıllık )?izin(?:deyim|liyim)|\bsunt(?: \w{1,15}){0,2} (?:în concediu|plecat|in concediu)|εκτός γραφείου|σε άδεια"
    r"|(?:я|сейчас|нахожусь)(?: \w{1,15}){0,3} (?:в отпуске|вне офиса|отсутствую)|(?:я|зараз)(?: \w{1,15}){0,3} у відпустці|(?:אני|נמצא|נמצאת)(?: \w{1,15}){0,2} (?:בחופשה|בחופש|מחוץ למשרד)"
    r"|不在にして|休暇(?:中|をいただ|を頂)|外出中|휴가 ?중|부재중|我(?:现在|正在|目前){0,2}(?:休假|出差|不在)|目前不在(?:办公室)?|أنا (?:حاليا )?(?:في إجازة|خارج المكتب)",
    re.I,
)
THANKS: Final = re.compile(
    r"^\W{0,5}(?:(?:hi|hello|dear|hallo|guten tag|bonjour|hola)\b[^.!\n]{0,40}[,.!]?\s{0,4})?(?:thanks?(?: you)?(?: very much| so much)? for (?:your|the|contacting|reaching|writing|getting)|we have received your|vielen dank für (?:ihre|deine)|danke für (?:ihre|deine)|merci (?:de|pour) v?otre|gracias por (?:su|tu)|grazie per|bedankt voor)",
    re.I,
)
RECEIVED: Final = re.compile(
    r"we(?:['’]ve| have) received your (?:e-?mail|message|request|enquiry|inquiry)\b.{0,80}?\b(?:get back to you|respond|reply|be in touch|within)\b",
    re.I | re.S,
)
# A person who answers says what to do next; a notice says so only for urgent matters.
PERSON: Final = re.compile(
    r"\?|？|\b(?:call|text|ring|phone|ping|try|catch|message|meet|see) (?:me|us)\b|\bring then|\blet['’]?s\b|\blet us\b|\b(?:can|could|shall) (?:we|you)\b|\bshould we\b|\bhow about\b|\bsounds? (?:good|great|fine)\b|\bworks? (?:for me|best)\b|(?:day|tomorrow|then|morning|afternoon|evening|week|that) works\b|\b(?:not )?interested\b|\bi(?:['’]d| would) (?:like|love|prefer) (?:a|the|to (?:see|have|talk|meet|book|go))\b|\b(?:talk|speak|meet) (?:then|soon|next|on|after)\b|"
    r"\bsend (?:me|us|over)\b|^\W{0,3}(?:yes|yeah|yep|sure|ok|okay|no|nope|perfect|great)\b|\bstop\b(?! and)|\bunsubscribe\b|\bsorry for (?:the|my) (?:late|delay|slow)|\bprice\b|\bquote\b|\bso come\b|\bany other time\b|\bafter that\b|\bi (?:want|need)\b|"
    r"\b(?:rufen sie|ruf|melden sie|melde|schreiben sie|schreib) (?:mich|mir|sich|dich)\b|\bpasst\b|\b(?:r?appele[zr]?|écrivez|contactez)-moi\b|\bd'accord\b|\bllám[ae](?:n)?me\b|\bescríb[ae]me\b|\bde acuerdo\b|\b(?:ri)?chiam(?:ami|i|atemi)\b|\bme lig(?:a|ue)\b|\blig(?:a|ue)-me\b|\bbel(?:t)? (?:me|mij|u mij)\b|\bring (?:mig|meg)\b|\bzadzwoń\b|\bпозвон\w{1,6}|\bперезвон\w{1,6}|電話して|连络我|打给我|전화 ?주",
    re.I,
)
URGENT: Final = re.compile(
    r"urgen|emergenc|immediate|pressing|important matter|\bdring|notfall|eilig|urgente|срочн|терміново|spoed|pilne|akut|緊急|紧急|급한|דחוף|عاجل|questions?\b",
    re.I,
)
ANSWER: Final = re.compile(
    r"^\s*(?:re|aw|sv|vs|antw|rv|tr|odp|ynt|res|enc|rif|ref|bls|atb|vá|fw|fwd|wg|回复|回覆|答复|返信|답장|הועבר|השב)(?:\[\d{1,3}\])?\s*[:：]",
    re.I,
)

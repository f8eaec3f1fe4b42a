"""Taking back consent in Polish, Russian, Hebrew, Arabic, Turkish and the languages of East Asia."""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

from typing import Final

from intelligence.gate.abroad import ceasing, leaving, many
from intelligence.gate.rules import Rule

_START: Final = r"(?:^|(?<=[.!?,;\n] ))"
_END: Final = r"(?= ?(?:[.!?,;\n]|$))"

_PL_DO: Final = r"(?:dzwon(?:cie|ic)?|pisz(?:cie)?|pisac|wypisuj(?:cie)? do|(?:wysyl|przysyl)(?:aj|ajcie|ac)|kontaktuj(?:cie)?|kontaktowac|(?:spam|nek|zaczepi|niepoko|zawrac)(?:uj|ujcie|owac|aj|ajcie|ac|j|jcie|ic))"
_PL_THINGS: Final = r"(?:wiadomosci|sms\w*|reklam\w*|ofert\w*|telefonow|maili|spamu|kontakt\w*|powiadomien)"

POLISH: Final = (
    *many(
        "pl",
        rf"nie {_PL_DO}(?: (?:do mnie|mi|wiecej|juz|sie ze mna))*|nie (?:chce|chcemy|zycze sobie|zyczymy sobie|wyrazam zgody na) (?:\w+ ){{0,3}}?(?:{_PL_THINGS}|otrzymywa\w+|dostawa\w+|byc)",
        rf"daj\w* mi (?:swiety )?spokoj|(?:odczep|odwal|odpieprz|odpierdol)\w* sie|(?:spadaj|spieprzaj|spierdalaj|wypierdalaj)(?:cie)?|zostaw(?:cie)? mnie(?: w spokoju)?{_END}|zostaw(?:cie)? mnie w spokoju|(?:cofam|wycofuje) (?:\w+ )?zgode|rezygnuje z (?:subskrypcji|newslettera|otrzymywania|{_PL_THINGS})",
    ),
    *many(
        "pl",
        r"przesta(?:n|ncie|c) (?:do mnie |mi |mnie |ze mna |sie )*(?:dzwoni|pis|wysyl|przysyl|spam|nek|kontaktow|zaczepi|nachodzi)\w*",
        check=ceasing,
    ),
    *many(
        "pl",
        r"wypisz(?:cie)? (?:mnie|nas)|wypisac (?:sie|mnie)|(?:mnie|sie) (?:\w+ )?wypisac|wypisuje sie|(?:mnie|nas) (?:\w+ )?(?:usunac|wykreslic)",
        r"(?:usun(?:cie)?|usunac|skasuj(?:cie)?|skasowac|wykresl(?:cie)?|wykreslic) (?:prosze )?(?:mnie|(?:moj|ten|moje|nasz) (?:numer\w*|dane|adres\w*|kontakt))|o zaprzestanie (?:wysylania|kontakt\w+|dzwonienia|pisania)|o usuniecie (?:mnie|(?:mojego |tego )?numeru|(?:moich )?danych|z (?:\w+ )?(?:listy|bazy))",
        check=leaving,
    ),
)  # fmt: skip

_RU_DO: Final = r"(?:пиши(?:те)?|писать|звони(?:те)?|звонить|(?:присыл|отправля|рассыла)(?:й|йте|ать|ай|айте|ть)|шли(?:те)?|слать|беспокой(?:те)?|беспокоить|тревожь(?:те)?|донимай(?:те)?|спамь(?:те)?)"
_RU_TO_DO: Final = r"(?:писать|звонить|присылать|слать|беспокоить|спамить|отправлять|рассылать|доставать|названивать)"
_RU_THINGS: Final = r"(?:сообщени\w+|смс\w*|рассыл\w+|звонк\w+|реклам\w+|спам\w*)"

RUSSIAN: Final = (
    *many(
        "ru",
        rf"(?:больше )?не (?:(?:надо|нужно|хочу|смейте|мне|больше|нам|сюда) )*{_RU_DO}(?= ?(?:[.!?,;\n]|$)| (?:мне|нам|больше|меня|пожалуйста|сюда|ничего|никогда|на|ваш\w*|свои|{_RU_THINGS}|до|сегодня|завтра|после|пока|сейчас|раньше|утром|вечером)(?!\w))",
        rf"не (?:хочу|желаю|хотим) (?:больше )?(?:получать|видеть|ваш\w*|{_RU_THINGS})|никаких (?:больше )?{_RU_THINGS}|оставьте? (?:меня|нас) в покое|(?:отвали|отстань)(?:те)?(?! от (?!меня|нас))|(?:иди|идите|пошел|пошла|пошли) (?:вы |ты )?(?:на ?ху\w|нахер|нафиг|на фиг|к черту|лесом|в жопу)|заткни(?:сь|тесь)|отзываю (?:\w+ )?согласие",
    ),
    *many("ru", rf"(?:хватит|прекрат\w*|перестан\w*|довольно) (?:мне |уже |нам )*{_RU_TO_DO}", check=ceasing),
    *many("ru", r"отпиш\w*|отписат\w*|(?:удали|исключи|убери|вычеркни)(?:те)? (?:меня|нас|(?:мой|этот) (?:номер|контакт|телефон)|мои (?:данные|контакты))", check=leaving),
)  # fmt: skip

_AR_THINGS: Final = r"(?:ال)?(?:رسائل\w*|رسايل\w*|رساله|رسالة|مسجات|ميساجات|ارسال\w*|اشعارات)"

OTHERS: Final = (
    *many(
        "he",
        r"(?:תפסיקו|תפסיק|להפסיק|הפסיקו|הפסק|די|תפסיקי)(?: \w+){0,2}? (?:לשלוח|להתקשר|להטריד|לסמס|להציק|לפנות)(?: \w+){0,2}|(?:הסירו|הסר|תסירו|תסיר|להסיר|תמחקו|תורידו|מחקו|תוציאו|הורידו|תוריד|תמחק) (?:אותי|את המספר|את השם|בבקשה|מרשימת|מהרשימה)(?: \w+)?|(?:לא|אל) (?:\w+ )?(?:לשלוח|תשלחו|תתקשרו|להתקשר|תתקשר|תשלח|מעוניין לקבל|מעוניינת לקבל|רוצה לקבל|לפנות|תפנו|תסמסו)(?: \w+){0,2}|(?:עזבו|תעזבו|תעזוב) אותי|הסרה",
    ),
    *many(
        "ar",
        rf"(?:توقف\w*|كف\w*|اوقف\w*|وقف\w*|بطل\w*|حبس\w*|كفايه|كفاية|باراكا من) (?:عن )?(?:\w+ )?(?:{_AR_THINGS}|الارسال|مراسلتي|الاتصال|ازعاجي|التواصل)|(?:لا|ما|لا عاد) (?:(?:تراسل|تتواصل|تزعج)\w*|تتصل\w*|(?:ترسل|تبعت|تكتب)\w*(?= ?(?:[.!،؛\n]|$)| (?:لي|لنا|مره|مرة|اي|{_AR_THINGS})(?!\w)))(?: (?:بي|معي|لي|بنا|مره|مرة|اخرى))*",
        rf"(?:لا|ما|مش) (?:اريد|ارغب|ابي|ابغى|ابغا|بدي|عايز|عاوز|عايزه) (?:\w+ ){{0,2}}?{_AR_THINGS}|(?:ارجو |نرجو |الرجاء )?عدم (?:مراسلتي|الارسال|ازعاجي|الازعاج|التواصل|الاتصال)|الغ(?:اء|وا|ي) (?:ال)?اشتراك\w*|(?:احذف\w*|ازل\w*|شيل\w*|ازاله|حذف|ازيلوا) (?:رقمي|اسمي|اشتراكي|بياناتي)|احذف(?:وا)?ني|(?:اترك|خل|سيب|دع)(?:وا|و)?ني (?:و شاني|وشاني|في حالي|و حالي)|اتركوني(?: \w+)?|ابعدوا عني",
    ),
    *many("ja", r"\w*(?:配信停止|配信を停止|送らないで|連絡しないで|電話しないで|メールしないで|解除して|退会|やめてください)\w*"),
    *many(
        "zh",
        r"\w*(?:退订|退訂|取消订阅|停止(?:发送|發送|推送)|(?:别|不要|请勿|請勿|勿)再?(?:给我|跟我|向我)?(?:打扰|骚扰|烦我|烦了|联系|聯繫|推送|打电话)|(?<![先货批])(?:别|不要)再?(?:给我|給我|跟我)?(?:发|發|傳|传)(?:了|这些|这种|(?:广告|消息|信息|短信|微信|垃圾)\w*)|(?:请勿|請勿|不要|别)再(?:给我)?(?:发|發|打|傳|传|給|给)(?!错|货)|不想再?(?:收到|接收|看到)|把我(?:从|删|移))\w*",
    ),
    *many("ko", r"\w*(?:수신거부|수신 거부|보내지 마|연락하지 마|전화하지 마|문자하지 마|그만 보내|구독 취소|구독취소)\w*"),
    *many("tr", r"(?:bana |beni )?(?:bir daha |artik )?(?:mesaj |sms |mail )?(?:atma|gonderme|arama|yazma|rahatsiz etme)(?:yin|yiniz|y in)?(?: artik)?|listeden cikar\w*|abonelik\w* iptal\w*|numaram[iı]? sil\w*"),
)  # fmt: skip

OPT_OUT: Final[tuple[Rule, ...]] = (*POLISH, *RUSSIAN, *OTHERS)

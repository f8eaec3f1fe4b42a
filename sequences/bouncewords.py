"""What mail servers say when they refuse: words for an address that is wrong for good, full or busy, or a block."""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

_WHO: Final = r"(?:users?|recipients?|addresse?e?s?|accounts?|mailbox(?:es)?|mail ?box|e-?mail(?: name| address)?|alias|local[- ]?part|person)"
# Nobody lives at the address: said so plainly that even a temporary code, repeated until the sender gave up, means it.
NOBODY: Final = re.compile(
    rf"(?:unknown|invalid|illegal|incorrect|unrecogni[sz]ed|non-?existent|no such|bad)(?:[- ](?:or|unknown|illegal|virtual|destination|e-?mail|mail|local|forward|final)){{0,3}}[- ]?{_WHO}\b(?! error)|"
    rf"\b{_WHO}(?:'s)?(?: \S{{1,80}}){{0,6}}? (?:does ?(?:n[o']t| not) exists?|do not exist|not exist|not found|(?:is |was |are |were )?(?:unknown|not known)|not recogni[sz]ed|could(?: not|n't) be found|couldn.t be found|wasn't found|not present|not registered|no longer (?:exists?|available|valid|in use|accepts))|"
    rf"\b{_WHO} (?:\S{{1,80}} )?(?:is |was |are |were )?(?:not valid|invalid|not ok|not local|wrong or|no longer on)|"
    r"(?:<[^\s@<>]{1,64}@[^\s@<>]{1,255}>|\([^\s@()]{1,64}@[^\s@()]{1,255}\))[:.]{0,4} (?:not found|unknown|does(?: not|n't) exist|dosn't exist|no such)|"
    r"\bno (?:such )?(?:mail ?box|account|user|person|one|address|\S{1,64})(?: \w{1,20}){0,3} (?:here\b|by that name|with that name|in name directory|at this address|for this user)|no mail ?box (?:found|here)|there is no one at|"
    r"not (?:an? )?(?:active|local|valid|known|registered|existing) (?:user|mailbox|recipient|address|account|e-?mail)|not (?:an? )?e-?mail address|not listed in|not our customer|does(?:n't| not) have an? \S{1,80} account|this user doesn't have|user (?:is )?(?:userunknown|not (?:known|found|local))|userunknown|"
    r"recipient address rejected(?=[.\s]{0,3}(?:\(in reply|$)|: (?:access denied|invalid|unknown|user|no such|address|undeliverable address))|rejected recipients|no valid recipients|(?:address|recipient)e?s? (?:was |were |are )?(?:undeliverable|unknown)|can(?:'t|not) accept user|"
    r"badrcptto|bad(?:rcpt|recipient)to ?list|validrcptto|user isn't in my|envelope recipient has been denied|bad-mailbox|recip(?:ient)?[ .]?not[ .]?found|user missing home|maildir.{0,20} does not exist|"
    r"user has moved|has moved to|has been replaced by|address (?:has )?changed|relocated|no longer (?:works|with|employed|on (?:this )?server|in use)|account (?:is )?closed|may not exist|"
    r"nessun utente|(?:utente|indirizzo|destinatario) (?:sconosciuto|inesistente)|no existe (?:dicha|ese|esa|el|la|este|esta)|(?:usuario|destinatario|cuenta|usu[aá]rio) (?:desconocid[oa]|inexistente|no existe|n[aã]o existe)|(?:utilisateur|destinataire|adresse) (?:\S{1,40} ){0,5}(?:inconnue?|inexistante?|invalide)|"
    r"(?:benutzer|empf(?:ä|ae)nger|adresse|mailadresse) (?:\S{1,80} ){0,3}(?:unbekannt|nicht (?:bekannt|gefunden|vorhanden)|existiert nicht|ung(?:ü|ue)ltig)|unbekannter (?:benutzer|empf)|gebruiker onbekend|onbekende (?:gebruiker|ontvanger)|nieznany (?:użytkownik|odbiorca)|"
    r"неизвестный (?:пользователь|получатель)|(?:пользовател|получател|адрес|ящик)\w{0,4} (?:\S{1,80} )?не (?:существует|найден)|нет такого (?:пользователя|ящика)|宛先不明|(?:宛先|アドレス|ユーザー?)[はが](?:存在し|見つかり)ません|アドレスが見つかり|用户不存在|收件人(?:不存在|地址不存在)|邮箱不存在|地址不存在|존재하지 않는",
    re.I,
)
# The domain does not exist, or says that it takes no mail; the mailbox is unavailable, which may also be the server's policy.
NOWHERE: Final = re.compile(
    r"(?:mailbox|account) (?:is |name )?(?:unava?i?l?able|not (?:available|allowed))|(?:unknown|no such|non-?existent|invalid|bad) (?:destination |mail |remote )?(?:host|domain)\b|\b(?:host|domain)(?: or domain)?(?: name)?(?: [\w.-]{1,80})? (?:is )?(?:not found|unknown|not known|does(?: not|n't) exist|is not reachable|must exist)|"
    r"name or service not known|nxdomain|no mx (?:record|found)|unrouteable address|bad-domain|(?:couldn't|could not|can(?:no|')t|unable to) (?:find|resolve|locate)(?: an?y?| the)? (?:host|domain|mail exchanger|mx\b|mail server)|"
    r"does(?: not|n't) accept (?:any )?mail|null ?mx|domain does not accept",
    re.I,
)
# The sender, or the server it came from, was refused: nothing is known about the recipient.
SENDER: Final = re.compile(
    r"sender(?:'s)? (?:e-?mail )?(?:address|domain|rejected|refused|denied|unknown|not |verif|is |must )|(?:verify|verification (?:of|for)|unroutable|invalid|unknown|of|for|envelope|fake) sender|sending (?:domain|host|server)|"
    r"after mail from|reply to mail from|from: (?:domain|address)|mail from (?:domain|address|must|rejected)|\bhelo\b|\behlo\b|client host|reverse (?:dns|host)|\bptr\b|\brdns\b|your (?:reverse )?(?:host ?name|ip\b|domain|mail server)|banned sending|attachment|virus",
    re.I,
)
SOFT: Final = re.compile(
    r"mail ?(?:box|folder|dir)(?:'s)? (?:is |has become )?(?:currently )?full|(?:full|over[- ]?full) mail ?box|over ?(?:the |its |their |his |disk |allowed ){0,3}quota|quota (?:\S{1,30} ){0,2}(?:exceeded|exhausted|is full|violation)|(?:disk|disc|user|domain) ?quota|quota-issues|"
    r"exceed\w* (?:\S{1,40} ){0,6}?(?:quota|storage|limits?|size|space)|storage (?:limit|allocation|space|is full)|out of storage|insufficient (?:system )?(?:storage|disk|space)|(?:disk|mailbox) (?:is )?full|(?:not|have) enough (?:storage|disk|space)|space has been used up|mailfull|maildrop|too much mail|"
    r"mailbox (?:would )?exceed|(?:message|mail) (?:size )?(?:is )?(?:too (?:large|big)|exceeds)|size limit|gr[ae]ylist|again later|, try again|temporar(?:y|ily)|deferred|rate limit|too many (?:connections|messages|recipients|errors|hops)|throttl|"
    r"timed? ?out|expired|retry (?:time|timeout)|(?:connection|connect\w*) (?:was )?(?:refused|reset|closed|lost|failed|dropped)|could not connect|network (?:is )?unreachable|no route to host|unable to resolve route|delivery time|could not be delivered for|has been in the queue|not responding|did(?: not|n't) respond|service (?:not available|unavailable|currently unavailable)|"
    r"malformed (?:or unexpected )?name server|server failure|servfail|loop(?:s|ing)? (?:back|detected)|(?:routing|mail|forwarding) loop|hop count|message looping|mail for \S{1,255} loops|"
    r"bo[iî]te (?:\S{1,40} ){0,3}pleine|casella (?:\S{1,40} )?piena|postfach (?:\S{1,40} )?voll|buz[oó]n (?:\S{1,40} )?lleno|caixa (?:\S{1,40} ){0,3}(?:cheia|lotada)|ящик (?:\S{1,40} )?переполнен|が一杯|容量を超え|空间(?:已满|不足)",
    re.I,
)
BLOCKED: Final = re.compile(
    r"block(?:ed|list)|blacklist|spam|policy|dmarc|dkim|spf|not authori[sz]ed|access denied|relay(?:ing)? (?:denied|access)|reputation|rejected (?:for|by)|content|virus|suspicious|suspended|disabled|inactive|deactivated|locked|frozen|filter|preferences|authenticat|protected by",
    re.I,
)
# The report speaks of a mail that did not arrive.
FAILED: Final = re.compile(
    r"undeliver|(?:not|n't) (?:yet )?(?:be |been )?(?:delivered|sent|relayed)|(?:un|not )able to (?:be )?(?:deliver|send|relay)|could ?(?:n't| not) (?:be )?(?:deliver|sen[dt]|reach)|deliver\w{0,3} (?:\S{1,40} ){0,6}?(?:fail|delay|incomplete|abort|attempt)|"
    r"fail\w{0,4} (?:\S{1,40} ){0,4}?(?:deliver|recipient|address|mail\b)|failure notice|returned (?:mail|message|to sender)|(?:permanent|fatal|temporary|following) (?:\S{1,40} ){0,2}?error|did(?: not|n't) (?:reach|receive)|had delivery problems|trouble delivering|error (?:while )?(?:delivering|sending)|"
    r"warning: (?:message|could not)|cannot send message|has been returned|mail (?:system )?error|non remis|pas (?:pu )?(?:être|etre) (?:remis|distribué)|unzustellbar|nicht zugestellt|no (?:se )?(?:pudo|ha podido)|no entregad|devolvid|n[aã]o (?:foi|p[oô]de) (?:\S{1,40} )?(?:entreg|envia)|"
    r"не (?:может быть|удалось|было|был) доставлен|недоставлен|送信できません|配信(?:でき|エラー)|送信エラー|メールエラー|届けられません|退信|投递失败|无法(?:投递|送达)|전송 ?실패",
    re.I,
)
DELIVERED: Final = re.compile(
    r"success(?:ful|fully) (?:delivered|relayed|mail delivery)|(?:was|has been) (?:successfully )?delivered to", re.I
)

"""How people take back consent in English: a refusal and a way of being reached, or a place on a list.

Every pattern runs over folded words ("dont", "im") with single blanks. What is aimed at somebody else ("tell him to
stop calling"), limited in time ("don't call before noon") or about another thing ("take me off the waitlist") is not
taken for a revocation; where it could be one, the verdict is "hold" and a person looks.
"""

# ruff: noqa: E501 (a rule is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence.gate.checks import (
    at_the_end,
    begging,
    mistyped_stopping,
    no_more,
    not_asked,
    not_lost,
    refusing,
    said_so,
    stopping,
    to_stop,
    unless_limited,
    unused,
)
from intelligence.gate.listing import off_the_list, opting_out, taken_off, to_be_removed, unsubscribing
from intelligence.gate.rules import Rule, rule
from intelligence.gate.vocabulary import BASE, ED, FILL, ING, LIST, ME, NEVER, PAD, THINGS, WANT

OPT_OUT: Final[tuple[Rule, ...]] = (
    rule("stop contacting", "opt_out", rf"(?:stop|stp|quit|cease|discontinue|refrain from|knock off|end|halt) {PAD}(?:{ING})", scope="named", check=stopping),
    rule("stop contacting", "opt_out", r"(?:stop|quit) (\w{5,12}) (?:me|us|my (?:phone|number|cell)|this (?:phone|number))", scope="named", check=mistyped_stopping),
    rule("stop contacting", "opt_out", rf"(?:stop|quit) {PAD}(?:text|txt|message|msg|call|email|contact|bother|spam) (?:me|us)(?! (?:a|an|the|when|if|back)(?!\w))", scope="named", check=begging),
    rule("do not want messages", "opt_out", rf"(?:dont|do not|no longer|never) (?:{WANT}) to (?:get|receive|see) (?:any of )?(?:these|this|those|them)(?: (?:anymore|again|please|things|any longer))*(?= ?(?:[.!?,;\n]|$))", scope="named", check=refusing),
    rule("not contacting", "opt_out", rf"(?:can|could|would|will) (?:you|u|yall) (?:please |just |all )*not (?:{BASE}|send)(?! back)|(?:mind|consider|try|prefer|appreciate|about) (?:you )?not (?:being )?(?:{ING}|{ED})|(?:appreciate|like|love|great|nice|wish|prefer|grateful|glad|happy)(?: \w+){{0,4}}? (?:you|u|yall) (?:would |could |just |all |guys |please )*(?:stop|stopped|quit|ceased) {PAD}(?:{ING})", scope="named", check=unless_limited),
    rule("stop the messages", "opt_out", rf"(?:stop|quit|cease|discontinue|end|halt|cancel|kill) {PAD}(?:{THINGS}|(?:reminders?|updates?|notices|deals|coupons)(?! (?:to|on|for)(?!\w)))(?! me)", scope="named", check=begging),
    rule("stop the messages", "opt_out", rf"enough (?:of )?(?:the|these|your|ur|this) {PAD}(?:{THINGS})|enough (?:{THINGS})(?= ?(?:[.!\n]|$))|(?:cancel|end|stop) my (?:\w+ )?subscription (?:to|for) (?:these|your|ur|the) (?:\w+ )?(?:{THINGS})", scope="named", check=begging),
    rule("stop the messages", "opt_out", r"(?:stop|quit) \w{3,}ing?(?: up)? my (?:phone|cell|inbox|line|mailbox)", check=begging),
    rule("stop the messages", "opt_out", r"(?:want|need|like|make|please|pls) (?:(?:them|these|this|it|all this) to stop|stop them)(?= ?(?:[.!?,;\n]|$|please|now|and))", check=to_stop),
    rule("not allowed", "opt_out", rf"(?:not|never|no longer) (?:authori[sz]ed|allowed|permitted|welcome) to (?:{BASE}) (?:me|us|this number|my)", scope="named"),
    rule("never another", "opt_out", rf"never (?:\w+ ){{0,2}}?(?:get|receive|see|want|send)(?: me)? another (?:{THINGS})|(?:prefer|want) no (?:more )?(?:{THINGS})", scope="named"),
    rule("not on the list", "opt_out", rf"(?:{NEVER}) (?:put|add|include|keep|have) (?:me|us|my (?:number|name|email)) (?:on|in|to) (?:your|ur|this|that|any) (?:\w+ ){{0,2}}?(?:lists?|database|system)"),
    rule("stop the messages", "opt_out", rf"(?:stop|quit|end) (?:your|ur|these|those) (?:\w+ ){{1,2}}?(?:{THINGS})(?! me)", scope="named", check=begging),
    rule("do not contact", "opt_out", rf"(?:{NEVER}) (?:(?:you|u|ever|please|keep|dare|be|try|to|want|wanna|wish|need|like|start|go|continue|even|bother|really|think|about|{FILL}) ){{0,6}}(?:{BASE}|{ING}|{ED})", scope="named", check=refusing),
    rule("would rather not", "opt_out", rf"(?:rather|prefer|ask(?:ed|ing)? (?:that )?you|like you|want you|need you|told you) (?:\w+ )?not (?:to )?(?:be |get |receive |have |hear )?{PAD}(?:{BASE}|{ED}|{THINGS})", scope="named", check=refusing),
    rule("do not want messages", "opt_out", rf"(?:dont|do not|donot|ion|no longer|never|not) (?:really |actually )?(?:{WANT})(?: to)?(?: (?:be|get|getting|receive|receiving|hear|have|see|you|me|sending|from|on))* {PAD}(?:{THINGS}|contacted|from you|from u|from yall|to hear)", scope="named", check=refusing),
    rule("do not want to hear", "opt_out", r"(?:dont|do not|never|no longer) (?:really )?(?:want|wanna|wish|care|need)(?: to)? (?:ever )?hear(?:ing)? (?:anything )?(?:\w+ )?(?:from|back)", scope="all", check=refusing),
    rule("no more messages", "opt_out", rf"no (?:more|further|additional) {PAD}(?:{THINGS}|texting|calling|messaging|emailing|contacting)", scope="named", check=no_more),
    rule("no messages", "opt_out", rf"(?:^|(?<=[.!?,;\n] ))no {PAD}(?:{THINGS}|solicit(?:ing|ors?|ations?))(?: (?:please|pls|thanks|thank you|ever|anymore|again))*(?= ?(?:[.!\n]|$)| ?, (?:please |just |only )*(?:texts?|emails?|sms|calls?|messages?)(?: me)?(?: (?:is|are|only|ok|okay|fine|instead|please)| ?(?:[.!\n]|$)))", scope="named"),
    rule("take me off", "opt_out", rf"(?:take|get|cross|strike|pull|scratch|scrub|cut|kick|keep|leave|want|be taken|taken) (?:{ME} (?:the (?:hell|fuck|heck) )?off(?: of)?(?: (?:your|ur|this|that|the|these|any|all|ya|yalls|here))?(?:(?: \w+){{0,3}}? (?:lists?|database|system|thing|here)|(?= (?:now|please)(?!\w)| ?(?:[.!?\n]|$)))|(?:the (?:hell|fuck|heck) )?off(?: of)? (?:your|ur|this|that|the|these|any|all|ya|yalls)(?: \w+){{0,3}}? (?:lists?|database|system|thing))|(?:want|be taken|taken) off(?= ?(?:[.!?\n]|$))", check=off_the_list),
    rule("take me off", "opt_out", rf"(?:take|get|strike|scrub) {ME} off", check=taken_off),
    rule("off the list", "opt_out", rf"(?:off|from|out of)(?: of)? {LIST}(?= ?(?:[.!?,;\n]|$|please|pls|now|immediately|asap|thanks))", check=off_the_list),
    rule("remove me", "opt_out", rf"(?:remove|delete|erase|exclude|unlist|deregister|scratch|purge|(?:un|dis) ?enroll|omit|suppress) {ME}|(?:drop {ME}|(?:withdraw|deactivate|drop|pull|strike) (?:my|this) (?:number|name|phone))(?= (?:from|off)(?!\w)| ?(?:[.!?,;\n]|$|please|pls|now))", check=off_the_list),
    rule("remove me", "opt_out", r"(?:remove|removed|removal|deleted|erased) (?:\w+ ){0,2}?(?:from|off)(?: of)? (?:your|ur|this|all|any|ya|these|the (?:mailing|calling|contact|call|text|email|marketing|sms|phone|distribution)) ?(?:\w+ ){0,2}(?:lists?|database|system|records|contacts|texts|emails|messages|calls)?", check=off_the_list),
    rule("want to be removed", "opt_out", r"(?:want|like|wish|need|asked|asking|request\w*|please|to|appreciate|prefer|(?:can|could|may|should) (?:i|we)) (?:to |please )?(?:be|being|get|have been) (?:removed|taken off|unsubscribed|deleted|opted out)", check=off_the_list),
    rule("want to be removed", "opt_out", r"(?:my|this|our) (?:number|name|phone|contact|contacts|info|information|email|details)(?: \w+){0,4}? (?:removed|deleted|erased|unsubscribed|opted out|taken off|off (?:your|this|the|that) list)|(?:have|get) (?:me|us|myself) (?:removed|taken off|unsubscribed|deleted)", check=to_be_removed),
    rule("want to be removed", "opt_out", r"(?:my|this) (?:number|name|info|information|email|contact)(?: \w+){0,3} ?[,?.]? (?:please )?(?:delete|remove|erase|lose) it"),
    rule("do not use this number", "opt_out", rf"(?:(?:{NEVER}) (?:\w+ )?use|(?:stop|quit) using) (?:this|my) (?:number|phone|cell|line|info|information)", check=unused),
    rule("lose my number", "opt_out", r"(?:lose|loose|forget|trash|burn|ditch|discard|throw away|get rid of|block|toss) (?:my|this|our) (?:\w+ )?(?:number|digits|contact|info|information|email|phone|address|existence)|(?:lose|loose|forget) this number", scope="channel", check=not_lost),
    rule("leave me alone", "opt_out", r"(?:leave (?:me|us|my family|my phone|my number|this number)|let (?:me|us)|lemme) (?:(?:the )?(?:fuck|hell|heck|f|tf) )?(?:alone|be|in peace)(?! (?:time|with|for|at|in|on|until|when|while|to|an?|the|clear|honest|frank|your)(?!\w))", scope="all", check=begging),
    rule("unsubscribe", "opt_out", r"un ?sub(?:s|scribe|scribed|scribing|scription|bed)?|unsuscribe|unsubcribe|unsubsribe|unsubscibe|desubscribe", check=unsubscribing),
    rule("opt out", "opt_out", r"opt(?:ed|ing|s)?(?: me| us| my number)? ?out|optout", check=opting_out),
    rule("revoke consent", "opt_out", r"(?:revok\w+|withdraw\w*|rescind\w*|retract\w*|take back) (?:(?:my|all|any|prior|previous|express|written|our|the) )*(?:consent|permission|authori[sz]ation|agreement|opt in)|consent (?:is |has been |hereby )*(?:withdrawn|revoked|rescinded)", scope="all"),
    rule("declined and remove", "opt_out", r"(?:not interested|no thanks?|no thank you|no thx|nope|nah)(?: ?[,.])? (?:please |pls |just |and )*(?:remove|unsubscribe|delete|cancel|end|quit)(?= ?(?:[.!\n]|$))"),
    rule("no consent", "opt_out", r"(?:do not|dont|no longer|never|not) (?:give |gave |have |had )?(?:you )?(?:my )?(?:consent|permission)(?: to)?(?! form)", scope="all", check=refusing),
    rule("never contact again", "opt_out", rf"never (?:ever )?(?:{BASE}) (?:me|us|this number|here)", scope="named", check=refusing),
    rule("cease contact", "opt_out", r"(?:cease|stop|discontinue|end|halt|terminate) (?:and desist )?(?:all |any )?(?:further |future )?(?:contact|communications?|correspondence|outreach|solicitation)(?! form)", scope="all", check=begging),
    rule("blocking you", "opt_out", r"(?:^|im |i am |i will |ill |gonna |going to |i have |ive |already )(?:be )?(?:block|blocking|blocked) (?:you|u|this|your|ur|the)(?: number)?|youre blocked|(?:you|u|your number) (?:are|is|r|will be|have been|getting) (?:now )?blocked"),
    rule("asked to stop", "opt_out", r"(?:i|ive|we|already|have) (?:\w+ ){0,2}?(?:said|sent|texted|replied|typed|told|asked|wrote|put|answered|responded|messaged) (?:you |u |yall |with |to |the |please |already |word |before |twice |again |(?:\w+ )?times ){0,6}(?:stop|unsubscribe|cancel|quit)|(?:keep|kept|been) (?:texting|sending|saying|replying|typing|telling (?:you|u)) (?:you |u |to )?stop", check=said_so),
    rule("enough with the messages", "opt_out", rf"(?:stop|quit|enough|knock) (?:it )?(?:already )?with {PAD}(?:{THINGS})", scope="named", check=begging),
    rule("off my phone", "opt_out", r"(?:get|stay|hop|keep|fuck|piss) (?:the (?:hell|fuck|heck) )?(?:off|out of) (?:of )?my (?:phone|line|inbox|number|messages|texts|dms)"),
    rule("turn off the messages", "opt_out", rf"(?:turn|shut|switch) (?:off {PAD}(?:texts?|txts?|messages?|msgs?|sms|notifications?|alerts?|emails?)|(?:these|those|the|your|all) (?:\w+ )?(?:texts|txts|messages|msgs|notifications|alerts|emails) off)(?! (?:on|in|for|at))", scope="named", check=begging),
    rule("tired of the messages", "opt_out", r"(?:done|tired|sick|fed up|had enough)(?: and tired)? (?:with|of|by) (?:getting |receiving |all )*(?:of )?(?:these|your|ur) (?:\w+ )?(?:texts?|txts?|messages?|msgs?|calls?|emails?|spam)", scope="named", check=begging),
    rule("not interested in messages", "opt_out", r"(?:not|no longer) interested in (?:(?:getting|receiving|any|more|these|your|ur|further|text|sms|phone|marketing) )+(?:texts?|txts?|messages?|msgs?|calls?|emails?|newsletters?|spam)(?! (?:marketing|service|services|software|platform|plan|campaign))", scope="named", check=begging),
    rule("please stop", "opt_out", r"(?:please|pls|plz|plse|just|kindly|you need to|u need to|you must|you have to|can you|could you|can u|will you|would you|i want you to|id like you to|make this|make it|make these|(?:these|the|your|all|those) (?:texts|messages|calls|emails)(?: \w+){0,2}? (?:to|must|should|need to|have to|has to)?) ?stop(?: (?:it|this|that|now|already|immediately|please|pls|thanks|thank you|ok|at once|all|everything|asap|right now|doing this|doing that|with this|with that))*(?= ?(?:[.!?,;\n]|$))", check=begging),
    rule("stop getting messages", "opt_out", rf"(?:stop|quit) (?:getting|receiving|hearing) {PAD}(?:{THINGS}|these|this|anything|from you|from u|stuff|them)", scope="named"),
    rule("stop at the end", "opt_out", r"stop(?: (?:it|this|now|please|pls|that|already|thanks|asap|immediately))* ?[.!?]*(?= ?$)", check=at_the_end),
    rule("not on the list", "opt_out", r"(?:dont|do not|no longer|never) (?:want|wanna|wish|like|agreed?|asked) (?:to )?(?:be )?(?:on|in|part of|included (?:on|in)) (?:this|your|ur|the|any|that) (?:\w+ ){0,2}?(?:lists?|database|system|thread|campaign|chain)"),
    rule("stop this", "opt_out", r"(?:^|(?<=[.!?,;\n] ))(?:\w+ )?stop (?:it|this|that|all this|all of this|with this|this shit|this crap|this bs|this nonsense|the harassment|the nonsense|bothering|everything)(?= ?(?:[.!?,;\n]|$|please|now|already|immediately|at once|or))", check=begging),
    rule("go away", "opt_out", r"(?:^|(?<=[.!?,;:\n] ))(?:(?:just|please|pls|so|no|and|now|ok|omg|dude|oh) ){0,2}(?:(?:go away|get lost|f off|back off|screw off|beat it|take a hike|bug off|jog on|do one|rack off|kick rocks|get bent|bite me|(?:go )?jump in a lake)(?= ?(?:[.!?,;:\n]|$|you|u|please|pls|now|already|and|asshole|loser|spammer|scammer))|piss off|p off|fuck (?:off|outta here)|fk off|fck off|fuk off|eff off|bugger off|buzz off|sod off|shove off|fuck (?:you|u|yourself)|f you|screw you|go to hell|drop dead|naff off|kiss my ass|eat shit|go fuck yourself|stfu)|get the (?:fuck|hell) (?:off my|away from|out of here)"),
    rule("not interested at all", "opt_out", r"(?:not|never|no longer) (?:at all )?interested (?:at all|whatsoever|ever|in the slightest|so stop|please stop|stop|now or ever|period)|absolutely not interested|not (?:remotely|even remotely|in the least|the least bit|in any way) interested"),
    rule("erase my data", "opt_out", r"(?:delete|erase|remove|destroy|purge|wipe) (?:all )?(?:of )?(?:my|our|the) (?:\w+ )?(?:data|information|info|details|records|personal data)|right to (?:be forgotten|erasure|deletion)|(?:gdpr|ccpa|cpra) (?:request|erasure|deletion|removal)", scope="all"),
    rule("do not disturb", "hold", r"do not disturb|dnd|not disturb"),
    rule("does not want these", "hold", r"(?:dont|do not|no longer) want (?:these|any of (?:this|these|it)|to be (?:on|in|part of) this)(?= ?(?:[.!?,;\n]|$))"),
    rule("never signed up", "hold", r"(?:never|didnt|did not|dont remember|dont recall|dont know) (?:\w+ ){0,2}?(?:sign(?:ed|ing)? up|subscrib\w+|ask(?:ed)? for (?:this|these)|opt(?:ed)? in|giv\w+ (?:you |u )?(?:my number|permission|consent)|how you got my)|how did (?:you|u) get (?:my|this) (?:number|email|info|name|contact)|where did (?:you|u) get (?:my|this)", check=not_asked),
    rule("enough", "hold", r"(?:^|(?<=[.!?,;\n] ))(?:enough|thats enough|enough already|enough is enough|i want out|want out|ive had enough|knock it off|cut it out|quit it|give it up|give it a rest|get a life|shut up|shut the fuck up|stfu)(?= ?(?:[.!?,;\n]|$))"),
    rule("spam", "hold", r"(?:this|thats|its|it|these|you|all|is|are|youre) (?:is |are |just |a )*(?:spam(?:ming)?|spammers?|scam|scammers?)|^spam(?= ?[.!]* ?[.!]*$)|(?:esto|esta|isso|isto|questo|das|dit|to|ceci|cest|c|es|e|это) (?:es|est|e|ist|is|jest|sao|sono)? ?(?:du |un |puro )?spam"),
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

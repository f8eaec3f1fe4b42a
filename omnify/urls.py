"""Every address of Omnify, except providers' webhooks, /healthz and /metrics, which omnify.asgi answers before Django."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from omnify.home import home
from sequences.views.preferences import preferences_page
from sequences.views.unsubscribe import unsubscribe_page

urlpatterns = [
    path("", home, name="home"),
    path("", include("omnify.tenants.urls")),
    path("", include("contacts.urls")),
    path("", include("sequences.urls")),
    path("", include("omnify.operations.urls")),
    path("accounts/", include("omnify.tenants.account_urls")),
    path("api/", include("omnify.api")),
    path("admin/", admin.site.urls),
    # Under every mail: short, and with or without the slash, because mail programs post to it and must not be redirected.
    path("u/<str:token>", unsubscribe_page, name="unsubscribe"),
    path("u/<str:token>/", unsubscribe_page),
    path("p/<str:token>/", preferences_page, name="preferences"),
    path("p/<str:token>", preferences_page),
]
if settings.SIMULATOR_URL:
    urlpatterns.append(path("", include("omnify.simulator.urls")))

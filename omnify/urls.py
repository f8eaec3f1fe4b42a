"""Every address of Omnify, except the providers' webhooks, which omnify.asgi answers before Django."""

from django.contrib import admin
from django.urls import include, path

from omnify.home import home

urlpatterns = [
    path("", home, name="home"),
    path("", include("omnify.tenants.urls")),
    path("accounts/", include("omnify.tenants.account_urls")),
    path("admin/", admin.site.urls),
]

"""Every address of Omnify, except the providers' webhooks, which omnify.asgi answers before Django."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

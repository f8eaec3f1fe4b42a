"""Addresses of the Operations page. /healthz and /metrics are answered before Django: omnify.operations.door."""

from django.urls import path

from omnify.operations import views

app_name = "operations"

urlpatterns = [
    path("operations/", views.page, name="page"),
    path("operations/switch/", views.switch, name="switch"),
    path("operations/sending/", views.tenant_switch, name="sending"),
]

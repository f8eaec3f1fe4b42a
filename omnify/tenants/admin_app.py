"""Puts Omnify's own site in the place of Django's admin site."""

from django.contrib.admin.apps import AdminConfig


class OmnifyAdminConfig(AdminConfig):
    default_site = "omnify.tenants.admin_site.OmnifyAdminSite"

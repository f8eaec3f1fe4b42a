"""Addresses of contacts and imports."""

from django.urls import path

from contacts.views import bulk, editing, importing, listing, merging, permission, person

app_name = "contacts"

urlpatterns = [
    path("contacts/", listing.list_contacts, name="list"),
    path("contacts/new/", editing.create, name="create"),
    path("contacts/export/", listing.export, name="export"),
    path("contacts/bulk/", bulk.bulk, name="bulk"),
    path("contacts/sample.csv", importing.sample, name="sample"),
    path("contacts/<uuid:public_id>/", person.contact, name="contact"),
    path("contacts/<uuid:public_id>/timeline/", person.timeline_part, name="timeline"),
    path("contacts/<uuid:public_id>/edit/", editing.edit, name="edit"),
    path("contacts/<uuid:public_id>/delete/", editing.delete, name="delete"),
    path("contacts/<uuid:public_id>/merge/", merging.merging, name="merge"),
    path("contacts/<uuid:public_id>/permission/", permission.permission, name="permission"),
    path("imports/", importing.list_imports, name="imports"),
    path("imports/new/", importing.new, name="import_new"),
    path("imports/<uuid:public_id>/map/", importing.map_columns, name="import_map"),
    path("imports/<uuid:public_id>/review/", importing.review, name="import_review"),
    path("imports/<uuid:public_id>/run/", importing.run, name="import_run"),
    path("imports/<uuid:public_id>/progress/", importing.progress, name="import_progress"),
    path("imports/<uuid:public_id>/cancel/", importing.cancel, name="import_cancel"),
    path("imports/<uuid:public_id>/errors.csv", importing.errors, name="import_errors"),
]

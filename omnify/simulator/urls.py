"""Addresses of the simulated handsets; included only where a simulator is set up."""

from django.urls import path

from omnify.simulator import pages

app_name = "phone"

urlpatterns = [
    path("phone/", pages.people, name="list"),
    path("phone/<uuid:public_id>/", pages.handset, name="handset"),
    path("phone/<uuid:public_id>/reply/", pages.reply, name="reply"),
    path("phone/<uuid:public_id>/temperament/", pages.temperament, name="temperament"),
    path("phone/<uuid:public_id>/read/", pages.read, name="read"),
    path("phone/<uuid:public_id>/mail/<int:seq>/", pages.mail, name="mail"),
]

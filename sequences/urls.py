"""Addresses of sequences."""

from django.urls import path

from omnify.lib import opaque  # noqa: F401 - teaches path() the word
from sequences.views import (
    choosing,
    detail,
    editing,
    enrolling,
    held,
    limits,
    listing,
    person,
    previewing,
    publication,
    rules,
    tasks,
)

app_name = "sequences"

urlpatterns = [
    path("sequences/", listing.list_sequences, name="list"),
    path("sequences/new/", listing.create, name="create"),
    path("sequences/demo/", listing.demo, name="demo"),
    path("sequences/choose/", choosing.choose, name="choose"),
    path("sequences/enrollments/", enrolling.enrollment_action, name="enrollment_action"),
    path("sequences/<uuid:public_id>/", detail.overview, name="sequence"),
    path("sequences/<uuid:public_id>/people/", detail.people, name="people"),
    path("sequences/<uuid:public_id>/log/", detail.log, name="log"),
    path("sequences/<uuid:public_id>/steps/", detail.steps, name="steps"),
    path("sequences/<uuid:public_id>/settings/", detail.settings, name="settings"),
    path("sequences/<uuid:public_id>/status/", listing.status, name="status"),
    path("sequences/<uuid:public_id>/duplicate/", listing.duplicate, name="duplicate"),
    path("sequences/<uuid:public_id>/enroll/", enrolling.enroll, name="enroll"),
    path("sequences/<uuid:public_id>/publish/", publication.publish, name="publish"),
    path("sequences/<uuid:public_id>/draft/", editing.start, name="start"),
    path("sequences/<uuid:public_id>/edit/", editing.edit, name="edit"),
    path("sequences/<uuid:public_id>/edit/add/", editing.step_add, name="step_add"),
    path("sequences/<uuid:public_id>/edit/undo/", editing.step_undo, name="step_undo"),
    path("sequences/<uuid:public_id>/edit/<slug:key>/", editing.step, name="step"),
    path("sequences/<uuid:public_id>/edit/<slug:key>/move/", editing.step_move, name="step_move"),
    path("sequences/<uuid:public_id>/edit/<slug:key>/duplicate/", editing.step_duplicate, name="step_duplicate"),
    path("sequences/<uuid:public_id>/edit/<slug:key>/switch/", editing.step_switch, name="step_switch"),
    path("sequences/<uuid:public_id>/edit/<slug:key>/delete/", editing.step_delete, name="step_delete"),
    path("sequences/<uuid:public_id>/preview/<slug:key>/", previewing.show, name="preview"),
    path("sequences/<uuid:public_id>/preview/<slug:key>/mail/", previewing.mail, name="mail"),
    path("sequences/contacts/<uuid:public_id>/", person.contact_panel, name="contact_panel"),
    path("sequences/contacts/<uuid:public_id>/reply/", person.reply, name="reply"),
    path("sequences/messages/<uuid:public_id>/settle/", person.settle, name="settle"),
    path("settings/rules/", rules.list_rules, name="rules"),
    path("held/", held.list_held, name="held"),
    path("held/decide/", held.decide, name="held_decide"),
    path("held/events/<opaque:pk>/retry/", held.retry, name="event_retry"),
    path("held/events/<opaque:pk>/done/", held.dismiss, name="event_done"),
    path("settings/limits/", limits.limits, name="limits"),
    path("tasks/", tasks.list_tasks, name="tasks"),
    path("tasks/<uuid:public_id>/done/", tasks.finish, name="task_done"),
]

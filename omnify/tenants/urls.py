"""Addresses of the workspace: switching, settings, members, keys, notifications."""

from django.urls import path

from omnify.lib import opaque  # noqa: F401 - teaches path() the word
from omnify.tenants.views import approvals, audit, data, keys, members, notifications, support, workspace

app_name = "tenants"

urlpatterns = [
    path("tenants/switch/", workspace.switch, name="switch"),
    path("tenants/none/", workspace.none, name="none"),
    path("settings/", workspace.settings, name="settings"),
    path("settings/sending/", workspace.sending, name="sending"),
    path("settings/members/", members.list_members, name="members"),
    path("settings/members/add/", members.add, name="member_add"),
    path("settings/members/<opaque:pk>/role/", members.role, name="member_role"),
    path("settings/members/<opaque:pk>/invite/", members.invite, name="member_invite"),
    path("settings/members/<opaque:pk>/remove/", members.remove, name="member_remove"),
    path("settings/keys/", keys.list_keys, name="keys"),
    path("settings/keys/create/", keys.create, name="key_create"),
    path("settings/keys/<opaque:pk>/revoke/", keys.revoke, name="key_revoke"),
    path("settings/audit/", audit.audit, name="audit"),
    path("settings/signatures/", workspace.signatures, name="signatures"),
    path("settings/data/", data.data, name="data"),
    path("settings/data/hold/", data.hold, name="data_hold"),
    path("settings/data/export/", data.export, name="data_export"),
    path("support/end/", support.end, name="support_end"),
    path("approvals/", approvals.list_approvals, name="approvals"),
    path("approvals/<uuid:public_id>/", approvals.approval, name="approval"),
    path("approvals/<uuid:public_id>/decide/", approvals.decide, name="approval_decide"),
    path("notifications/", notifications.list_notifications, name="notifications"),
    path("notifications/bell/", notifications.bell, name="bell"),
    path("notifications/bell/count/", notifications.bell_count, name="bell_count"),
    path("notifications/read/", notifications.read, name="notifications_read"),
    path("notifications/<uuid:public_id>/read/", notifications.read, name="notification_read"),
]

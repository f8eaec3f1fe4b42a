"""Everything of one workspace in a file, nothing of another, and no secret."""

import json
import stat
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import BinaryField

from omnify.tenants.context import tenant_context
from omnify.tenants.exporting import columns, tables
from omnify.tenants.models import ApiKey, Event
from sequences.models import Sender
from tests.everything import TENANT_MODELS, Rows, make_everything
from tests.making import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(people: People, now: datetime, tmp_path: Path) -> tuple[Rows, dict[str, str], Path]:
    """Acme's rows, and the texts of the files in its zip."""
    rows = make_everything(people.alice, now, "Oursword")
    make_everything(people.charlie, now, "Theirsword")
    path = tmp_path / "acme.zip"
    call_command("export", "acme", str(path))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return rows, {name: archive.read(name).decode() for name in archive.namelist()}, path


def test_every_table_of_the_workspace_is_in_it_and_nothing_of_another(
    people: People, taken: tuple[Rows, dict[str, str], Path]
) -> None:
    rows, files, _ = taken
    assert set(files) == {f"{model._meta.label_lower}.jsonl" for model in TENANT_MODELS} | {"about.json"}
    for model in TENANT_MODELS:
        lines = [json.loads(line) for line in files[f"{model._meta.label_lower}.jsonl"].splitlines()]
        assert {line["tenant_id"] for line in lines} == {people.acme.pk}, model
        assert rows[model].pk in {line["id"] for line in lines}, model
    everything = "".join(files.values())
    assert "Oursword body" in everything
    assert "Theirsword" not in everything
    about = json.loads(files["about.json"])
    assert about["tenant"]["slug"] == "acme"
    assert about["rows"]["contacts.Contact"] == files["contacts.contact.jsonl"].count("\n")


def test_no_secret_is_in_it(people: People, taken: tuple[Rows, dict[str, str], Path]) -> None:
    everything = "".join(taken[1].values())
    with tenant_context(people.acme.pk):
        secrets = [value for each in Sender.objects.all() for value in (each.sealed_credentials, each.webhook_key)]
        secrets += [value for each in Sender.objects.all() for value in each.credentials.values()]
        secrets += list(ApiKey.objects.values_list("digest", flat=True))
    assert len(secrets) >= 8
    assert not [value for value in secrets if value and value in everything]


def test_columns_are_all_that_json_can_hold_and_named_like_no_secret() -> None:
    for model in tables():
        kept = {field.attname: field for field in model._meta.concrete_fields if field.attname in columns(model)}
        assert not [name for name, field in kept.items() if isinstance(field, BinaryField)], model
        suspicious = [
            name
            for name in kept
            if any(word in name for word in ("secret", "credential", "password", "digest", "webhook_key"))
        ]
        harmless = model._meta.label in {"contacts.Forgotten", "tenants.Approval"}  # digests that open nothing
        assert suspicious == (["digest"] if harmless else []), model


def test_the_file_is_its_makers_alone_replaces_none_and_the_ledger_tells(
    people: People, taken: tuple[Rows, dict[str, str], Path], capsys: Any
) -> None:
    path = taken[2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tenant_context(people.acme.pk):
        assert Event.objects.filter(kind="tenant.exported").count() == 1
    with pytest.raises(CommandError, match="there already"):
        call_command("export", "acme", str(path))
    with pytest.raises(CommandError, match="no workspace"):
        call_command("export", "nobody", str(path.with_name("other.zip")))

"""The mapping page's form: one choice a column, and what these people agreed to."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from contacts.addressing import names_of_countries
from contacts.importing import consents
from contacts.importing.cleaning import tags_of
from contacts.importing.fields import CUSTOM, FIELDS
from contacts.importing.mapping import Mapping
from contacts.models import ImportJob
from contacts.models.imports import Duplicates
from contacts.models.permission import Channel, ConsentKind

NEW_FIELD = "custom"
REGIONS = ("US", "CA", "GB", "IE", "AU", "NZ", "DE", "AT", "CH", "FR", "ES", "IT", "NL", "BE", "PT", "SE", "NO", "DK", "FI", "PL",
           "BR", "MX", "AR", "CL", "CO", "IN", "JP", "KR", "SG", "PH", "ZA", "NG", "KE", "AE", "IL")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    index: int
    name: str
    target: str  # a field's key, "custom" or ""
    custom: str  # the new field's name where target is "custom"
    samples: list[str]


class MappingForm:
    """Reads the page's POST (or the job, for its first showing) and holds what the template needs to show it again."""

    def __init__(self, job: ImportJob, post: QueryDict | None) -> None:
        self.job, self.post = job, post
        self.groups: dict[str, list[Any]] = {}
        for field in FIELDS:
            self.groups.setdefault(field.group, []).append(field)
        self.columns = [self._column(index, name) for index, name in enumerate(job.header)]
        self.consent = self._consent()
        self.duplicates = self._one_of("duplicates", Duplicates.values, job.duplicates)
        self.region = self._one_of("region", REGIONS, job.default_region)
        self.tags = tags_of(post.get("tags", "")) if post is not None else list(job.tags)

    @property
    def mapping(self) -> Mapping:
        return {
            column.index: f"{CUSTOM}{column.custom}" if column.target == NEW_FIELD else column.target
            for column in self.columns
        }

    @property
    def choices(self) -> dict[str, Any]:
        """The other arguments of jobs.set_mapping."""
        return {"consent": self.consent, "duplicates": self.duplicates, "region": self.region, "tags": self.tags}

    @property
    def channels(self) -> list[dict[str, Any]]:
        """Each channel with the kinds of consent that may be claimed for it, and what is chosen."""
        labels = dict(ConsentKind.choices)
        return [
            {
                "name": channel,
                "label": Channel(channel).label,
                "on": channel in self.consent["channels"],
                "kind": self.consent["channels"].get(channel),
                "kinds": [(kind, labels[kind]) for kind in kinds],
            }
            for channel, kinds in consents.KINDS.items()
        ]

    @property
    def bases(self) -> dict[str, str]:
        return consents.BASES

    @property
    def regions(self) -> list[tuple[str, str]]:
        return sorted(((code, names_of_countries()[code]) for code in REGIONS), key=lambda pair: pair[1])

    def _column(self, index: int, name: str) -> Column:
        stored = self.job.mapping.get(str(index), "")
        custom = stored.removeprefix(CUSTOM) if stored.startswith(CUSTOM) else ""
        target = NEW_FIELD if custom else stored
        if self.post is not None:
            target, custom = self.post.get(f"column-{index}", ""), self.post.get(f"custom-{index}", "")
        samples = [row[index] for row in self.job.samples if index < len(row) and row[index]][:3]
        return Column(index, name, target, custom.strip() or name[:60], samples)

    def _consent(self) -> dict[str, Any]:
        if self.post is None:
            return {"basis": "", "channels": {}, "source": "", "text": ""} | self.job.consent
        chosen = [channel for channel in self.post.getlist("channel") if channel in consents.KINDS]
        basis = self.post.get("basis", "")
        return {
            "basis": basis,
            "channels": {channel: self.post.get(f"kind-{channel}", "") for channel in chosen}
            if basis == "stated"
            else {},
            "source": self.post.get("source", ""),
            "text": self.post.get("text", ""),
        }

    def _one_of(self, name: str, allowed: Any, default: str) -> str:
        value = self.post.get(name, default) if self.post is not None else default
        return value if value in allowed else default

"""Forms of the pages: a new sequence, its settings, one form a kind of step, and whom to enrol."""

from typing import Any

from django import forms

from sequences.models import Sequence, Step
from sequences.models.definition import StepKind
from sequences.problems import SMS_LIMIT

DAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]
ON_REPLY = [("pause", "Pause the person until somebody decides"), ("exit", "Take the person out of the sequence")]
WRITE = {"rows": 7, "data-template": "", "spellcheck": "true"}


class SequenceForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name", widget=forms.TextInput({"autofocus": True}))


class SettingsForm(forms.Form):
    """The settings that hold for all versions of a sequence."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=500, required=False, widget=forms.Textarea({"rows": 2}))
    days = forms.TypedMultipleChoiceField(
        choices=DAYS, coerce=int, widget=forms.CheckboxSelectMultiple, label="Send on these days", required=False
    )
    start = forms.TimeField(label="From", widget=forms.TimeInput({"type": "time"}, format="%H:%M"), required=False)
    end = forms.TimeField(label="Until", widget=forms.TimeInput({"type": "time"}, format="%H:%M"), required=False)
    on_reply = forms.ChoiceField(choices=ON_REPLY, label="When a person replies")
    allow_reentry = forms.BooleanField(
        required=False, label="People who finished or left may be enrolled again", initial=False
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start, end = values.get("start"), values.get("end")
        if bool(start) != bool(end):
            self.add_error("end" if start else "start", "Give both hours, or neither to follow your business hours.")
        elif start and end and start >= end:
            self.add_error("end", "The hours must end after they begin.")
        elif start and not values.get("days"):
            self.add_error("days", "Choose at least one day.")
        return values

    @staticmethod
    def values_of(sequence: Sequence) -> dict[str, Any]:
        window = sequence.send_window or {}
        return {
            "name": sequence.name,
            "description": sequence.description,
            "days": window.get("days", list(range(7)) if window else []),
            "start": window.get("start", ""),
            "end": window.get("end", ""),
            "on_reply": (sequence.exit_rules or {}).get("on_reply", "pause"),
            "allow_reentry": sequence.allow_reentry,
        }

    def changes(self, sequence: Sequence) -> dict[str, Any]:
        """What update_settings takes."""
        values = self.cleaned_data
        window = {}
        if values["start"]:
            window = {
                "days": sorted(values["days"]),
                "start": f"{values['start']:%H:%M}",
                "end": f"{values['end']:%H:%M}",
            }
        return {
            "name": values["name"],
            "description": values["description"],
            "send_window": window,
            "exit_rules": {**(sequence.exit_rules or {}), "on_reply": values["on_reply"]},
            "allow_reentry": values["allow_reentry"],
        }


class StepForm(forms.Form):
    """What all kinds have. A draft may be incomplete: what is missing is a problem to publish, not an error to save."""

    name = forms.CharField(max_length=120, required=False, label="Name for your team")
    CONFIG: tuple[str, ...] = ()

    def changes(self, step: Step) -> dict[str, Any]:
        """What update_step takes: only what is different from the step as it is stored."""
        # Browsers send line ends as two characters; a text message would be billed for both.
        values = {name: value.replace("\r\n", "\n") for name, value in self.cleaned_data.items()}
        config = {**(step.config or {}), **{name: values.pop(name) for name in self.CONFIG}}
        changed = {name: value for name, value in values.items() if getattr(step, name) != value}
        return changed | ({"config": config} if config != (step.config or {}) else {})

    @classmethod
    def values_of(cls, step: Step) -> dict[str, Any]:
        return {"name": step.name, "subject": step.subject, "body": step.body, **(step.config or {})}


class SmsForm(StepForm):
    body = forms.CharField(
        max_length=20_000, required=False, strip=False, label="Text", widget=forms.Textarea({**WRITE, "rows": 5})
    )


class EmailForm(StepForm):
    subject = forms.CharField(max_length=300, required=False, widget=forms.TextInput({"data-template": ""}))
    body = forms.CharField(
        max_length=20_000, required=False, strip=False, label="Text", widget=forms.Textarea({**WRITE, "rows": 10})
    )


class VoiceForm(StepForm):
    first_message = forms.CharField(
        max_length=2_000,
        required=False,
        strip=False,
        label="First words",
        help_text="What the caller says when the person picks up.",
        widget=forms.Textarea({**WRITE, "rows": 3}),
    )
    body = forms.CharField(
        max_length=20_000,
        required=False,
        strip=False,
        label="Instructions",
        help_text="What the caller should find out, offer and avoid.",
        widget=forms.Textarea(WRITE),
    )
    CONFIG = ("first_message",)


class WaitForm(forms.Form):
    days = forms.IntegerField(min_value=0, max_value=365, required=False)
    hours = forms.IntegerField(min_value=0, max_value=8760, required=False)
    minutes = forms.IntegerField(min_value=0, max_value=59, required=False)
    business_days = forms.BooleanField(required=False, label="Count Monday to Friday only")
    at = forms.TimeField(
        required=False,
        label="Then until this time of day",
        help_text="In the person's own time zone. Leave it empty to go on at once.",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )

    def changes(self, step: Step) -> dict[str, Any]:
        values = self.cleaned_data
        config = {
            **(step.config or {}),
            **{unit: values[unit] or 0 for unit in ("days", "hours", "minutes")},
            "business_days": values["business_days"],
            "at": f"{values['at']:%H:%M}" if values["at"] else "",
        }
        return {"config": config} if config != step.config else {}

    @classmethod
    def values_of(cls, step: Step) -> dict[str, Any]:
        return dict(step.config or {})


class TaskForm(StepForm):
    name = forms.CharField(max_length=120, required=False, label="What is to be done")
    body = forms.CharField(
        max_length=20_000, required=False, strip=False, label="Notes", widget=forms.Textarea({**WRITE, "rows": 4})
    )


class ExitForm(StepForm):
    pass


FORMS: dict[str, Any] = {
    StepKind.SMS: SmsForm,
    StepKind.EMAIL: EmailForm,
    StepKind.VOICE: VoiceForm,
    StepKind.WAIT: WaitForm,
    StepKind.TASK: TaskForm,
    StepKind.EXIT: ExitForm,
}


def step_form(step: Step, data: Any = None) -> Any:
    """The form of this step's kind, filled from the step or bound to `data`. Field ids carry the step's key."""
    kind = FORMS[step.kind]
    form = kind(data, initial=kind.values_of(step), auto_id=f"id_{step.key}_%s", use_required_attribute=False)
    for field in form.fields.values():
        field.template_name = "sequences/parts/field.html"  # nothing is optional in a message, only unfinished
    return form


class ReplyForm(forms.Form):
    channel = forms.ChoiceField(choices=[("sms", "Text"), ("email", "Email")])
    subject = forms.CharField(max_length=300, required=False)
    body = forms.CharField(max_length=20_000, error_messages={"required": "Write a message first."})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("channel") == "sms" and len(data.get("body", "")) > SMS_LIMIT:
            self.add_error("body", f"A text has at most {SMS_LIMIT:,} characters. Shorten it, or write an email.")
        return data

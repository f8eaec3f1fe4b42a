"""What one may type into a simulated handset."""

from django import forms

from omnify.simulator.temperaments import TEMPERAMENTS

CHANNELS = (("sms", "Text"), ("email", "Email"))
# What a person may text back: ten segments, as Twilio joins them.
SMS_LIMIT, MAIL_LIMIT = 1600, 20_000


class ReplyForm(forms.Form):
    channel = forms.ChoiceField(choices=CHANNELS)
    body = forms.CharField(max_length=MAIL_LIMIT, error_messages={"required": "Type an answer first."})

    def clean(self) -> dict[str, str]:
        given: dict[str, str] = super().clean() or {}
        if given.get("channel") == "sms" and len(given.get("body", "")) > SMS_LIMIT:
            self.add_error("body", f"A text has at most {SMS_LIMIT} characters.")
        return given


class TemperamentForm(forms.Form):
    temperament = forms.ChoiceField(choices=[(name, name.replace("_", " ").capitalize()) for name in TEMPERAMENTS])

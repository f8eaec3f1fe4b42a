"""How forms turn into HTML: label, field, help and errors through the templates in templates/forms/."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Named by FORM_RENDERER: `{{ form }}` and `{{ form.name.as_field_group }}` come out in Omnify's look."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"

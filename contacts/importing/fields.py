"""What a column of a list may become: the fields of a contact, and the names lists give them. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """`names`: what headers call it, folded (lower case, words parted by single blanks). `limit`: characters the column holds."""

    key: str
    label: str
    group: str
    names: tuple[str, ...]
    limit: int = 0


def _words(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


FIELDS: tuple[Field, ...] = (
    Field("first_name", "First name", "Person", _words(
        "first name|first|given name|forename|fname|firstname|vorname|prénom|prenom|nombre|nome|voornaam|förnamn|名"), 100),
    Field("last_name", "Last name", "Person", _words(
        "last name|last|surname|family name|lname|lastname|nachname|familienname|nom|nom de famille|apellido|apellidos|cognome|"
        "sobrenome|achternaam|efternamn|姓"), 100),
    Field("full_name", "Full name", "Person", _words(
        "full name|name|fullname|contact|contact name|customer|customer name|client name|lead name|person|display name|"
        "vollständiger name|nom complet|nombre completo|nome completo|naam|氏名|お名前|姓名|имя"), 0),
    Field("title", "Role", "Person", _words(
        "title|job title|role|position|job|occupation|funktion|beruf|fonction|poste|cargo|puesto|ruolo|functie|役職"), 120),
    Field("company", "Company", "Person", _words(
        "company|company name|organization|organisation|account|account name|business|business name|employer|firma|unternehmen|"
        "société|societe|entreprise|empresa|azienda|bedrijf|会社|会社名"), 200),
    Field("email", "Email", "Addresses", _words(
        "email|e mail|mail|email address|e mail address|emailaddress|primary email|work email|business email|email 1|e mail 1 value|"
        "adresse e mail|courriel|correo|correo electrónico|correo electronico|email adresse|e mail adresse|posta elettronica|"
        "メール|メールアドレス|почта|邮箱"), 254),
    Field("phone", "Phone", "Addresses", _words(
        "phone|phone number|mobile|mobile phone|mobile number|cell|cell phone|cellphone|telephone|tel|phone 1|primary phone|"
        "contact phone|contact phone number|contact number|sms|sms number|phone 1 value|whatsapp|telefon|telefonnummer|handy|mobil|"
        "mobilnummer|téléphone|telephone portable|portable|teléfono|telefono|móvil|movil|celular|cellulare|telefone|telefoon|"
        "電話|電話番号|携帯|телефон|电话|手机"), 20),
    Field("alternative_email", "Second email", "Addresses", _words(
        "email 2|second email|secondary email|alternative email|alternate email|other email|personal email|e mail 2 value"), 254),
    Field("alternative_phone", "Second phone", "Addresses", _words(
        "phone 2|second phone|secondary phone|alternative phone|alternate phone|other phone|home phone|work phone|office phone|"
        "phone 2 value|landline"), 20),
    Field("address_line", "Street", "Place", _words(
        "address|street|street address|address 1|address line 1|address line|straße|strasse|adresse|rue|dirección|direccion|calle|"
        "indirizzo|via|住所"), 200),
    Field("city", "City", "Place", _words("city|town|locality|stadt|ort|ville|ciudad|città|citta|cidade|plaats|市"), 100),
    Field("state", "State or province", "Place", _words(
        "state|province|region|state province|county state|st|bundesland|estado|provincia|état|都道府県"), 60),
    Field("postal_code", "Postal code", "Place", _words(
        "zip|zip code|zipcode|postal code|postcode|post code|postal|plz|postleitzahl|code postal|código postal|codigo postal|cap|cep|"
        "郵便番号"), 20),
    Field("country", "Country", "Place", _words("country|country code|nation|land|pays|país|pais|paese|国"), 2),
    Field("timezone", "Time zone", "Place", _words("timezone|time zone|tz|zeitzone|fuseau horaire|zona horaria"), 60),
    Field("language", "Language", "Place", _words("language|lang|locale|preferred language|sprache|langue|idioma|lingua"), 10),
    Field("tags", "Tags", "Notes", _words("tags|tag|labels|label|groups|group|list|segment|category"), 0),
    Field("source", "Source", "Notes", _words("source|lead source|origin|utm source|how did you hear about us|quelle|origen"), 80),
    Field("lead_score", "Lead score", "Notes", _words("lead score|score|rating"), 0),
    Field("consent_sms", "Agreed to texts (yes/no)", "Permission", _words(
        "sms consent|consent sms|sms opt in|sms optin|opt in sms|text consent|text opt in|texts ok|sms ok|agreed to texts|sms permission"), 0),
    Field("consent_email", "Agreed to email (yes/no)", "Permission", _words(
        "email consent|consent email|email opt in|email optin|opt in email|newsletter|email permission|marketing emails|agreed to email|"
        "accepts marketing|accepts email marketing|email marketing"), 0),
    Field("consent_voice", "Agreed to automated calls (yes/no)", "Permission", _words(
        "voice consent|consent voice|call consent|voice opt in|call opt in|calls ok|phone consent|agreed to calls|ai call consent"), 0),
    Field("consent_at", "Agreed on (date)", "Permission", _words(
        "consent date|consent at|consent given at|opt in date|optin date|opt in time|optin time|consent timestamp|subscribed at|signup date"), 0),
    Field("consent_source", "Agreed where", "Permission", _words(
        "consent source|opt in source|optin source|consent text|consent form|opt in url|consent url|signup source"), 120),
    Field("opt_out", "Opted out of everything (yes/no)", "Permission", _words(
        "opt out|opted out|optout|unsubscribed|unsubscribe|do not contact|dnc|do not disturb|blacklisted|suppressed"), 0),
    Field("opt_out_sms", "Opted out of texts (yes/no)", "Permission", _words(
        "sms opt out|opt out sms|sms unsubscribed|do not text|text opt out|sms optout"), 0),
    Field("opt_out_email", "Opted out of email (yes/no)", "Permission", _words(
        "email opt out|opt out email|has opted out of email|email unsubscribed|do not email|email optout|unsubscribed from email"), 0),
    Field("opt_out_voice", "Opted out of calls (yes/no)", "Permission", _words(
        "call opt out|voice opt out|do not call|phone opt out|opt out voice|opt out calls"), 0),
)  # fmt: skip
BY_KEY = {field.key: field for field in FIELDS}
CUSTOM = "custom:"
CUSTOM_NAME_LIMIT = 60
CONSENT_FIELDS = {"sms": "consent_sms", "email": "consent_email", "voice": "consent_voice"}


def label_of(target: str) -> str:
    """The words for a mapping's target: a field's label, a custom field's name, or "" for a column left out."""
    if target.startswith(CUSTOM):
        return target.removeprefix(CUSTOM)
    return BY_KEY[target].label if target in BY_KEY else ""

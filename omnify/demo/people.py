"""The demo's people: at any hour of a working day the law of somebody's place lets them be contacted. Pure.

Germany has no rules in the book (sequences.law), so that one receipt shows what is said then. Numbers are ones that
numbering authorities keep free for fiction (555-01xx in North America, the drama ranges of Ofcom, the Bundesnetzagentur and
the ACMA); mail addresses end in .example (RFC 2606).
"""

from dataclasses import dataclass

EVERYTHING = ("sms", "voice", "email")


@dataclass(frozen=True, slots=True)
class Person:
    """`temperament`: how the simulator lets them behave (omnify.simulator.temperaments); "manual" waits for you to answer."""

    first_name: str
    last_name: str
    title: str
    company: str
    phone: str
    zone: str
    city: str
    state: str
    country: str
    temperament: str = "manual"
    phone_type: str = "mobile"
    consents: tuple[str, ...] = EVERYTHING
    suppressed: bool = False

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@people.example".lower()


PEOPLE = (
    Person(
        "Maya", "Torres", "Owner", "Torres Bakery", "+12125550141", "America/New_York", "New York", "NY", "US",
        temperament="friendly",
    ),
    Person(
        "Owen", "Clark", "Facility manager", "Clark & Sons", "+16175550123", "America/New_York", "Boston", "MA", "US",
        temperament="stopper",
    ),
    Person("Grace", "Kim", "", "", "+13125550117", "America/Chicago", "Chicago", "IL", "US"),
    Person(
        "Luis", "Ortega", "Director", "Ortega Farms", "+13035550162", "America/Denver", "Denver", "CO", "US",
        temperament="no_answer",
    ),
    Person(
        "Hannah", "Reed", "Head of operations", "Reed Logistics", "+12065550139", "America/Los_Angeles", "Seattle",
        "WA", "US", temperament="talkative",
    ),
    Person(
        "Sam", "Patel", "", "", "+14155550178", "America/Los_Angeles", "San Francisco", "CA", "US",
        temperament="voicemail",
    ),
    Person(
        "Noelani", "Kahale", "Owner", "Kahale Surf", "+18085550133", "Pacific/Honolulu", "Honolulu", "HI", "US",
        temperament="busy",
    ),
    Person(
        "Tasi", "Cruz", "Owner", "Cruz Diving", "+16715550119", "Pacific/Guam", "Tamuning", "GU", "US",
        temperament="auto_reply",
    ),
    Person("Emily", "Carter", "", "", "+447700900123", "Europe/London", "Leeds", "", "GB"),
    Person("Lena", "Schmidt", "", "", "+491713920012", "Europe/Berlin", "Köln", "", "DE"),
    Person(
        "Jack", "Murray", "Site lead", "Murray Vineyards", "+61491570006", "Australia/Sydney", "Sydney", "NSW", "AU",
        temperament="bounce",
    ),
    Person(
        "Ruth", "Adams", "", "", "+12125550188", "America/New_York", "New York", "NY", "US",
        temperament="landline", phone_type="landline",
    ),
    Person("Eli", "Foster", "", "", "+13125550194", "America/Chicago", "Chicago", "IL", "US", consents=()),
    Person("Nora", "Quinn", "", "", "+12065550157", "America/Los_Angeles", "Seattle", "WA", "US", suppressed=True),
)  # fmt: skip

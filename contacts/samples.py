"""The sample list that anybody can download and import: fictional people in several countries, so that at any hour some of them
may be contacted by the law of their place. Japan, Germany and New Zealand have no rules in the book (sequences.law): their people
show what a receipt says then. Numbers are those set aside for fiction (555-01xx, Ofcom's and ACMA's drama numbers); Germany
and Japan set none aside that could be dialled, so those are possible but not given out. Mailboxes end in .example (RFC 2606)."""

from collections.abc import Iterator

from contacts.spreadsheets import lines

HEADER = (
    "First name", "Last name", "Email", "Phone", "Company", "Role", "City", "State", "Country", "Time zone", "Tags",
    "SMS consent", "Email consent", "Call consent", "Consent date", "Consent source", "Interest",
)  # fmt: skip

# first, last, phone, company, role, city, state, country, zone, tags, sms email voice, interest
_PEOPLE = """
Ava|Morgan|(212) 555-0101|Harbor Dental|Owner|New York|NY|US||lead; spring|yes yes yes|whitening
Liam|Chen|(415) 555-0102|Bay Roofing|Operations manager|San Francisco|CA|US||lead|yes yes yes|roof repair
Sofia|Alvarez|(305) 555-0103|Coral Realty|Broker|Miami|FL|US||lead; spring|yes yes no|valuation
Noah|Patel|(312) 555-0104|Lakeside Law|Partner|Chicago|IL|US||lead|yes yes yes|consultation
Mia|Johnson|(713) 555-0105|Gulf HVAC|Dispatcher|Houston|TX|US||customer|yes yes yes|maintenance plan
Ethan|Brooks|(303) 555-0106|Front Range Solar|Sales lead|Denver|CO|US||lead; solar|yes yes yes|solar quote
Zoe|Kim|(206) 555-0107|Rainier Fitness|Manager|Seattle|WA|US||lead|yes no no|membership
Lucas|Reed|(602) 555-0108|Desert Pools|Owner|Phoenix|AZ|US||customer|yes yes yes|pool service
Amara|Okafor|(404) 555-0109|Peach Tutoring|Founder|Atlanta|GA|US||lead; education|yes yes yes|tutoring
Mateo|Silva|(617) 555-0110|Beacon Clinic|Office manager|Boston|MA|US||lead|no yes no|check-up
Hannah|Weiss|(215) 555-0111|Liberty Movers|Coordinator|Philadelphia|PA|US||lead|yes yes yes|moving quote
Omar|Farouk|(313) 555-0112|Motor City Auto|Service adviser|Detroit|MI|US||customer|yes yes yes|brake service
Chloe|Nguyen|(503) 555-0113|Rose City Vets|Receptionist|Portland|OR|US||lead|yes yes no|vaccination
Jack|O'Neil|(702) 555-0114|Silver Events|Planner|Las Vegas|NV|US||lead; events|yes yes yes|venue
Priya|Raman|(512) 555-0115|Hill Country Homes|Agent|Austin|TX|US||lead; spring|yes yes yes|viewing
Diego|Torres|(505) 555-0116|Mesa Insurance|Adviser|Albuquerque|NM|US||lead|yes yes yes|renewal
Grace|Lindholm|(612) 555-0117|North Star Windows|Estimator|Minneapolis|MN|US||lead|yes yes yes|windows
Caleb|Wright|(615) 555-0118|Music Row Storage|Manager|Nashville|TN|US||customer|no yes no|storage unit
Nia|Campbell|(504) 555-0119|Bayou Catering|Chef|New Orleans|LA|US||lead; events|yes yes yes|catering
Eli|Rosen|(410) 555-0120|Chesapeake Boats|Owner|Baltimore|MD|US||lead|yes yes yes|winter storage
Leilani|Kahale|(808) 555-0121|Island Tours|Guide|Honolulu|HI|US||lead; travel|yes yes yes|boat tour
Kai|Nakoa|(808) 555-0122|Kona Surf|Instructor|Kailua-Kona|HI|US||lead; travel|yes yes yes|surf lesson
Ruth|Larsen|(907) 555-0123|Denali Lodge|Host|Anchorage|AK|US||lead; travel|yes yes yes|cabin
Samuel|Grant|(801) 555-0124|Wasatch Ski|Rental manager|Salt Lake City|UT|US||customer|yes yes yes|season pass
Isla|Fraser|+44 131 496 0101|Castle Interiors|Designer|Edinburgh||GB||lead; europe|yes yes yes|kitchen
Oliver|Hughes|+44 20 7946 0102|Thames Fitness|Owner|London||GB||lead; europe|yes yes yes|gym plan
Freya|Walker|+44 161 496 0103|Mersey Clinic|Nurse|Manchester||GB||lead; europe|no yes no|appointment
Harry|Evans|+44 113 496 0104|Yorkshire Tea Rooms|Manager|Leeds||GB||customer; europe|yes yes yes|catering
Charlotte|Nguyen|+61 491 570 156|Harbour Sailing|Skipper|Sydney|NSW|AU||lead; pacific|yes yes yes|sailing course
Jackson|Brown|+61 491 570 157|Yarra Coffee|Roaster|Melbourne|VIC|AU||lead; pacific|yes yes yes|wholesale
Matilda|Singh|+61 491 570 158|Reef Divers|Instructor|Brisbane|QLD|AU||lead; pacific|yes yes yes|dive course
Cooper|Wilson|+61 491 570 159|Swan Solar|Installer|Perth|WA|AU||lead; solar|yes yes yes|solar quote
Haruto|Sato|+81 3 5550 0101|Sakura Travel|Planner|Tokyo||JP|Asia/Tokyo|lead; pacific|yes yes yes|guided tour
Tasi|Cruz|(671) 555-0125|Marianas Diving|Owner|Tamuning|GU|US||lead; pacific|yes yes yes|dive course
Jose|Santos|(671) 555-0126|Latte Stone Coffee|Roaster|Dededo|GU|US||customer; pacific|no yes no|wholesale
Emma|Schneider|+49 30 23125 101|Spree Räder|Inhaberin|Berlin||DE|Europe/Berlin|lead; europe|yes yes yes|Probefahrt
Jonas|Müller|+49 89 99998 102|Isar Küchen|Berater|München||DE|Europe/Berlin|lead; europe|yes yes yes|Küche
Emilie|Tremblay|(514) 555-0127|Laurier Cuisines|Designer|Montreal|QC|CA||lead|no yes no|kitchen
Owen|MacLeod|(416) 555-0128|Lakeshore Movers|Manager|Toronto|ON|CA||customer|yes yes yes|moving quote
Aroha|Ngata|+64 9 555 0101|Kauri Outdoors|Guide|Auckland||NZ|Pacific/Auckland|lead; pacific|yes yes yes|hiking tour
"""


def rows() -> Iterator[list[str]]:
    """The header, then one row a person."""
    yield list(HEADER)
    for line in _PEOPLE.strip().splitlines():
        first, last, phone, company, role, city, state, country, zone, tags, agreed, interest = line.split("|")
        mailbox = f"{first}.{last}".lower().replace("'", "").replace("ü", "ue")
        sms, email, voice = agreed.split()
        address = f"{mailbox}@people.example"
        evidence = ["2026-09-01", "Web form: request a call back"]
        yield [
            first,
            last,
            address,
            phone,
            company,
            role,
            city,
            state,
            country,
            zone,
            tags,
            sms,
            email,
            voice,
            *evidence,
            interest,
        ]


def sample_csv() -> str:
    """The sample list as a CSV file's text."""
    return "\ufeff" + lines(rows())

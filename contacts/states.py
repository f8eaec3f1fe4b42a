"""States, provinces and postal codes -> time zones, for the countries whose zones a state decides. Data only.

Sources: United States: 49 CFR Part 71 (boundaries of the standard time zones); states cut by a boundary keep both zones.
Canada, Australia: the zones of each province or state as the IANA time zone database names them (zone.tab and its comments).
ZIP prefixes: USPS Publication 65 / labelling list L002 (first three digits); Canada Post: first letter; Australia Post: first digits.
"""

ET, CT, MT, PT = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
AZ, AK, ADAK, HI = "America/Phoenix", "America/Anchorage", "America/Adak", "Pacific/Honolulu"

US: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("CT", "DE", "DC", "GA", "ME", "MD", "MA", "NH", "NJ", "NY", "NC", "OH", "PA", "RI", "SC"), (ET,)),
    **dict.fromkeys(("VT", "VA", "WV"), (ET,)),
    **dict.fromkeys(("AL", "AR", "IL", "IA", "LA", "MN", "MS", "MO", "OK", "WI"), (CT,)),
    **dict.fromkeys(("CO", "MT", "NM", "UT", "WY"), (MT,)),
    **dict.fromkeys(("CA", "WA"), (PT,)),
    "AZ": (AZ, MT),  # the Navajo Nation keeps daylight saving time
    "AK": (AK, ADAK),
    "HI": (HI,),
    "FL": (ET, CT),
    "ID": (MT, PT),
    "IN": (ET, CT),
    "KS": (CT, MT),
    "KY": (ET, CT),
    "MI": (ET, CT),
    "NE": (CT, MT),
    "NV": (PT, MT),
    "ND": (CT, MT),
    "OR": (PT, MT),
    "SD": (CT, MT),
    "TN": (CT, ET),
    "TX": (CT, MT),
    "PR": ("America/Puerto_Rico",),
    "VI": ("America/St_Thomas",),
    "GU": ("Pacific/Guam",),
    "MP": ("Pacific/Saipan",),
    "AS": ("Pacific/Pago_Pago",),
    **dict.fromkeys(("AA", "AE", "AP"), ()),  # armed forces abroad: no place
}
US_ALL = (ET, CT, MT, AZ, PT, AK, ADAK, HI)
US_NAMES = dict(
    pair.split(":")
    for pair in (
        "alabama:AL alaska:AK arizona:AZ arkansas:AR california:CA colorado:CO connecticut:CT delaware:DE florida:FL georgia:GA "
        "hawaii:HI idaho:ID illinois:IL indiana:IN iowa:IA kansas:KS kentucky:KY louisiana:LA maine:ME maryland:MD "
        "massachusetts:MA michigan:MI minnesota:MN mississippi:MS missouri:MO montana:MT nebraska:NE nevada:NV new_hampshire:NH "
        "new_jersey:NJ new_mexico:NM new_york:NY north_carolina:NC north_dakota:ND ohio:OH oklahoma:OK oregon:OR pennsylvania:PA "
        "rhode_island:RI south_carolina:SC south_dakota:SD tennessee:TN texas:TX utah:UT vermont:VT virginia:VA washington:WA "
        "west_virginia:WV wisconsin:WI wyoming:WY district_of_columbia:DC washington_dc:DC puerto_rico:PR guam:GU "
        "virgin_islands:VI u.s._virgin_islands:VI american_samoa:AS northern_mariana_islands:MP"
    ).split()
)
# Cities that decide a state of two zones: the large ones on each side.
US_CITIES: dict[str, dict[str, tuple[str, ...]]] = {
    "FL": {
        **dict.fromkeys(("pensacola", "panama city", "destin", "fort walton beach"), (CT,)),
        **dict.fromkeys(("miami", "orlando", "tampa", "jacksonville", "tallahassee", "fort lauderdale"), (ET,)),
        **dict.fromkeys(("st. petersburg", "saint petersburg", "gainesville", "naples", "sarasota", "hialeah"), (ET,)),
    },
    "TX": {
        "el paso": (MT,),
        **dict.fromkeys(("houston", "dallas", "austin", "san antonio", "fort worth", "arlington", "plano"), (CT,)),
        **dict.fromkeys(("corpus christi", "lubbock", "amarillo", "laredo", "irving", "waco", "mcallen"), (CT,)),
    },
    "TN": {
        **dict.fromkeys(("nashville", "memphis", "clarksville", "murfreesboro", "jackson", "franklin"), (CT,)),
        **dict.fromkeys(("knoxville", "chattanooga", "johnson city", "kingsport"), (ET,)),
    },
    "KY": {
        **dict.fromkeys(("louisville", "lexington", "covington", "frankfort", "richmond"), (ET,)),
        **dict.fromkeys(("bowling green", "owensboro", "paducah", "hopkinsville"), (CT,)),
    },
    "IN": {
        **dict.fromkeys(("indianapolis", "fort wayne", "south bend", "bloomington", "carmel", "muncie"), (ET,)),
        **dict.fromkeys(("gary", "hammond", "evansville", "merrillville", "valparaiso"), (CT,)),
    },
    "MI": dict.fromkeys(("detroit", "grand rapids", "lansing", "ann arbor", "flint", "kalamazoo", "warren"), (ET,)),
    "ND": {**dict.fromkeys(("fargo", "bismarck", "grand forks", "minot"), (CT,)), "dickinson": (MT,)},
    "SD": {"sioux falls": (CT,), "aberdeen": (CT,), "rapid city": (MT,)},
    "NE": {**dict.fromkeys(("omaha", "lincoln", "grand island"), (CT,)), "scottsbluff": (MT,)},
    "KS": dict.fromkeys(("wichita", "overland park", "kansas city", "topeka", "lawrence", "olathe"), (CT,)),
    "ID": {
        **dict.fromkeys(("boise", "meridian", "nampa", "idaho falls", "pocatello", "twin falls"), (MT,)),
        **dict.fromkeys(("coeur d'alene", "lewiston", "moscow"), (PT,)),
    },
    "OR": dict.fromkeys(("portland", "salem", "eugene", "bend", "medford", "gresham", "hillsboro"), (PT,)),
    "NV": dict.fromkeys(("las vegas", "reno", "henderson", "north las vegas", "sparks", "carson city"), (PT,)),
    "AZ": dict.fromkeys(("phoenix", "tucson", "mesa", "scottsdale", "chandler", "tempe", "glendale", "gilbert"), (AZ,)),
    "AK": dict.fromkeys(("anchorage", "fairbanks", "juneau", "wasilla"), (AK,)),
}
# First three digits of a ZIP code, from … to -> state.
ZIPS: tuple[tuple[int, int, str], ...] = (
    (6, 7, "PR"), (8, 8, "VI"), (9, 9, "PR"), (10, 27, "MA"), (28, 29, "RI"), (30, 38, "NH"), (39, 49, "ME"), (50, 54, "VT"),
    (55, 55, "MA"), (56, 59, "VT"), (60, 69, "CT"), (70, 89, "NJ"), (100, 149, "NY"), (150, 196, "PA"), (197, 199, "DE"),
    (200, 200, "DC"), (201, 201, "VA"), (202, 205, "DC"), (206, 219, "MD"), (220, 246, "VA"), (247, 268, "WV"), (270, 289, "NC"),
    (290, 299, "SC"), (300, 319, "GA"), (320, 349, "FL"), (350, 369, "AL"), (370, 385, "TN"), (386, 397, "MS"), (398, 399, "GA"),
    (400, 427, "KY"), (430, 459, "OH"), (460, 479, "IN"), (480, 499, "MI"), (500, 528, "IA"), (530, 549, "WI"), (550, 567, "MN"),
    (570, 577, "SD"), (580, 588, "ND"), (590, 599, "MT"), (600, 629, "IL"), (630, 658, "MO"), (660, 679, "KS"), (680, 693, "NE"),
    (700, 714, "LA"), (716, 729, "AR"), (730, 732, "OK"), (733, 733, "TX"), (734, 749, "OK"), (750, 799, "TX"), (800, 816, "CO"),
    (820, 831, "WY"), (832, 838, "ID"), (840, 847, "UT"), (850, 865, "AZ"), (870, 884, "NM"), (885, 885, "TX"), (889, 898, "NV"),
    (900, 961, "CA"), (967, 968, "HI"), (969, 969, "GU"), (970, 979, "OR"), (980, 994, "WA"), (995, 999, "AK"),
)  # fmt: skip

CANADA: dict[str, tuple[str, ...]] = {
    "NL": ("America/St_Johns", "America/Goose_Bay"),
    "NS": ("America/Halifax",),
    "PE": ("America/Halifax",),
    "NB": ("America/Moncton",),
    "QC": ("America/Toronto", "America/Blanc-Sablon", "America/Halifax"),
    "ON": ("America/Toronto", "America/Winnipeg", "America/Atikokan"),
    "MB": ("America/Winnipeg",),
    "SK": ("America/Regina", "America/Edmonton"),
    "AB": ("America/Edmonton",),
    "BC": ("America/Vancouver", "America/Edmonton", "America/Dawson_Creek"),
    "YT": ("America/Whitehorse",),
    "NT": ("America/Edmonton",),
    "NU": ("America/Iqaluit", "America/Rankin_Inlet", "America/Edmonton"),
}
CANADA_NAMES = {
    "newfoundland and labrador": "NL", "newfoundland": "NL", "nova scotia": "NS", "prince edward island": "PE", "new brunswick": "NB",
    "quebec": "QC", "québec": "QC", "ontario": "ON", "manitoba": "MB", "saskatchewan": "SK", "alberta": "AB", "british columbia": "BC",
    "yukon": "YT", "northwest territories": "NT", "nunavut": "NU",
}  # fmt: skip
CANADA_CITIES: dict[str, dict[str, tuple[str, ...]]] = {
    "ON": dict.fromkeys(("toronto", "ottawa", "mississauga", "hamilton", "london", "brampton"), ("America/Toronto",)),
    "QC": dict.fromkeys(("montreal", "montréal", "quebec", "québec", "laval", "gatineau"), ("America/Toronto",)),
    "BC": dict.fromkeys(("vancouver", "victoria", "surrey", "burnaby", "kelowna"), ("America/Vancouver",)),
    "SK": dict.fromkeys(("saskatoon", "regina"), ("America/Regina",)),
    "NL": dict.fromkeys(("st. john's", "st john's"), ("America/St_Johns",)),
}
CANADA_POSTAL = {
    "A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON", "L": "ON", "M": "ON", "N": "ON",
    "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC", "Y": "YT",
}  # fmt: skip

AUSTRALIA: dict[str, tuple[str, ...]] = {
    "NSW": ("Australia/Sydney", "Australia/Broken_Hill"),
    "ACT": ("Australia/Sydney",),
    "VIC": ("Australia/Melbourne",),
    "TAS": ("Australia/Hobart",),
    "QLD": ("Australia/Brisbane",),
    "SA": ("Australia/Adelaide",),
    "NT": ("Australia/Darwin",),
    "WA": ("Australia/Perth", "Australia/Eucla"),
}
AUSTRALIA_NAMES = {
    "new south wales": "NSW", "australian capital territory": "ACT", "victoria": "VIC", "tasmania": "TAS", "queensland": "QLD",
    "south australia": "SA", "northern territory": "NT", "western australia": "WA",
}  # fmt: skip
AUSTRALIA_CITIES: dict[str, dict[str, tuple[str, ...]]] = {
    "NSW": dict.fromkeys(("sydney", "newcastle", "wollongong"), ("Australia/Sydney",)),
    "WA": {"perth": ("Australia/Perth",), "fremantle": ("Australia/Perth",)},
}

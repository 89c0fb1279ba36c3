"""The words of a generated life: what people tell of themselves, the values it takes, and names.

Values are written between bars. Within an attribute no value is part of another, so that a value
found in a text is that value; names of partners, relatives, strangers and pets are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Attribute:
    """One thing people tell of themselves.

    ``name`` is the plain word for it and ``synonyms`` are other words a memory may know it by.
    ``many`` says that several values can hold at once. ``clause`` completes "do you know …", and
    the questions ask for the value now (``ask``) and for the one before (``before``); those for
    relatives are empty where nobody talks of a relative's.
    """

    name: str
    synonyms: tuple[str, ...]
    many: bool
    importance: float
    values: tuple[str, ...]
    clause: str
    ask: tuple[str, ...]
    before: str
    ask_of: str = ""
    before_of: str = ""


@dataclass(frozen=True)
class Person:
    """Someone the user talks of: ``phrase`` is "my sister Ana"."""

    phrase: str
    name: str
    pronoun: str


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.replace("\n", " ").split("|"))


_LISTED = (
    Attribute(
        "city",
        ("home city", "home town", "residence", "location", "home", "lives in"),
        False,
        1.0,
        _split("""Lisbon|Oslo|Toronto|Leeds|Lyon|Porto|Denver|Austin|Seville|Ghent|Krakow|Melbourne|
        Bergen|Utrecht|Bristol|Montreal|Dublin|Turin|Leipzig|Nashville|Valencia|Zurich|Galway"""),
        "where I live",
        ("Where do I live?", "What city am I living in?"),
        "Where did I live before?",
        "Where does {who} live?",
        "Where did {who} live before?",
    ),
    Attribute(
        "employer",
        ("company", "workplace", "works at", "works for"),
        False,
        0.9,
        _split("""Siemens|Spotify|Ikea|Bosch|Deloitte|Airbus|Philips|Unilever|Zalando|Shopify|Maersk|
        Accenture|Ericsson|Lufthansa|Barclays|Vodafone|Decathlon|Novartis|Klarna|Stripe|Garmin"""),
        "who I work for",
        ("Who do I work for?", "Which company do I work at?"),
        "Who did I work for before?",
        "Which company does {who} work for?",
        "Which company did {who} work for before?",
    ),
    Attribute(
        "job",
        ("job title", "occupation", "profession", "role", "works as"),
        False,
        0.9,
        _split("""nurse|data analyst|teacher|barista|plumber|paralegal|accountant|chef|electrician|
        copywriter|pharmacist|project manager|graphic designer|librarian|physiotherapist|
        web developer|social worker|truck driver|architect|translator|carpenter|recruiter|
        florist"""),
        "what I do for a living",
        ("What do I do for a living?", "What's my job?"),
        "What was my job before?",
        "What does {who} do for a living?",
        "What was the job of {who} before?",
    ),
    Attribute(
        "partner",
        ("partner's name", "significant other", "girlfriend", "boyfriend", "relationship"),
        False,
        1.0,
        _split("""Sam|Priya|Jonas|Elena|Marcus|Chloe|Tomas|Aisha|Niko|Fatima|Hugo|Ingrid|Rafael|Mei|
        Declan|Yara|Oscar|Lucia|Anders|Bianca|Theo|Zoe"""),
        "who I'm with",
        ("Who is my partner?", "What's the name of the person I'm seeing?"),
        "Who was my partner before?",
    ),
    Attribute(
        "car",
        ("vehicle", "drives", "automobile"),
        False,
        0.6,
        _split("""Toyota Yaris|VW Golf|Honda Civic|Ford Fiesta|Skoda Octavia|Fiat Panda|
        Renault Clio|Kia Niro|Volvo V60|Tesla Model 3|Nissan Leaf|Peugeot 208|Subaru Forester|
        Hyundai Kona|Mini Cooper|Dacia Duster|Seat Leon|Opel Corsa|Suzuki Swift|
        Audi A3|Jeep Renegade"""),
        "what I drive",
        ("What car do I have?", "What do I drive?"),
        "What car did I have before?",
        "What car does {who} have?",
        "What car did {who} have before?",
    ),
    Attribute(
        "favourite food",
        ("favorite food", "favourite dish", "favorite dish", "favourite meal", "food"),
        False,
        0.5,
        _split("""ramen|lasagna|sushi|pad thai|tacos|pierogi|shakshuka|falafel|gnocchi|biryani|pho|
        paella|dumplings|moussaka|burritos|mac and cheese|risotto|butter chicken|goulash|bibimbap|
        fish and chips|carbonara|jollof rice"""),
        "what my favourite food is",
        ("What's my favourite food?", "What dish do I like best?"),
        "What was my favourite food before?",
    ),
    Attribute(
        "wake-up time",
        ("wake up time", "wakes up at", "alarm", "gets up at"),
        False,
        0.4,
        _split("""5:10|5:20|5:30|5:45|5:50|6:05|6:10|6:15|6:20|6:30|6:40|6:45|6:50|7:05|7:10|7:15|
        7:20|7:30|7:40|7:45|7:50|8:10"""),
        "when I get up",
        ("What time do I get up?", "When do I wake up on workdays?"),
        "What time did I get up before?",
    ),
    Attribute(
        "gym days",
        ("workout days", "training days", "gym schedule", "gym"),
        False,
        0.4,
        _split("""Monday and Tuesday|Monday and Wednesday|Monday and Thursday|Monday and Friday|
        Monday and Saturday|Monday and Sunday|Tuesday and Wednesday|Tuesday and Thursday|
        Tuesday and Friday|Tuesday and Saturday|Tuesday and Sunday|Wednesday and Thursday|
        Wednesday and Friday|Wednesday and Saturday|Wednesday and Sunday|Thursday and Friday|
        Thursday and Saturday|Thursday and Sunday|Friday and Saturday|Friday and Sunday|
        Saturday and Sunday"""),
        "which days I go to the gym",
        ("Which days do I go to the gym?", "What are my gym days?"),
        "What were my gym days before?",
    ),
    Attribute(
        "diet",
        ("eating habits", "eats", "dietary preference"),
        False,
        0.8,
        _split("""vegan|vegetarian|pescatarian|keto|paleo|gluten-free|dairy-free|low-carb|low-FODMAP|
        plant-based|sugar-free|flexitarian|carnivore|kosher|halal|macrobiotic|Mediterranean|
        grain-free|low-sodium|low-fat|Whole30|high-protein"""),
        "what kind of diet I'm on",
        ("What diet am I on?", "How do I eat, is there a diet I follow?"),
        "What diet was I on before?",
    ),
    Attribute(
        "pet",
        ("pet's name", "dog", "dog's name", "pet name", "pets"),
        False,
        0.6,
        _split("""Biscuit|Luna|Mochi|Pepper|Rufus|Olive|Waffles|Ziggy|Nala|Pickle|Bowie|Hazel|Tofu|
        Juno|Maple|Otis|Pixel|Cleo|Banjo|Noodle|Willow|Gizmo"""),
        "what my dog is called",
        ("What's my dog's name?", "What is my pet called?"),
        "What was the dog I had before called?",
    ),
    Attribute(
        "book",
        ("current book", "reading", "currently reading"),
        False,
        0.3,
        _split("""Dune|Middlemarch|The Hobbit|Circe|Educated|Wolf Hall|Piranesi|Beloved|
        Normal People|Project Hail Mary|Sapiens|The Overstory|Pachinko|The Martian|Dracula|
        Station Eleven|Frankenstein|Moby Dick|Shogun|Persuasion|
        Klara and the Sun|Watership Down"""),
        "which book I'm on",
        ("What book am I reading?", "Which book am I on at the moment?"),
        "What book was I reading before?",
    ),
    Attribute(
        "commute",
        ("commute mode", "commutes by", "transport", "way to work"),
        False,
        0.5,
        _split("""train|tram|subway|ferry|bus|e-scooter|motorbike|moped|skateboard|carpool|
        company shuttle|cargo bike|folding bike|road bike|taxi|longboard|light rail|unicycle|
        kick scooter|metro|monorail|kayak"""),
        "how I get to work",
        ("How do I get to work?", "How do I commute?"),
        "How did I get to work before?",
    ),
    Attribute(
        "hobby",
        ("hobbies", "pastime", "interests", "free time"),
        True,
        0.6,
        _split("""pottery|bouldering|birdwatching|knitting|chess|gardening|kayaking|woodworking|
        salsa dancing|photography|fencing|archery|baking|stargazing|surfing|embroidery|calligraphy|
        badminton|beekeeping|origami|karaoke|geocaching"""),
        "what my hobbies are",
        ("What are my hobbies?", "What do I do in my free time?"),
        "What were my hobbies before?",
    ),
    Attribute(
        "allergy",
        ("allergies", "allergic to", "allergen"),
        True,
        1.0,
        _split("""peanuts|shellfish|pollen|cats|penicillin|latex|soy|eggs|dust mites|sesame|walnuts|
        strawberries|mould|kiwi|wheat|horses|cashews|wasp stings|nickel|mustard|celery|ragweed"""),
        "what I'm allergic to",
        ("What am I allergic to?", "Which allergies do I have?"),
        "What was I allergic to before?",
    ),
    Attribute(
        "language",
        ("languages", "languages learning", "learning", "studies language"),
        True,
        0.6,
        _split("""Spanish|Japanese|Italian|German|Korean|Portuguese|Arabic|Swedish|Dutch|Mandarin|
        Greek|Polish|Turkish|Welsh|Hindi|Finnish|Norwegian|Czech|Swahili|Irish|Danish|Hungarian"""),
        "which languages I'm learning",
        ("Which languages am I learning?", "What languages am I studying?"),
        "Which languages was I learning before?",
    ),
)

ATTRIBUTES = MappingProxyType({attribute.name: attribute for attribute in _LISTED})
"""Every attribute by its name, in a fixed order."""

USERS = _split("""Rebecca|Gareth|Simone|Kenji|Amara|Patrick|Leila|Viktor|Joanna|Desmond|Mirela|
Callum|Teresa|Ravi|Astrid|Emeka|Fiona|Lorenzo|Hanna|Curtis""")
"""Names of the people who talk to the assistant."""

RELATIVES = (
    Person("my sister Ana", "Ana", "she"),
    Person("my sister Judith", "Judith", "she"),
    Person("my brother Ben", "Ben", "he"),
    Person("my brother Kofi", "Kofi", "he"),
    Person("my cousin Petra", "Petra", "she"),
    Person("my cousin Stefan", "Stefan", "he"),
    Person("my flatmate Noor", "Noor", "she"),
    Person("my flatmate Liam", "Liam", "he"),
    Person("my aunt Wendy", "Wendy", "she"),
    Person("my uncle Victor", "Victor", "he"),
    Person("my best friend Carla", "Carla", "she"),
    Person("my best friend Umar", "Umar", "he"),
)
"""People close to the user, whose facts are worth remembering too."""

STRANGERS = (
    Person("my coworker Dana", "Dana", "she"),
    Person("my neighbour Gus", "Gus", "he"),
    Person("my classmate Rita", "Rita", "she"),
    Person("my boss Helga", "Helga", "she"),
    Person("my landlord Felix", "Felix", "he"),
    Person("my dentist Quinn", "Quinn", "she"),
    Person("my teammate Boris", "Boris", "he"),
)
"""People who are only mentioned in passing."""

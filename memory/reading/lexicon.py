"""Words by kind: what tells a language from a diet, or an occupation from a dish, in plain English.

These lists only say what sort of thing a word is. What a message says of it is decided by the words
around it (`frames`), and a value that stands in no list is still found where a phrase calls for it.
"""

from __future__ import annotations

LANGUAGES = frozenset(
    """afrikaans albanian arabic armenian basque bengali bulgarian burmese cantonese catalan chinese
    croatian czech danish dutch english esperanto estonian farsi filipino finnish flemish french
    gaelic galician georgian german greek gujarati hausa hebrew hindi hungarian icelandic igbo
    indonesian irish italian japanese kannada kazakh khmer korean kurdish latin latvian lithuanian
    malay malayalam maltese mandarin maori marathi mongolian nepali norwegian pashto persian polish
    portuguese punjabi quechua romanian russian sanskrit serbian slovak slovene slovenian somali
    spanish swahili swedish tagalog tamil telugu thai tibetan turkish ukrainian urdu uzbek
    vietnamese welsh xhosa yiddish yoruba zulu""".split()
) | {"sign language", "american sign language", "british sign language"}

DIETS = frozenset(
    """vegan veganism vegetarian vegetarianism veggie pescatarian pescetarian flexitarian fruitarian
    keto ketogenic paleo carnivore omnivore mediterranean whole30 dash halal kosher macrobiotic
    atkins fodmap plant-based low-carb low-fat low-sodium low-salt low-sugar low-fodmap low-gi
    high-protein high-fibre high-fiber high-fat raw-food gluten-free dairy-free lactose-free
    sugar-free grain-free nut-free egg-free meat-free meatless soy-free salt-free oil-free
    carb-free wheat-free""".split()
) | {"raw food", "intermittent fasting", "weight watchers", "zero carb", "raw vegan"}

RIDES = frozenset(
    """bus train tram trolleybus metro subway tube underground ferry boat bike bicycle e-bike ebike
    cargo-bike carpool carpooling car taxi uber cab scooter e-scooter moped motorbike motorcycle
    vespa skateboard longboard unicycle monorail shuttle minibus coach rollerblades skates foot
    kayak tricycle streetcar streetcars cycle segway hoverboard rickshaw helicopter canoe
    funicular""".split()
) | {
    "cargo bike",
    "folding bike",
    "road bike",
    "mountain bike",
    "electric bike",
    "electric scooter",
    "kick scooter",
    "city bike",
    "rental bike",
    "light rail",
    "company shuttle",
    "commuter train",
    "commuter rail",
    "company bus",
    "express bus",
    "company car",
    "car share",
    "cable car",
    "water taxi",
    "inline skates",
    "roller skates",
    "park and ride",
    "public transport",
    "public transit",
}

CAR_MAKES = frozenset(
    """acura alfa alpine aston audi bentley bmw buick byd cadillac chevrolet chevy chrysler citroen
    citroën cupra dacia dodge ferrari fiat ford genesis gmc honda hyundai infiniti isuzu jaguar jeep
    kia lada lamborghini lancia lexus lincoln lucid lynk maserati mazda mclaren mercedes
    mercedes-benz mg mini mitsubishi nio nissan opel peugeot polestar porsche ram renault rivian
    rolls-royce saab seat skoda škoda smart subaru suzuki tesla toyota vauxhall volkswagen volvo vw
    xpeng""".split()
)

PHONES = frozenset(
    """iphone pixel galaxy oneplus samsung xiaomi nokia motorola fairphone huawei xperia zenfone
    redmi realme honor oppo blackberry nothing moto poco vivo""".split()
)

FOODS = frozenset(
    """adobo bagels bibimbap biryani bolognese borscht bouillabaisse brisket bruschetta bulgogi
    burger burgers burrito burritos calzone cannelloni carbonara casserole cassoulet ceviche
    cheese cheesecake chili chilli chocolate chowder couscous croissants curry dal dim-sum
    donuts dosa dumplings empanadas enchiladas fajitas falafel feijoada fondue fries gnocchi
    goulash gumbo gyoza gyros haggis hotpot hummus jambalaya katsu kebab kebabs kimchi korma
    lasagna lasagne laksa macaroni mezze moussaka nachos nasi noodles okonomiyaki omelette
    omelettes onigiri paella pancakes panini pasta pavlova pelmeni pho pie pierogi pilaf pizza
    poke polenta poutine quesadilla quesadillas quiche ragu ramen ratatouille ravioli rendang
    risotto salad sandwiches sashimi sauerkraut schnitzel shakshuka shawarma soba souvlaki
    spaghetti steak stew stroganoff sushi tabbouleh tacos tagine tamales tandoori tapas tempura
    teriyaki tikka tiramisu tofu tteokbokki udon waffles wontons yakitori""".split()
) | {
    "pad thai",
    "pad see ew",
    "fish and chips",
    "mac and cheese",
    "macaroni and cheese",
    "butter chicken",
    "jollof rice",
    "fried rice",
    "fried chicken",
    "roast chicken",
    "chicken tikka masala",
    "tikka masala",
    "beef stew",
    "beef wellington",
    "bangers and mash",
    "green curry",
    "red curry",
    "thai curry",
    "massaman curry",
    "hot pot",
    "dim sum",
    "spring rolls",
    "french toast",
    "ice cream",
    "apple pie",
    "caesar salad",
    "coq au vin",
    "nasi goreng",
    "sunday roast",
    "shepherd's pie",
    "tom yum",
    "pulled pork",
    "rice and beans",
    "peking duck",
    "banh mi",
    "cacio e pepe",
}

HOBBIES = frozenset(
    """archery astronomy badminton baking ballet ballroom baseball basketball beekeeping billiards
    birding birdwatching blogging bmx bouldering bowling boxing breadmaking calligraphy camping
    canoeing capoeira ceramics chess climbing cooking crochet crocheting crossfit cricket curling
    cycling dance dancing darts diving djing drawing drumming embroidery fencing fishing floristry
    football foraging gaming gardening geocaching golf golfing guitar gymnastics hiking
    hockey homebrewing improv jiu-jitsu jogging judo juggling karaoke karate kayaking kickboxing
    kitesurfing knitting lacrosse lego leatherwork macrame magic marathons meditation metalwork
    metalworking modelling motocross mushrooming netball orienteering origami paddleboarding
    padel painting parkour photography piano pickleball pilates podcasting poetry poker pottery
    puzzles quilting rafting rowing rugby running sailing salsa scrapbooking sculpting sculpture
    sewing skateboarding skating skiing sketching skydiving snooker snorkeling snorkelling
    snowboarding soccer softball spinning squash stargazing surfing swimming taekwondo tango
    tennis theatre triathlon triathlons ukulele videography violin volleyball watercolour
    watercolours weaving weightlifting whittling windsurfing woodcarving woodwork woodworking
    wrestling writing yoga zumba""".split()
) | {
    "salsa dancing",
    "swing dancing",
    "ballroom dancing",
    "tap dancing",
    "rock climbing",
    "ice skating",
    "roller skating",
    "figure skating",
    "horse riding",
    "mountain biking",
    "table tennis",
    "martial arts",
    "tai chi",
    "trail running",
    "scuba diving",
    "cross stitch",
    "cross-stitch",
    "bird watching",
    "board games",
    "video games",
    "creative writing",
    "stand-up comedy",
    "model trains",
    "candle making",
    "soap making",
    "open-water swimming",
    "wild swimming",
    "metal detecting",
    "film photography",
    "choir singing",
    "life drawing",
    "home brewing",
    "ultimate frisbee",
    "disc golf",
}

ANIMALS = frozenset(
    """dog puppy pup cat kitten kitty rabbit bunny hamster parrot budgie cockatiel canary bird
    turtle tortoise horse pony snake gecko lizard iguana ferret fish goldfish hedgehog chinchilla
    rat mouse gerbil duck hen goat pet labrador retriever poodle beagle terrier corgi dachshund
    spaniel collie husky greyhound whippet tabby""".split()
) | {"guinea pig", "bearded dragon", "border collie", "golden retriever", "german shepherd"}

SPECIES = {
    **dict.fromkeys(
        """puppy pup labrador retriever poodle beagle terrier corgi dachshund spaniel collie husky
        greyhound whippet""".split(),
        "dog",
    ),
    "border collie": "dog",
    "golden retriever": "dog",
    "german shepherd": "dog",
    **dict.fromkeys("kitten kitty tabby".split(), "cat"),
    "bunny": "rabbit",
}
"""The kind of animal under which a young one or a breed is kept."""

PARTNERS = frozenset(
    """partner wife husband girlfriend boyfriend fiance fiancee fiancé fiancée spouse gf bf hubby
    wifey sweetheart""".split()
) | {"other half", "better half", "significant other"}

SHE = frozenset(
    """sister mother mom mum mama daughter aunt auntie grandmother grandma granny gran niece wife
    girlfriend fiancee fiancée stepmother stepsister sister-in-law mother-in-law landlady
    godmother""".split()
)
HE = frozenset(
    """brother father dad papa son uncle grandfather grandpa granddad nephew husband boyfriend
    fiance fiancé stepfather stepbrother brother-in-law father-in-law godfather""".split()
)
EITHER = frozenset(
    """cousin friend bestie buddy mate roommate flatmate housemate neighbour neighbor boss colleague
    coworker co-worker workmate teammate classmate manager partner spouse sibling child kid parent
    twin landlord dentist doctor therapist teacher tutor mentor assistant accountant coach trainer
    ex ex-wife ex-husband godson goddaughter stepson stepdaughter gf bf""".split()
)
RELATIONS = SHE | HE | EITHER

WEEKDAYS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays
    thursdays fridays saturdays sundays""".split()
)

OCCUPATIONS = frozenset(
    """academic accountant actor actress actuary adviser advisor agronomist analyst anaesthetist
    anthropologist apprentice archaeologist architect archivist artist astronomer attorney
    auditor author baker banker barber barista barman bartender biochemist biologist blacksmith
    bookkeeper bricklayer broker builder butcher buyer caregiver caretaker caretaker carer
    carpenter cashier chaplain chef chemist chiropractor choreographer civil-servant cleaner
    clerk coach cobbler comedian composer conductor confectioner consultant cook copywriter
    coordinator copyeditor coroner counsellor counselor courier croupier curator dancer dentist
    dermatologist designer developer dietitian dietician diplomat director dispatcher diver dj
    doctor dramaturge driver ecologist economist editor electrician engineer entrepreneur
    estimator executive farmer firefighter fireman fisherman florist forester freelancer
    gardener geologist glazier goldsmith guard guide hairdresser handyman historian hygienist
    illustrator inspector instructor interpreter investigator janitor jeweller joiner journalist
    judge laborer labourer landscaper lawyer lecturer librarian lifeguard linguist locksmith
    logistician machinist magician manager mason masseur mathematician mechanic mediator
    meteorologist microbiologist midwife milliner miner model musician nanny neurologist notary
    novelist nurse nutritionist officer operator optician optometrist orthodontist osteopath
    painter paralegal paramedic pastor pathologist pediatrician pharmacist philosopher
    photographer physician physicist physio physiotherapist pianist pilot plasterer plumber poet
    policeman policewoman politician porter postman potter priest principal printer producer
    professor programmer proofreader psychiatrist psychologist psychotherapist publicist
    radiographer radiologist ranger realtor receptionist recruiter reporter researcher roofer
    sailor salesman salesperson saleswoman scientist screenwriter sculptor seamstress secretary
    singer sociologist soldier solicitor sommelier statistician steward stewardess stockbroker
    strategist stylist superintendent supervisor surgeon surveyor tailor teacher technician
    technologist teller tester therapist tiler trader trainer translator treasurer tutor typist
    undertaker upholsterer urologist valet vet veterinarian videographer waiter waitress warden
    weaver welder winemaker woodworker worker writer zookeeper zoologist sysadmin
    beekeeper""".split()
)

SHORT_DAYS = frozenset("mon tue tues wed weds thu thur thurs fri sat sun".split())
"""Weekdays only beside another weekday: "sat" and "sun" are words too."""

PLACES = frozenset(
    """place flat apartment house home studio condo cottage room bungalow loft townhouse houseboat
    bedsit pad duplex farmhouse cabin""".split()
)

CITIES = frozenset(
    """aarhus abuja accra adelaide amman amsterdam ankara antwerp athens atlanta auckland austin
    baghdad baku bali baltimore bangalore bangkok barcelona bari basel bath beijing beirut belfast
    belgrade bergen berlin bern bilbao birmingham bogota bologna bonn bordeaux boston bratislava
    bremen brighton brisbane bristol brno brooklyn bruges brussels bucharest budapest busan cairo
    calgary cambridge canberra cardiff casablanca charlotte chennai chicago cleveland cologne
    copenhagen cordoba cork cracow dakar dallas damascus delhi denver detroit dhaka doha dortmund
    dresden dubai dublin dubrovnik dundee durban dusseldorf edinburgh eindhoven exeter florence
    frankfurt galway gdansk geneva genoa ghent glasgow gothenburg granada graz groningen
    guadalajara hague haifa hamburg hanoi hanover havana helsinki houston innsbruck istanbul izmir
    jakarta jerusalem johannesburg kampala karachi kathmandu kingston kolkata krakow kyiv kyoto
    lagos lahore lausanne leeds leicester leiden leipzig lille lima limerick linz lisbon liverpool
    ljubljana london lucerne luxembourg lyon madrid malaga malmo manchester manila marrakesh
    marseille medellin melbourne memphis miami milan minneapolis minsk monaco montevideo montreal
    moscow mumbai munich nairobi nantes naples nashville newcastle nice nottingham odense oslo
    osaka ottawa oxford palermo paris perth philadelphia phoenix pisa pittsburgh porto portland
    prague pretoria quebec quito reykjavik riga rome rotterdam salzburg santiago sarajevo seattle
    seoul seville shanghai sheffield singapore sofia split stavanger stockholm strasbourg stuttgart
    sydney tallinn tampa tampere tbilisi tehran tirana tokyo toronto toulouse trieste trondheim
    tunis turin turku utrecht valencia vancouver venice verona vienna vilnius warsaw wellington
    york zagreb zurich""".split()
) | {
    "new york", "los angeles", "san francisco", "san diego", "cape town", "hong kong", "tel aviv",
    "buenos aires", "mexico city", "rio de janeiro", "sao paulo", "salt lake city", "new orleans",
    "las vegas", "kuala lumpur", "ho chi minh city", "st louis", "the hague",
}  # fmt: skip
"""Cities enough to tell "returned to Lyon" from "returned to Siemens"."""

"""What messages state: tables of sentences, each with what it says or that it says nothing.

In a table ``attribute=value`` is set and ``attribute!value`` ended, of the user or ``who/``.
"""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.reading.confirmation import answer_to_claim, as_first_person
from reverie.memory.reading.statements import read_statements

STATED = """
I've been living in Tallinn since March. => home=Tallinn
We're based in Marseille these days. => home=Marseille
Just signed the lease on a flat in Gdansk! => home=Gdansk
I finally relocated to Wellington. => home=Wellington
Since last summer I've called Vilnius home. => home=Vilnius
We ended up moving from Cork to Limerick. => home=Limerick; home!Cork
My new apartment is in Rotterdam. => home=Rotterdam
I packed up and left Ankara, now I'm living in Izmir. => home=Izmir; home!Ankara
I don't live in Brno anymore. => home!Brno
Home is Trieste these days. => home=Trieste
I bought a house in Bath. => home=Bath
Guess what, I moved back to Perth. => home=Perth
Nairobi is my home now. => home=Nairobi
I gave up my place in Malmo and I'm between flats. => home!
I live with two cats in Antwerp. => home=Antwerp
I work at Nokia as a test engineer. => employer=Nokia; job=test engineer
I just joined Atlassian! => employer=Atlassian
I got hired by Heineken last week. => employer=Heineken
I've accepted a position at Roche and I'm loving it. => employer=Roche
My employer is Danone. => employer=Danone
I quit my job at Target, I'm at Costco now. => employer!Target; employer=Costco
I was laid off from Meta. => employer!Meta
I've handed in my notice and I no longer work for Pfizer. => employer!Pfizer
I jumped from Adobe to Figma. => employer=Figma; employer!Adobe
I've been with Toyota for ten years, at the same desk. => employer=Toyota
I'm unemployed at the moment. => employer!
Boeing fired me. => employer!Boeing
After six years I resigned from Oracle. => employer!Oracle
I'm working for Lego now, best canteen ever. => employer=Lego
I'm a midwife. => job=midwife
I work as a sommelier. => job=sommelier
I'm now a senior software engineer. => job=senior software engineer
I became a paramedic this spring. => job=paramedic
I got promoted to head chef. => job=head chef
I make my living as a piano tuner. => job=piano tuner
I'm an optician by profession. => job=optician
My new role is product manager. => job=product manager
I'm not a lawyer any more, I'm a baker now. => job!lawyer; job=baker
I went from nurse to midwife. => job!nurse; job=midwife
I've gone back to being a welder. => job=welder
I quit teaching and now I work as a tour guide. => job=tour guide
I'm married to Beatriz. => partner=Beatriz
My wife Ngozi made dinner. => partner=Ngozi
My boyfriend's name is Emil. => partner=Emil
I've started seeing a guy called Mateo. => partner=Mateo
Leila and I got engaged! => partner=Leila
I'm in a relationship with Kenji. => partner=Kenji
Pavel dumped me. => partner!Pavel
I broke up with Astrid. => partner!Astrid
I'm single again. => partner!
Ravi and I are no longer together. => partner!Ravi
I'm going out with Sofia now. => partner=Sofia
My husband is called Lars. => partner=Lars
I drive a Mazda CX-5. => car=Mazda CX-5
We bought a Skoda Fabia. => car=Skoda Fabia
My car is a 2019 Honda Jazz. => car=Honda Jazz
I sold my Lexus and bought a Polestar 2. => car!Lexus; car=Polestar 2
I swapped the Volvo for a Tesla. => car!Volvo; car=Tesla
I got a new car, a BMW i3. => car=BMW i3
I no longer own a car. => car!
Our Citroen Berlingo was stolen. => car!Citroen Berlingo
I'm leasing a Kia EV6 now. => car=Kia EV6
I replaced my Ford Focus with a Cupra Born. => car!Ford Focus; car=Cupra Born
I'm vegan. => diet=vegan
I went vegetarian in January. => diet=vegetarian
I've been eating paleo since spring. => diet=paleo
We follow a halal diet. => diet=halal
I've switched from keto to a Mediterranean diet. => diet!keto; diet=Mediterranean
I stopped being vegan, I eat meat again. => diet!vegan
I'm strictly gluten free now. => diet=gluten free
I'm off keto. => diet!keto
I turned pescatarian. => diet=pescatarian
I'm doing low-carb at the moment. => diet=low-carb
I eat everything now, no diet. => diet!
I get up at 5:45. => wake-up time=5:45
My alarm is set for 6:15. => wake-up time=6:15
I'm usually out of bed by 7am. => wake-up time=7am
I've been waking up at half past six. => wake-up time=half past six
I changed my alarm from 7:00 to 6:00. => wake-up time!7:00; wake-up time=6:00
These days I'm up at 4:50. => wake-up time=4:50
I don't set an alarm any more. => wake-up time!
I go to the gym three times a week. => gym days=three times a week
I work out on Mondays and Thursdays. => gym days=Mondays and Thursdays
I hit the gym every Tuesday. => gym days=Tuesday
My workout days are Wed and Sun. => gym days=Wed and Sun
I moved my gym days from Monday to Friday. => gym days!Monday; gym days=Friday
I train on Tuesday now instead of Monday. => gym days=Tuesday; gym days!Monday
I quit the gym. => gym days!
I don't work out any more. => gym days!
I'm learning Icelandic. => language=Icelandic
I've signed up for Thai classes. => language=Thai
I gave up Russian. => language!Russian
I dropped French for Catalan. => language!French; language=Catalan
I started studying Japanese again. => language=Japanese
I take Greek lessons on Fridays. => language=Greek
I've been practising my Spanish with a tutor. => language=Spanish
I'm teaching myself Korean. => language=Korean
I quit my Polish course. => language!Polish
I'm allergic to penicillin. => allergy=penicillin
I have a peanut allergy. => allergy=peanut
I developed an allergy to latex. => allergy=latex
Turns out I'm allergic to bee stings. => allergy=bee stings
I'm allergic to cats and dust. => allergy=cats; allergy=dust
I outgrew my egg allergy. => allergy!egg
I'm no longer allergic to soy. => allergy!soy
My nut allergy is gone. => allergy!nut
I've taken up pottery. => hobby=pottery
I got into bouldering recently. => hobby=bouldering
My new hobby is falconry. => hobby=falconry
I quit karate. => hobby!karate
I've given up the ukulele. => hobby!ukulele
I don't play tennis any more. => hobby!tennis
I swapped running for swimming. => hobby!running; hobby=swimming
On weekends I go hiking. => hobby=hiking
I've started knitting again. => hobby=knitting
I spend my evenings painting. => hobby=painting
I'm obsessed with crochet right now. => hobby=crochet
I'm reading Wuthering Heights. => book=Wuthering Heights
I just started The Name of the Rose, chapter two. => book=The Name of the Rose
My current book is Ulysses. => book=Ulysses
I finished Emma and picked up Persuasion. => book!Emma; book=Persuasion
I'm halfway through Anna Karenina. => book=Anna Karenina
I gave up on Ulysses. => book!Ulysses
I commute by train. => commute=train
I bike to work. => commute=bike
I take the ferry to work. => commute=ferry
I get to the office by tram. => commute=tram
I switched from the bus to a scooter for my commute. => commute!bus; commute=scooter
I walk to work now. => commute=walk
I work from home now, so no more commuting. => commute!
My commute is by subway. => commute=subway
We have a cat named Miso. => cat=Miso
My dog is called Bruno. => dog=Bruno
I adopted a rabbit called Clover. => rabbit=Clover
We got a puppy, Loki. => dog=Loki
Our dog Bella died last month. => pet!Bella
Loki ran away. => pet!Loki
My parrot's name is Kiwi. => parrot=Kiwi
We had to rehome Felix. => pet!Felix
My favourite food is sushi. => favourite food=sushi
My favorite color is teal. => favourite colour=teal
My all-time favourite film is Alien. => favourite film=Alien
Ramen is my favourite dish now. => favourite food=Ramen
I've gone off curry. => favourite food!curry
Nothing beats lasagne. => favourite food=lasagne
My favourite band isn't Oasis any more, it's Blur. => favourite band!Oasis; favourite band=Blur
I upgraded to an iPhone 15. => phone=iPhone 15
I switched from my Pixel 6 to a Galaxy S23. => phone!Pixel 6; phone=Galaxy S23
My name is Ondine. => name=Ondine
My sister Mirela lives in Cluj. => sister Mirela/home=Cluj
My brother works for Siemens. => brother/employer=Siemens
My cousin Jae moved from Busan to Seoul. => cousin Jae/home=Seoul; cousin Jae/home!Busan
My friend Tariq is a dentist, he drives an Audi. => friend Tariq/job=dentist; friend Tariq/car=Audi
My mum's got a new job at Lidl. => mum/employer=Lidl
My uncle Sven, who lives in Bergen, is a tailor. => uncle Sven/home=Bergen; uncle Sven/job=tailor
My aunt no longer works at Tesco. => aunt/employer!Tesco
My flatmate Bo quit Uber and joined Bolt. => flatmate Bo/employer!Uber; flatmate Bo/employer=Bolt
I met my brother Idris, he's an architect now. => brother Idris/job=architect
My sister's car is a Fiat 500. => sister/car=Fiat 500
My dad is retired. => dad/employer!
I'm vegan, what can I cook tonight? => diet=vegan
I've moved to Lima and I work as a nurse there. => home=Lima; job=nurse
I sold the Golf, and by the way I'm learning Danish. => car!Golf; language=Danish
I work as an electrician, not as a chef. => job=electrician; job!chef
I live in Quito, not in Lima. => home=Quito; home!Lima
No, my dog is Rex, not Max. => dog=Rex; pet!Max
i live in porto and work at bosch => home=porto; employer=bosch
im vegan now => diet=vegan
Our new place in Graz has a balcony. => home=Graz
I'm originally from Naples but I live in Genoa. => home=Genoa
I got a new job, I work at Canva now. => employer=Canva
Airbnb made me redundant. => employer!
They promoted me to regional manager. => job=regional manager
Me and Joris split up. => partner!Joris
I tied the knot with Bram last weekend. => partner=Bram
My doctor put me on a gluten-free diet. => diet=gluten-free
I used to get up at 8:00, now it's 6:30. => wake-up time=6:30
I lift on Mondays, Wednesdays and Fridays. => gym days=Mondays, Wednesdays and Fridays
I've switched from Tuesdays to Wednesdays at the gym. => gym days!Tuesdays; gym days=Wednesdays
I can't eat gluten, I'm allergic. => allergy=gluten
I traded climbing for yoga. => hobby!climbing; hobby=yoga
The bus is history, I cycle to work now. => commute!bus; commute=cycle
We lost Daisy, our dog, on Sunday. => pet!Daisy
My favourite dish used to be paella, now it's ramen. => favourite food=ramen
Zara lost her job at Boots. => Zara/employer!Boots
I talked to my cousin Milo. He lives in Ghent now. => cousin Milo/home=Ghent
Actually I'm not vegan, just vegetarian. => diet!vegan; diet=vegetarian
Who's Marco? I'm with Paolo. => partner=Paolo
"""

SILENT = """
Where should I live?
Do you think I should move to Oslo?
I'd love to live in Lisbon one day.
If I moved to Rome, I'd eat pizza all day.
I used to live in Prague.
When I lived in Kyoto, I cycled everywhere.
I'm thinking about moving to Chile.
I might take a job at Google.
We visited Athens last summer.
I'm flying to Madrid tomorrow.
I have a meeting in Berlin on Tuesday.
I'm in Vienna for a conference this week.
I applied for a job at Netflix.
I had an interview at Apple.
In my first job I worked at Kodak.
I ordered a parcel from Amazon.
I bank with Barclays.
I was a waiter in college.
I want to become a pilot.
As a child I wanted to be an astronaut.
My neighbour says plumbers earn a lot.
I called the electrician this morning.
The doctor told me to rest.
I'm a big fan of Beyonce.
I'm a morning person.
I'm a terrible cook.
I went to the cinema with Jonas.
I had lunch with Maria.
I used to date a guy called Tim.
I wish I had a Porsche.
I test drove a Volvo yesterday.
We rented a Fiat in Sicily.
Is the Tesla Model Y any good?
I saw a Ferrari downtown.
Are vegan burgers any good?
We tried a vegan restaurant.
I was vegetarian in my twenties.
My friend thinks keto is a scam.
I got up at noon yesterday because I was ill.
The train leaves at 6:30.
The gym was crowded.
I have a dentist appointment on Thursday.
I'd like to learn Portuguese some day.
I love Italian food.
We watched a Korean movie.
I took French at school.
Is it common to be allergic to kiwi?
I'm allergic to Mondays, haha.
Should I take up golf?
I tried surfing once, never again.
My grandfather loved fishing.
I read Dracula years ago.
Have you read Dune?
The bus was late today.
How long does the ferry take?
If we got a dog, we'd name it Otto.
When I was little we had a cat called Tom.
What's a good name for a puppy?
I took my dog to the vet.
What is your favourite food?
The restaurant's favourite dish is ramen.
Someone told me I live in a nice area.
My phone battery died.
I almost moved to Nashville, but it fell through.
Suppose I worked at NASA.
I'm not sure whether to stay at IBM.
People say Vienna is lovely.
Let's say I drive a truck.
Thanks, that's very helpful!
Can you write a poem about Lisbon?
In my novel the hero lives in Cairo.
My cousin wants to live in Miami.
There's a bakery called Luna near my flat.
My lawyer lives in Boston and works for Deloitte.
I bought my sister a Kia Picanto.
I'm on vacation in Crete.
My gym is closed on Sunday.
I joined a call with Anna.
Anna and I went to the movies.
I live for music.
She lives in Rome.
"""


def _wanted(text: str) -> set[tuple[str, str, str, str]]:
    found: set[tuple[str, str, str, str]] = set()
    for part in text.split("; "):
        subject, _, said = part.rpartition("/")
        attribute, sign, value = re.split(r"([=!])", said, maxsplit=1)
        found.add((subject or "user", attribute, value, "set" if sign == "=" else "end"))
    return found


def _rows(table: str) -> list[str]:
    return table.strip().splitlines()


def _read(text: str) -> set[tuple[str, str, str, str]]:
    return {(s.subject, s.attribute, s.value, s.polarity) for s in read_statements(text)}


@pytest.mark.parametrize("row", _rows(STATED))
def test_a_plain_statement_is_read(row: str) -> None:
    sentence, _, wanted = row.partition(" => ")
    found = _read(sentence)
    assert _wanted(wanted) <= found
    assert {one for one in found if one[3] == "set"} == {
        one for one in _wanted(wanted) if one[3] == "set"
    }


@pytest.mark.parametrize("sentence", _rows(SILENT))
def test_what_states_no_fact_sets_nothing(sentence: str) -> None:
    assert read_statements(sentence) == []


CLAIMED = """
Since you're living in Cologne, the trains are easy. => home=Cologne
You mentioned you work at Intel. => employer=Intel
Given your shellfish allergy, skip the prawns. => allergy=shellfish
I noted that your wife is called Petra. => partner=Petra
Your Volvo XC40 would manage that. => car=Volvo XC40
If I remember correctly, you live in Ghent. => home=Ghent
Your cat Luna must be happy. => cat=Luna
You love sushi the most, so let's go there. => favourite food=sushi
You're learning Basque, right? => language=Basque
Your brother Kofi lives in Oslo, doesn't he? => brother Kofi/home=Oslo
"""


@pytest.mark.parametrize("row", _rows(CLAIMED))
def test_what_an_assistant_says_of_you_is_read_as_yours(row: str) -> None:
    sentence, _, wanted = row.partition(" => ")
    assert _read(as_first_person(sentence)) == _wanted(wanted)


@pytest.mark.parametrize(
    "sentence",
    ["You could learn Spanish.", "I can help you find a flat in Paris.", "I love Rome myself."],
)
def test_what_an_assistant_offers_is_no_claim(sentence: str) -> None:
    assert not _read(as_first_person(sentence))


@pytest.mark.parametrize(
    "text",
    ["Yes, that's right, Thursday and Friday.", "Yep!", "Exactly, mould, good memory.", "Yeah"],
)
def test_a_yes_confirms(text: str) -> None:
    assert answer_to_claim(text) == "yes"


@pytest.mark.parametrize(
    "text", ["No, I don't.", "That's wrong, it's Oslo.", "Actually, I'm not.", "Yes, but not now"]
)
def test_a_no_denies(text: str) -> None:
    assert answer_to_claim(text) == "no"


def test_a_short_answer_is_understood_by_what_was_spoken_of() -> None:
    assert [s.value for s in read_statements("No, it's Oslo.", about=["home"])] == ["Oslo"]
    assert read_statements("No, it's Oslo.") == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read_and_reads_the_same_again(text: str) -> None:
    assert read_statements(text) == read_statements(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*_rows(SILENT), "I'm", "not", "@N1", "My job?", "and I"])))
def test_any_sentences_can_be_read_together(parts: list[str]) -> None:
    read_statements(" ".join(parts))


@pytest.mark.parametrize(
    "unit", ["I live in Oslo. ", "and I ", "a, ", "'", "你好", "my my ", "n't"]
)
def test_a_long_message_is_read_in_good_time(unit: str) -> None:
    start = time.process_time()
    read_statements(unit * (200_000 // len(unit)))
    assert time.process_time() - start < 3

"""Talk about nothing that lasts: what only sounds like a fact, questions, greetings and replies.

One phrase a line, the first three for development, the rest held out, as in `life_phrases`.
``{other}`` is somebody the user mentions in passing: the fact, if there is one, is theirs.
"""

from __future__ import annotations

CHATTER = {
    "city": """
        If I moved to {value}, would I need to learn to sail?
        {Other} lives in {value} and says the rents are insane.
        Back when I lived in {value} everything was cheaper.
        We nearly took a flat in {value} two years ago, but it fell through.
        Everybody raves about {value}, I was there for a weekend and it just rained.
        Is {value} worth living in, or is that only what the magazines say?
        """,
    "employer": """
        What if I applied at {value}, do you think they'd even read my CV?
        {Other} works for {value} and complains about it all the time.
        Before all this I used to work at {value}, a long time ago.
        I had an interview at {value} once, they never called back.
        Did you read about the layoffs at {value}? Glad that's not my problem.
        """,
    "job": """
        Sometimes I think I should have become {a_value}.
        {Other} is {a_value} and earns twice what I do.
        I was {a_value} for one summer back in my student days.
        How does one become {a_value}, out of curiosity? My niece keeps asking me.
        I had to wait two hours for {a_value} today, they're impossible to get hold of.
        """,
    "partner": """
        What would you think of a couple where one's called {value} and so is the dog?
        {Other} just got engaged to a {value}, lovely party.
        I dated somebody called {value} at university, ages ago.
        There's a {value} at work who keeps sending me memes, strictly a colleague.
        My mother would love it if I married her hairdresser's kid {value}, not going to happen.
        """,
    "car": """
        Would {a_value} be any good in the snow, hypothetically?
        {Other} bought {a_value} and it's been in the garage ever since.
        I had {a_value} when I was twenty, it rusted away under me.
        The rental place gave us {a_value} for the day, drove like a shopping trolley.
        I almost bought {a_value} last year, but the deal fell through.
        """,
    "favourite food": """
        Is {value} hard to make from scratch?
        {Other} says {value} is the best food there is, I don't get it.
        When I was a kid {value} was my favourite, funny how tastes change.
        We had {value} at the canteen today and it was a bit sad.
        If I opened a food truck, would {value} sell, what do you think?
        """,
    "wake-up time": """
        If I got up at {value}, could I fit in a run, or is that silly?
        {Other} gets up at {value} every day, even on holidays, lunatic.
        When I was at school I had to get up at {value}, never again.
        The bin lorry came at {value} this morning and made a terrible racket.
        There's a meeting at {value} tomorrow, just this once, who schedules these things?
        """,
    "gym days": """
        Would training on {value} even be enough to see results?
        {Other} goes to the gym on {value} and never shuts up about it.
        Years ago I used to do weights on {value}, in a sweaty basement.
        The yoga class on {value} is full, so that's not happening.
        I was going to try the gym on {value}, but then I never signed up.
        """,
    "diet": """
        Is eating {value} actually healthy, or is it just a trend?
        {Other} is {value} now, good for her, cooking for guests is a nightmare.
        I was {value} for about a month at university, didn't last.
        Nearly everything on that menu was {value}, I just had a coffee.
        I thought about going {value} once, but I like my dinners the way they are.
        """,
    "pet": """
        What do you think of {value} as a name for a dog in a story I'm writing?
        {Other} has a dog called {value} that barks all night.
        When I was little we had a dog named {value}, he was huge.
        There was a lost dog poster on our street, {value}, I hope they find the poor thing.
        If I ever wrote a children's book the hero would be a dog called {value}.
        """,
    "book": """
        Is {value} any good? Someone left a copy on the bus stop.
        {Other} is reading {value} and won't stop quoting it.
        I read {value} years ago and remember nothing.
        They're turning {value} into a series, apparently.
        I was going to start {value}, but the shop was out of it.
        """,
    "commute": """
        How long would it take by {value}, if I ever tried that?
        {Other} goes to work by {value} and always arrives soaked.
        In my first job I took the {value} every day, hated it.
        There was an accident with the {value} downtown, traffic's a mess.
        I thought about trying the {value} to work, but no, not for me.
        """,
    "hobby": """
        Would {value} be a good present, like a voucher for a course?
        {Other} does {value} and has filled the whole office with it.
        As a teenager I did {value} for a while, then I stopped.
        There's a documentary on {value} tonight, looks oddly relaxing.
        I almost signed up for {value}, but the course was full.
        """,
    "allergy": """
        How common is it to be allergic to {value}, roughly?
        {Other} is allergic to {value}, so the office party is a minefield.
        As a baby I was allergic to {value}, but I grew out of that decades ago.
        The test for {value} came back negative, so that wasn't it.
        If I were allergic to {value} I'd have noticed by now, right?
        """,
    "language": """
        Is {value} harder than people say?
        {Other} is learning {value} and practises on everyone.
        I took {value} at school, can't remember a word.
        The film was in {value} without subtitles, I understood nothing.
        I was going to start {value} in autumn, but the class got cancelled.
        """,
}
"""What a user says about ``{value}`` that makes it no fact of theirs, at least none of today."""

CONFIRM = """
    Yes, that's right, {value}.
    Exactly, {value}, good memory.
    Yes, correct, it's {value} now.
    Spot on with {value}, I thought I hadn't even mentioned that.
    Yep!
    That's true, yes.
    """
"""The user agrees with what the assistant has just asserted."""

QUESTION = """
    Do you remember {clause}?
    Can you tell me {clause}?
    Do you know {clause}?
    Quick test, have you kept in mind {clause}?
    I bet you've forgotten {clause}.
    Remind me, did I ever tell you {clause}?
    """
"""The user asks and tells nothing."""

FILLER = """
    Can you help me write a short thank-you note for a neighbour?
    I need an idea for a rainy afternoon.
    What's a polite way to turn down an invitation?
    How do I get a wine stain out of a white shirt?
    I slept badly and everything's annoying me today.
    Anyway, different topic: how long do you boil an egg so it's still soft?
    Could you explain what inflation actually is, in two sentences?
    My phone battery dies by noon, what can I do?
    The heating's making a funny noise again.
    I'd like to sort my photos, where do I start?
    Tell me something interesting about octopuses.
    What should I write in a birthday card for someone I barely know?
    """
"""The user talks of something else."""

ASIDE = """
    What do you think?
    Anyway, what should I cook tonight?
    So, any tips?
    But that's a story for another day.
    Not that anybody asked, haha.
    Okay, now to my actual question: how do I descale a kettle?
    """
"""What the user may add after a fact."""

LEAD = """
    By the way,
    Oh, and
    So,
    Ugh, long day.
    Right, before I forget:
    Sorry for the late reply.
    """
"""What the user may put before a fact."""

JOIN = """
    Also,
    Oh, and
    And one more thing:
    On top of that,
    Other news:
    """
"""What joins two facts in one message."""

REPLY = """
    Thanks for telling me. How can I help?
    I see. Would you like me to look into anything?
    Noted. What would you like to do next?
    Understood, let me know how I can help with that.
    Alright. Shall we take it one step at a time?
    That makes sense. Tell me more if you like.
    """
"""The assistant answers and repeats nothing."""

ECHO = """
    {Value}, got it.
    Thanks, I'll remember {value}.
    Good to know: {value}.
    {Value} it is then, I've made a note.
    Okay, {value}. Anything else?
    """
"""The assistant repeats what the user has just said."""

HELP = """
    Sure. Start small and see how it goes, that usually works best.
    There are a few ways to do that. Would you like the short version?
    Good question. It depends on how much time you have.
    Happy to help. Let me put together a few options for you.
    Of course. Give me a bit more detail and we'll find something.
    I'd keep it simple. Shall I write down the steps?
    """
"""The assistant answers what was no fact."""

"""Talk that must not change what is believed, and the talk around what does.

``CLAIM`` is what the assistant wrongly asserts, ``CORRECT`` how the user denies it (``{old}`` is
the claim, ``{value}`` what is true), ``CHATTER`` what only sounds like a fact of the user's. One
phrase a line, the first three for development, the rest held out, as in `life_phrases`.
"""

from __future__ import annotations

CLAIM = {
    "city": """
        Since you live in {value}, you could check what the local library offers.
        As you've moved to {value}, your old transport card won't be valid any more.
        I remember that your home is in {value}.
        People in {value}, where your flat is, usually book a week ahead.
        With you being based in {value}, an evening flight would suit best.
        """,
    "employer": """
        As you work for {value}, you may get a staff discount.
        Now that you've started at {value}, check what the contract says about leave.
        I remember that your employer is {value}.
        Colleagues of yours at {value} may have had the same question.
        With {value} paying your salary, the tax form should be the short one.
        """,
    "job": """
        As you're {a_value}, you'll know this better than I do.
        Now that you work as {a_value}, your schedule may be tighter.
        I remember that you're {a_value} by trade.
        For {a_value} like you that's everyday business.
        With your job as {a_value}, standing all day can't be easy.
        """,
    "partner": """
        Your partner {value} might enjoy that too.
        Now that you're together with {value}, two tickets would make sense.
        I remember that you're in a relationship with {value}.
        You and {value} could make an evening of it as a couple.
        Why not ask {value}, since the two of you are an item?
        """,
    "car": """
        Your {value} should be able to handle that road.
        As you drive {a_value}, winter tyres of the usual size will do.
        I remember that you have {a_value}.
        With the {value} you own, parking won't be an issue.
        Check the manual of your {value} for the tyre pressure.
        """,
    "favourite food": """
        As your favourite food is {value}, you could make that for the guests.
        I know you like {value} more than anything.
        I remember that {value} is your favourite dish.
        You could treat yourself to {value}, which you love the most.
        With {value} being what you like best, the choice is easy.
        """,
    "wake-up time": """
        As you get up at {value}, an early night would help.
        Your alarm is set to {value}, so the morning slot should work.
        I remember that you wake up at {value}.
        With you out of bed by {value}, there's time for a proper breakfast.
        You start your day at {value}, which leaves room for a short walk.
        """,
    "gym days": """
        Your gym days are {value}, so keep the other evenings for this.
        As you train on {value}, rest on the days between.
        I remember that you go to the gym on {value}.
        With your workouts on {value}, protein matters most on those days.
        You're lifting on {value}, so that evening is taken.
        """,
    "diet": """
        As you're {value}, I left out what doesn't fit.
        Your {value} diet makes this a bit harder.
        I remember that you eat {value}.
        With you following {a_value} diet, check the label first.
        Since {value} is how you eat, the second option is safer.
        """,
    "pet": """
        Your dog {value} might like that park as well.
        Take {value} along, dogs are allowed there.
        I remember that your dog is called {value}.
        A walk with {value}, your dog, would clear your head.
        You could let {value} out in the garden meanwhile, your dog will be fine.
        """,
    "book": """
        You could finish {value}, the book you're reading, on the way.
        As you're reading {value}, the film might interest you.
        I remember that you're on {value} at the moment.
        With {value} on your nightstand, your evenings are filled.
        That reminds me of {value}, which you've got open right now.
        """,
    "commute": """
        As you commute by {value}, allow ten more minutes in the rain.
        You take the {value} to work, so mornings are tight.
        I remember that you get to work by {value}.
        With the {value} as your way to the office, a light bag is better.
        On your {value} ride to work you could listen to it.
        """,
    "hobby": """
        As you're into {value}, there may be a club nearby.
        Your {value} sessions already keep you moving.
        I remember that {value} is one of your hobbies.
        With the {value} you do at weekends, Sunday is probably taken.
        Since you enjoy {value} so much, that could be a nice theme.
        """,
    "allergy": """
        As you're allergic to {value}, I left that out.
        With your {value} allergy you should ask the waiter.
        I remember that you're allergic to {value}.
        Given how badly you react to {value}, better check twice.
        Mind the {value}, your allergy could flare up.
        """,
    "language": """
        As you're learning {value}, you could watch it with subtitles.
        Your {value} lessons will come in handy there.
        I remember that you're studying {value}.
        With the {value} you've been learning, you'll manage.
        You could practise your {value}, since you take classes anyway.
        """,
}
"""The assistant asserts ``{value}`` of the user, who never said it."""

CORRECT = {
    "city": """
        No, I don't live in {old}, I live in {value}.
        I'm not in {old}, I'm in {value}.
        Where did you get {old} from? I live in {value}.
        {old}? Never even been there, my place is in {value}.
        Hang on, {value} is my home, you've mixed me up with somebody.
        """,
    "employer": """
        No, I work for {value}, not {old}.
        I don't work at {old}, I'm at {value}.
        That's wrong, my employer is {value}.
        {old}? I wish. Still at {value}, same as ever.
        You've got the wrong company there, it's {value} that pays me.
        """,
    "job": """
        No, I'm not {a_old}, I'm {a_value}.
        I work as {a_value}, not as {a_old}.
        That's not right, I'm {a_value}.
        {A_old}? Me? I'd be hopeless, {a_value} is what I am.
        Wrong person I think, my trade is {value}.
        """,
    "partner": """
        No, I'm not with {old}, I'm with {value}.
        Who is {old}? My partner is {value}.
        That's wrong, I'm seeing {value}.
        {value} would be surprised to hear that, there's no {old} in my life.
        Wrong name! It's {value} I'm together with.
        """,
    "car": """
        No, I don't have {a_old}, I have {a_value}.
        I drive {a_value}, not {a_old}.
        That's wrong, my car is {a_value}.
        {A_old}? Never owned one, what I've got is {a_value}.
        You're thinking of somebody else, mine's {a_value}.
        """,
    "favourite food": """
        No, my favourite food is {value}, not {old}.
        I don't even like {old} that much, my favourite is {value}.
        That's wrong, I like {value} best.
        {Old}? Meh. Give me {value} any day.
        Not quite, {value} has the top spot, I told you.
        """,
    "wake-up time": """
        No, I get up at {value}, not {old}.
        I don't wake up at {old}, it's {value}.
        That's wrong, my alarm's set to {value}.
        {old}? In your dreams, {value} it is.
        You've got the time wrong, {value} is when I'm up.
        """,
    "gym days": """
        No, my gym days are {value}.
        I don't train on {old}, I go on {value}.
        That's wrong, I'm at the gym on {value}.
        {old}? No way, I've always got plans then, {value} are mine.
        Wrong days, I'm down for {value}.
        """,
    "diet": """
        No, I'm not {old}, I'm {value}.
        I don't eat {old}, I eat {value}.
        That's wrong, I'm on {a_value} diet.
        {Old}? That's news to me, {value} is what I said.
        You've mixed that up, {value} is how I eat.
        """,
    "pet": """
        No, my dog's called {value}, not {old}.
        I don't have a dog called {old}, mine is {value}.
        That's wrong, the dog's name is {value}.
        {old}? {value} would be offended, that's the only dog here.
        Wrong dog! The one on my sofa answers to {value}.
        """,
    "book": """
        No, I'm not reading {old}, I'm reading {value}.
        I'm on {value}, not {old}.
        That's wrong, my current book is {value}.
        {old}? Haven't opened it in my life, {value} is the one I'm on.
        Wrong one, it's {value} that keeps me up at night.
        """,
    "commute": """
        No, I don't take the {old}, I take the {value}.
        I commute by {value}, not by {old}.
        That's wrong, I get to work by {value}.
        The {old}? Not me, it's the {value} every day.
        You've mixed that up, the {value} is how I get there.
        """,
    "hobby": """
        No, I don't do {old}, I do {value}.
        I'm not into {old}, I'm into {value}.
        That's wrong, my hobby is {value}.
        {Old}? I'd break something. {Value}, that's my thing.
        You've mixed me up with somebody, I spend my weekends on {value}.
        """,
    "allergy": """
        No, I'm not allergic to {old}, I'm allergic to {value}.
        I'm fine with {old}, my allergy is to {value}.
        That's wrong, I'm allergic to {value}.
        {Old} never bothered me, {value} is the problem.
        You've mixed that up, I only mentioned {value}.
        """,
    "language": """
        No, I'm not learning {old}, I'm learning {value}.
        I don't study {old}, I study {value}.
        That's wrong, the language I'm learning is {value}.
        {old}? Not a word of it. {value} is what I'm working on.
        You've mixed that up, my classes are {value}.
        """,
}
"""The user denies the assistant's ``{old}``: ``{value}`` still holds."""

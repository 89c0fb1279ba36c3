"""How people say that an earlier state is back (``REVERT``) or that something ended (``NEGATE``).

One phrase a line, the first three for development, the rest held out, as in `life_phrases`. In a
``REVERT`` the text names ``{value}``, which holds again; in a ``NEGATE`` ``{old}`` no longer holds,
and where only one value can hold the text need not name it.
"""

from __future__ import annotations

REVERT = {
    "city": """
        I've moved back to {value}.
        I'm back in {value} for good, {old} wasn't for me.
        Change of plans in life: I live in {value} again.
        Turns out you can go home again, my stuff's back in {value} and so am I.
        {old} didn't last, I'm once more a proud citizen of {value}.
        """,
    "employer": """
        I'm back at {value}, they rehired me.
        I work for {value} again, {old} was a mistake.
        I've returned to {value} after my time at {old}.
        My old boss at {value} rang, one thing led to another, and my old desk is mine again.
        {old} and I didn't click, so {value} has taken me back.
        """,
    "job": """
        I'm {a_value} again.
        I've gone back to being {a_value}.
        I'm working as {a_value} again, it turns out I missed it.
        Being {a_old} just wasn't me, so it's back to my old trade as {a_value}.
        The experiment's over, from this week I earn my keep as {a_value} like before.
        """,
    "partner": """
        {value} and I got back together.
        I'm back with {value}.
        I'm with {value} again, {old} and I are over.
        It didn't work out with {old}, and {value} and I are giving it another go.
        Funny how life goes, {value} moved back in with me and we're a couple like we used to be.
        """,
    "car": """
        I bought my old {value} back.
        I'm driving the {value} again, the {old} went back to the dealer.
        I've gone back to my {value}.
        The {old} was a lemon, so the good old {value} is on my drive again.
        Remember my {value}? Got it back from my cousin and returned the {old}.
        """,
    "favourite food": """
        {Value} is my favourite food again.
        I'm back to {value} as my favourite.
        I've gone back to loving {value} the most, {old} got boring.
        {Old} was just a phase, {value} is number one again.
        Had my first plate of {value} in ages and yep, back on top it goes.
        """,
    "wake-up time": """
        I'm back to getting up at {value}.
        I get up at {value} again.
        I've set my alarm back to {value}.
        {old} nearly killed me, so we're back to {value} in the mornings.
        The old schedule's returned at work, which means {value} is when I rise again.
        """,
    "gym days": """
        I'm back to {value} at the gym.
        I go to the gym on {value} again.
        My gym days are {value} again, like before.
        That {old} thing didn't work out, so training has moved back to {value}.
        Old slot's free again, you'll find me lifting on {value} like I used to.
        """,
    "diet": """
        I'm back to eating {value}.
        I'm {value} again.
        I went back to {a_value} diet, {old} made me miserable.
        The {old} experiment is over and I'm {value} once more.
        My body clearly prefers it, so it's {value} for me again.
        """,
    "pet": """
        {value} is our dog again, my parents gave him back.
        We've got {value} back, he's our dog again.
        I have my dog {value} back and {old} went to live with my ex.
        {old} had to go back to the shelter, and {value} has come home to us, tail wagging.
        You'll never guess who's sleeping at my feet again: {value}, the best dog ever.
        """,
    "book": """
        I'm back on {value}.
        I've gone back to reading {value}.
        I put {old} down and I'm reading {value} again.
        {old} was too slow, so I've picked {value} up again where I left off.
        Needed something familiar, so I'm rereading {value} now instead of {old}.
        """,
    "commute": """
        I'm back to taking the {value} to work.
        I commute by {value} again.
        I've gone back to the {value} for getting to work.
        The {old} got too expensive, so it's the {value} to the office again.
        Tried the {old} for a while, hated it, and now the {value} carries me to work like before.
        """,
    "hobby": """
        I'm doing {value} again.
        I've gone back to {value}.
        I picked {value} up again.
        After a break I've dusted off my gear, so {value} is part of my life again.
        Couldn't stay away for long, I'm hooked on {value} all over again.
        """,
    "allergy": """
        I'm allergic to {value} again.
        My allergy to {value} is back.
        The {value} allergy has come back.
        We thought it had gone, but I had some {value} around me and got the hives all over again.
        New test says I do react to {value} after all, so put that one back on the list.
        """,
    "language": """
        I'm learning {value} again.
        I've gone back to studying {value}.
        I picked up {value} again.
        My old {value} teacher has a free slot, so we've resumed our lessons.
        Guess what, after the break I've signed up for {value} once more.
        """,
}
"""A return by the user to ``{value}``, which held before."""

NEGATE = {
    "city": """
        I've moved out of {old} and I don't live anywhere in particular right now.
        I don't live in {old} any more, I'm travelling for a while.
        I gave up my flat in {old} and I'm living out of a van.
        No fixed address at the moment, the lease in {old} ran out and I'm couch surfing.
        {old} is over for me, everything I own is in storage until I find a new place.
        """,
    "employer": """
        I don't work for {old} any more, I'm between jobs.
        I quit, so I no longer work at {old}.
        {old} let me go, I'm looking around.
        I handed in my notice and yesterday was my last day at {old}, nothing lined up yet.
        So {old} did another round of layoffs, and this time I was on the list.
        """,
    "job": """
        I'm not {a_old} any more, I'm taking some time off.
        I've stopped working as {a_old}.
        I no longer work as {a_old}, no idea what comes next.
        My days as {a_old} are over, I'm on a sabbatical with nothing planned.
        I hung it up, no more being {a_old} for me, and I'm just resting for now.
        """,
    "partner": """
        {old} and I broke up.
        We broke up, I'm single again.
        I'm not with {old} any more.
        It's over between me and {old}, I'm sleeping on a friend's sofa.
        So, {old} walked out on Sunday, and now the flat's very quiet.
        """,
    "car": """
        I don't have a car any more.
        I sold the {old} and I'm not getting another one.
        I no longer have the {old}, I walk everywhere.
        The {old} went to the scrapyard, and honestly, going without wheels is fine.
        We're a car-free household as of today, somebody drove off with the {old} for cash.
        """,
    "favourite food": """
        {Old} isn't my favourite any more, I don't really have one.
        I've gone off {old} completely.
        I don't like {old} any more.
        I can't look at {old} since that food poisoning, and nothing has replaced it yet.
        Funny, {old} does nothing for me these days, I just eat whatever's there.
        """,
    "wake-up time": """
        I don't get up at {old} any more, I sleep in until whenever.
        I've stopped setting an alarm.
        No more {old} for me, I wake up when I wake up.
        Threw out the alarm clock, that {old} business was madness.
        With the new shifts there's no regular time, so forget what I said about {old}.
        """,
    "gym days": """
        I've stopped going to the gym.
        I cancelled my gym membership.
        I don't go to the gym on {old} any more, I gave it up.
        My knee's had it, so no more training on {old} or any other day.
        The gym closed down for good, which frees up {old}, I suppose.
        """,
    "diet": """
        I'm not {old} any more, I eat everything.
        I quit the {old} diet.
        I've given up eating {old}, no diet at the moment.
        The {old} thing is over, I had a burger yesterday and everything's allowed now.
        No more rules on my plate, being {old} was making me grumpy.
        """,
    "pet": """
        {old} passed away on Friday, we don't have a dog now.
        We don't have a dog any more.
        I had to give {old} away because of the landlord.
        The house is so empty without {old}, the vet couldn't do anything and we had to say goodbye.
        {old} lives on a farm with my parents now and isn't mine any longer, it was for the best.
        """,
    "book": """
        I gave up on {old}, I'm not reading anything at the moment.
        I finished {old} and haven't started a new one.
        I'm not reading {old} any more.
        {old} went back to the library and there's nothing on my nightstand for now.
        Got to the last page of {old} last night, and I need a break from books.
        """,
    "commute": """
        I don't commute any more, I work from home.
        I've stopped taking the {old} to work.
        I no longer commute by {old}, it's all remote now.
        They closed the office, so my days on the {old} are done.
        My desk is in the bedroom these days, the {old} can do without me.
        """,
    "hobby": """
        I don't do {old} any more.
        I gave up {old}.
        I've stopped doing {old}, no time.
        {Old} got too expensive, so that's one hobby less.
        Nah, {old} and I are done, I sold all my gear.
        """,
    "allergy": """
        I'm not allergic to {old} any more.
        My allergy to {old} is gone.
        It turns out I'm not allergic to {old} after all.
        Three years of shots paid off and {old} can't hurt me now.
        Good news from the allergist, {old} can come off my list.
        """,
    "language": """
        I've stopped learning {old}.
        I gave up on {old}.
        I'm not learning {old} any more.
        My {old} books are in the donation box, it just wasn't happening.
        I quit the {old} class, too much homework.
        """,
}
"""An end, told by the user: ``{old}`` no longer holds and nothing takes its place."""

REVERT_OF = {
    "city": """
        {Who} moved back to {value}.
        {Who} lives in {value} again.
        {name} is back in {value}, {old} wasn't right for {them}.
        {name} couldn't stand {old} and has gone home to {value} for good.
        So {value} has {name} back, the flat in {old} is empty.
        """,
    "employer": """
        {Who} is back at {value}.
        {Who} works for {value} again.
        {name} left {old} and returned to {value}.
        {value} has rehired {name}, so much for {old}.
        {name} missed the old team and has rejoined {value}.
        """,
    "job": """
        {Who} is {a_value} again.
        {Who} went back to being {a_value}.
        {name} works as {a_value} again, like before.
        Being {a_old} didn't suit {name}, so {they} is back to life as {a_value}.
        {name} has returned to the old trade and earns a living as {a_value} once more.
        """,
    "car": """
        {Who} got the old {value} back.
        {Who} drives the {value} again.
        {name} went back to the {value}, the {old} broke down.
        {name} returned the {old}, and the good old {value} is {theirs} again.
        The {value} is back in {their} garage, {name} never got used to the {old}.
        """,
}
"""A return of a relative's."""

NEGATE_OF = {
    "city": """
        {Who} doesn't live in {old} any more, {they} is travelling.
        {Who} moved out of {old} and has no fixed place.
        {name} gave up the flat in {old} and lives in a van.
        {name} is done with {old} and sleeps on friends' sofas for now.
        The lease in {old} ran out, so {name} is of no fixed address.
        """,
    "employer": """
        {Who} doesn't work at {old} any more.
        {Who} quit {old} and is looking for something new.
        {name} lost the job at {old}.
        {old} let {name} go last week, just like that.
        Yesterday was the last day at {old} for {who}, and nothing's lined up.
        """,
    "job": """
        {Who} isn't {a_old} any more.
        {Who} stopped working as {a_old}.
        {name} no longer works as {a_old}, {they} is taking a year off.
        {name} has hung it up, no more life as {a_old}.
        The days of {name} being {a_old} are over, {they} just wants to rest.
        """,
    "car": """
        {Who} doesn't have a car any more.
        {Who} sold the {old} and walks everywhere.
        {name} no longer has the {old}.
        {name} had the {old} towed to the scrapyard and isn't getting another.
        The {old} is gone, {name} swears by walking now.
        """,
}
"""An end of a relative's."""

"""How people say that something became true: a first telling (``SET``), a change (``CHANGE``).

One phrase a line. The first three of each are for development (``dev``), the rest are held out
(``held``). The slots are those of `life.render`; endings and small talk stand in `life_endings` and
`life_chatter`.
"""

from __future__ import annotations

SET = {
    "city": """
        I live in {value}, by the way, so keep that in mind when you suggest things.
        Could you check the weather for the weekend? I'm in {value}, third floor, no lift.
        My flat's in {value} and the walls are paper thin, so I hear everything.
        We've got a tiny place with a balcony in {value}, which I honestly love coming home to.
        {value}'s where I've put down roots, if that helps with the recommendations.
        Home for me is {value}, but I spend half my life on trains anyway.
        """,
    "employer": """
        I work for {value}, mostly boring internal stuff.
        So at {value}, where I work, they've just introduced hot desking and nobody's happy.
        I've got a job at {value}, the canteen alone is worth it.
        My employer is {value} and they're really strict about holiday requests.
        {value} pays my salary, so I probably shouldn't complain about them in public.
        Been a long week, everybody on my team at {value} is out sick and it all lands on me.
        """,
    "job": """
        I'm {a_value} and I've got a pile of paperwork to get through.
        I work as {a_value}, so my back is killing me by Friday.
        My job? {Value}. Not glamorous, but it pays the bills.
        Being {a_value} means I never get a proper lunch break, can you help me with quick meals?
        For a living I do what {a_value} does, which is to say I drink a lot of coffee.
        People hear I earn my money as {a_value} and always have the same three questions.
        """,
    "partner": """
        My partner {value} is turning 35 soon and I've no idea what to get.
        I'm seeing someone, {value}, and it's going really well.
        {value} and I have been together for a bit now, and we're thinking of a trip.
        I've got a partner, {value}, who hates mornings even more than I do.
        Can you suggest a date night? {value}, my other half, loves anything with live music.
        So I'm not single, if that matters for the form: the name of the person I'm with is {value}.
        """,
    "car": """
        I drive {a_value}, nothing fancy.
        I have {a_value} and the inspection's due next month, what should I check?
        My car's {a_value}, so parking in the old town isn't too bad.
        There's a weird rattle coming from my {value} whenever I brake, any ideas?
        We get around in {a_value}, which only just fits the pram.
        The {value} in our driveway is mine, and yes, it needs a wash.
        """,
    "favourite food": """
        My favourite food is {value}, hands down.
        If I could only eat one thing for the rest of my life it'd be {value}.
        Nothing beats {value}, I could have it every single day.
        {Value} is my absolute favourite, so any recipe around that would make me happy.
        I'm happiest with a big plate of {value} in front of me, no other dish comes close.
        When people ask what I like eating most I always say {value}.
        """,
    "wake-up time": """
        I get up at {value} on workdays, which is painful in winter.
        My alarm goes off at {value}, so please nothing late in the evening.
        I usually wake up at {value} and go straight for the coffee machine.
        Every weekday it's {value} and I'm out of bed, like clockwork.
        On a normal day I'm up by {value}, then a shower, then emails.
        {value} is when I crawl out of bed these days, no snoozing.
        """,
    "gym days": """
        I go to the gym on {value}, an hour or so each time.
        My gym days are {value}, so dinner's always late then.
        {value} I'm at the gym after work, the rest of the week I'm on the sofa.
        I've set myself a routine: weights {value}, no excuses.
        Please keep {value} clear when you plan things, that's when I train.
        My trainer's got me down for {value} every week.
        """,
    "diet": """
        I'm {value}, so please keep that in mind for recipes.
        I eat {value}, can you give me three ideas for lunch?
        For what it's worth I'm on {a_value} diet, doctor's idea, not mine.
        When you plan the menu remember that I follow {a_value} diet.
        {Value} is how I eat, so half the menu is useless to me.
        Our kitchen's strict about food because I've been eating {value}.
        """,
    "pet": """
        I have a dog called {value} who eats everything, shoes included.
        My dog {value} has been limping since yesterday, should I worry?
        {value}, our dog, needs a walk twice a day, so I can't be out too long.
        We've got a four-legged flatmate, {value}, who snores louder than anybody I know.
        The dog's name is {value}, in case you wonder who keeps interrupting me.
        I took {value} to the vet this morning, and the poor dog was shaking the whole time.
        """,
    "book": """
        I'm reading {value} at the moment, no spoilers please.
        Currently on {value}, about a hundred pages in.
        The book on my nightstand is {value}, and I read a chapter before sleep.
        I've started {value} and I can't put it down, slept four hours.
        Our book club picked {value}, so that's what I'm reading right now.
        I'm halfway through {value} and still don't know what to make of it.
        """,
    "commute": """
        I commute by {value}, about forty minutes each way.
        I take the {value} to work, rain or shine.
        I get to work by {value}, so I'm not much use before nine.
        My way to the office is the {value}, and yes, it's as slow as it sounds.
        Every morning I'm on the {value} to work with a podcast in my ears.
        For getting to work I rely on the {value}, there isn't really anything better here.
        """,
    "hobby": """
        I'm really into {value} these days.
        I've taken up {value} and I'm terrible at it, but it's fun.
        In my free time I do {value}, it clears my head.
        Weekends are for {value}, I'm completely hooked.
        {Value} is one of my hobbies, so gift ideas around that are welcome.
        Somebody dragged me along to try {value}, and now I do it every week.
        """,
    "allergy": """
        I'm allergic to {value}, just so you know.
        Quick warning for the recipes: I've got an allergy to {value}.
        I can't have anything with {value} near me, I'm allergic.
        Turns out my rash came from {value}, the doctor confirmed an allergy.
        My body does not get along with {value}, I break out in hives straight away.
        Found out the hard way that I react badly to {value}, ended up in A&E with a swollen face.
        """,
    "language": """
        I'm learning {value}, slowly but surely.
        I've started taking {value} lessons on Wednesdays.
        I'm studying {value} with an app, and the owl is judging me.
        I signed up for {a_value} course at the evening school, first class was great.
        My {value} is still at the "where is the station" level, but I practise every day.
        Trying to teach myself {value} at the moment and the grammar is eating me alive.
        """,
}
"""A first telling of each attribute by the user."""

CHANGE = {
    "city": """
        We moved to {value} last week, boxes everywhere.
        I've left {old} behind, I live in {value} now.
        Big news: I'm a {value} resident as of Monday!
        Finally done with the move, so my new address is in {value}.
        Said goodbye to {old} on Friday, and I'm writing this from my new kitchen in {value}.
        Relocating to {value} took everything out of me, but the keys are in my hand at last.
        """,
    "employer": """
        I switched jobs, I'm at {value} now.
        I left {old} and started at {value} on Monday.
        New company, same chaos: I work for {value} now.
        {value} made me an offer I couldn't refuse, so I handed in my badge at {old}.
        First week at {value} done, and it's so much calmer than {old} ever was.
        I'm no longer with {old}, it's {value} that I get up for these days.
        """,
    "job": """
        I changed careers, I'm {a_value} now.
        I retrained and I now work as {a_value}.
        After too long as {a_old} I've become {a_value}, best decision ever.
        They've made me {a_value}, so the days of being {a_old} are over.
        Believe it or not, you're talking to {a_value} now, I gave up the old job.
        I swapped my job as {a_old} for one as {a_value} and I've never slept better.
        """,
    "partner": """
        {old} and I split up a while ago, I'm with {value} now.
        I've met someone new, {value}, and we're official now.
        I'm dating {value} now, in case you wonder who I keep mentioning.
        Things with {old} fizzled out, but {value} asked me out and we've been a couple since.
        My new partner's called {value}, I still get butterflies.
        It's {value} who I share my life with now, {old} is history.
        """,
    "car": """
        I traded in my {old} for {a_value}.
        I've bought {a_value}, picked it up yesterday!
        I got rid of the {old} and drive {a_value} now.
        The {old} finally died on me, so there's {a_value} in the garage now.
        Guess who's behind the wheel of a new {value}? Me!
        We needed more space than the {old} had, so we went and got {a_value}.
        """,
    "favourite food": """
        I've changed my mind, {value} is my favourite food now.
        I used to be all about {old}, but now it's {value}.
        My new favourite dish is {value}, sorry {old}.
        {Value} has knocked {old} off the top spot for me.
        Ever since that little place on the corner opened I like {value} best of all.
        I can't believe I ever rated {old} higher, {value} is the best thing on earth.
        """,
    "wake-up time": """
        I get up at {value} now, the new schedule is brutal.
        I've moved my alarm from {old} to {value}.
        I'm waking up at {value} these days instead of {old}.
        New routine: out of bed at {value}, and it's actually working.
        Since they changed my shifts the alarm's been set to {value}.
        {old} just wasn't working any more, so {value} it is, every workday.
        """,
    "gym days": """
        I've switched my gym days to {value}.
        I go to the gym on {value} now, it's less crowded.
        My training moved from {old} to {value}.
        The class times changed, so from now on I train {value}.
        {old} got too busy for me, so my workouts are {value} now.
        Heads up for the calendar, the gym is {value} from here on.
        """,
    "diet": """
        I've gone {value}, so no more of the old recipes please.
        I'm not {old} any more, I eat {value} now.
        I switched to {a_value} diet two weeks ago.
        My doctor took one look at my blood test and put me on {a_value} diet.
        Eating {old} wasn't for me in the end, so I've become {value}.
        We threw out half the pantry, because from now on it's {value} for me.
        """,
    "pet": """
        We've adopted a new dog, {value}, after {old} went to live with my parents.
        {old} passed away in spring, and now we have a puppy called {value}.
        There's a new dog in the house and the name's {value}.
        I never thought I'd get another dog after {old}, but {value} stole my heart.
        Meet {value}, the dog we brought home from the shelter now that {old} is gone.
        My ex kept {old}, so I got myself a dog of my own and named it {value}.
        """,
    "book": """
        Finished {old}, I'm on {value} now.
        I've moved on to {value}, the last one was great though.
        I'm reading {value} now.
        {old} is back on the shelf and I've just cracked open {value}.
        Started on {value} last night, already better than {old}.
        The library finally had {value}, so that's what I've got my nose in these days.
        """,
    "commute": """
        I go to work by {value} now.
        I've stopped taking the {old} and use the {value} instead.
        I switched from the {old} to the {value} for my commute.
        My commute's changed, it's the {value} every morning from now on.
        Couldn't stand the {old} another day, so these days the {value} gets me to work.
        Since the roadworks started I've been getting to the office by {value}.
        """,
    "hobby": """
        I've swapped {old} for {value}.
        I gave up {old} and do {value} instead.
        I don't do {old} any more, it's all {value} now.
        {Value} has taken the place of {old} in my week, it's easier on the knees.
        Sold my {old} stuff to pay for {value}, no regrets.
        My evenings used to be {old}, but it's {value} that I'm doing with them now.
        """,
    "allergy": """
        It's not {old} I'm allergic to after all, it's {value}.
        They retested me: I'm allergic to {value}, not to {old}.
        The doctor got it wrong with {old}, my allergy is to {value}.
        So the allergist took {old} off my list and put {value} on it instead.
        New test results! Turns out it was {value} all along, and {old} never did me any harm.
        Scratch the {old} thing, what really sets my allergy off is {value}.
        """,
    "language": """
        I've dropped {old} and I'm learning {value} instead.
        I switched from {old} to {value}, the teacher's nicer.
        I'm not studying {old} any more, I'm doing {value} now.
        {old} just wouldn't stick, so I've enrolled in {a_value} class.
        My evening class is {value} now, because they cancelled {old}.
        Swapped my {old} textbooks for {value} ones last week, wish me luck.
        """,
}
"""A change by the user from ``{old}``, which the text need not name, to ``{value}``."""

SET_OF = {
    "city": """
        {Who} lives in {value}, so we don't see each other much.
        I'm visiting {who} in {value}, that's where {they} lives.
        {Who} has a flat in {value} with a spare room for me.
        We're spending the holidays at {their} place in {value}, {who} is cooking for all of us.
        I miss {who}, {value} is just too far away for popping round to {their} house.
        """,
    "employer": """
        {Who} works at {value}.
        {Who} has a job at {value} and won't stop talking about it.
        I might ask {who} for help, {they} works for {value}.
        At {value}, where {who} is employed, everybody gets their birthday off.
        You'd think {value} would pay {who} better for all those weekends {they} puts in.
        """,
    "job": """
        {Who} is {a_value}.
        {Who} works as {a_value}, the hours are crazy.
        I always ask {who} about these things, {they} is {a_value}.
        Having {a_value} around is handy, {who} fixes all of our problems.
        My role model has to be {who}, who makes a living as {a_value}.
        """,
    "car": """
        {Who} drives {a_value}.
        {Who} has {a_value} that {they} lets me borrow.
        I'm getting a lift from {who} in {their} {value}.
        The {value} outside belongs to {who}, I only washed it.
        We all squeezed into the {value} that {who} owns and drove to the coast.
        """,
}
"""A first telling of a relative's."""

CHANGE_OF = {
    "city": """
        {Who} moved to {value}.
        {Who} doesn't live in {old} any more, {they} lives in {value} now.
        I helped {who} move from {old} to {value} at the weekend.
        {name} packed up the flat in {old}, and {value} is home for {them} now.
        It's official, {name} has settled in {value} and loves it.
        """,
    "employer": """
        {Who} left {old} and works at {value} now.
        {Who} has a new employer, {value}.
        {name} switched from {old} to {value}.
        {value} hired {who} last month, {old} must be fuming.
        So {name} quit {old}, and it's {value} that signs {their} paycheck now.
        """,
    "job": """
        {Who} is {a_value} now.
        {Who} retrained, and {they} works as {a_value} these days.
        {name} gave up being {a_old} and became {a_value}.
        After all those years as {a_old}, {name} starts every day as {a_value} now.
        You won't believe it, {who} has turned into {a_value}.
        """,
    "car": """
        {Who} sold the {old} and drives {a_value} now.
        {Who} bought {a_value}.
        {name} got {a_value} to replace the {old}.
        Remember the {old} {name} had? There's {a_value} parked there now.
        {name} finally splashed out on {a_value}, I'm a bit jealous.
        """,
}
"""A change of a relative's."""

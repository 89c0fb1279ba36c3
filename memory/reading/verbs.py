"""Verbs by their base form, and which of their forms say how things are now.

A verb of state ("live", "drive") says so only in the present: "lived" is left as it stands, and no
phrase looks for it. A verb of change ("move", "buy") says so in the past too, but not as "moving",
which is a plan.
"""

from __future__ import annotations

from functools import cache

_STATES = """
be am is are 're 'm being|was were been
have has having 've|had
live lives living|lived
reside resides residing|resided
stay stays staying|stayed
work works working|worked
own owns owning|owned
drive drives driving|drove driven
ride rides riding|rode
use uses using|used
take takes taking|took taken
catch catches catching|caught
commute commutes commuting|commuted
cycle cycles cycling|cycled
walk walks walking|walked
bike bikes biking|biked
go goes going|went gone
eat eats eating|ate eaten
follow follows following|followed
keep keeps keeping|kept
do does doing|did done
like likes liking|liked
love loves loving|loved
prefer prefers preferring|preferred
enjoy enjoys enjoying|enjoyed
adore adores adoring|adored
practise practises practising practice practices practicing|practised practiced
play plays playing|played
teach teaches teaching|taught
learn learns learning|learned learnt
study studies studying|studied
speak speaks speaking|spoke
read reads reading|
reread rereads rereading|
focus focuses focusing|
wake wakes waking|woke woken
rise rises rising|rose
train trains training|trained
exercise exercises exercising|exercised
lift lifts lifting|lifted
see sees seeing|saw
date dates dating|dated
know knows knowing|knew
call calls calling called|
name named|
set sets setting|
spend spends spending|spent
run runs running|ran
avoid avoids avoiding|avoided
"""
_CHANGES = """
move moves moved
relocate relocates relocated
settle settles settled
base based
start starts started starting
begin begins began begun beginning
join joins joined
hire hires hired rehire rehired
employ employed employs
become becomes became
retrain retrained retrains
promote promoted
qualify qualified
get gets got gotten getting
buy buys bought
purchase purchased purchases
lease leases leased leasing
adopt adopts adopted
rescue rescued rescues
welcome welcomed
meet met
jump jumped jumps
hop hopped
transfer transferred
shift shifted
marry married marries
tie tied
hang hung
say said
steal stolen
discover discovered
engage engaged
switch switches switched switching
swap swaps swapped swapping
change changes changed changing
trade trades traded
exchange exchanged exchanges
replace replaces replaced replacing
convert converted converts
upgrade upgraded upgrades
transition transitioned
return returns returned
resume resumed resumes
pick picks picked
turn turns turned
find found
rent rents rented renting
take_on
land landed lands
accept accepted accepts
sign signed signs
develop developed develops developing
diagnose diagnosed
grow grew grown
"""
_STOPS = """
quit quits quitting
leave leaves left leaving
stop stops stopped stopping
drop drops dropped dropping
cancel cancels cancelled canceled cancelling
sell sells sold selling
scrap scrapped
ditch ditches ditched ditching
abandon abandoned
lose loses lost
wreck wrecked
total totalled totaled
crash crashed
resign resigned resigns
retire retired retires
finish finishes finished finishing
rehome rehomed
dump dumped dumps
divorce divorced
separate separated
split splits
break breaks broke broken
outgrow outgrew outgrown
pause paused
axe axed
retired
sack sacked
fire fired
lay laid
die died dies
pass passed
part parted
give gives gave given giving
put
end ended
shelve shelved
cut
kick kicked
"""
_SMALL = {"n't": "not", "ca": "can", "wo": "will", "sha": "shall", "cannot": "can"}
_PAST_HEADS = frozenset("was were had did took went lived worked drove".split())


@cache
def _table() -> dict[str, str]:
    found: dict[str, str] = dict(_SMALL)
    for block in (_STATES, _CHANGES, _STOPS):
        for line in block.strip().splitlines():
            now, _, past = line.partition("|")
            base, *others = now.split()
            for form in (base, *others):
                found.setdefault(form, base)
            for form in past.split():
                found.setdefault(form, form)
    return found


@cache
def _participles() -> dict[str, str]:
    """Past forms of verbs of state, which after "have" do say how things are: "have lived"."""
    found: dict[str, str] = {"been": "be", "gone": "go", "had": "have", "done": "do"}
    for line in _STATES.strip().splitlines():
        now, _, past = line.partition("|")
        found |= dict.fromkeys(past.split(), now.split()[0])
    return found


@cache
def stopping() -> frozenset[str]:
    """The base forms of verbs that end something."""
    return frozenset(line.split()[0] for line in _STOPS.strip().splitlines())


def base(form: str) -> str:
    """A verb's base form; a past form of a verb of state, and any other word, as it stands."""
    return _table().get(form, form)


def perfect(form: str) -> str:
    """The base form of a participle that follows "have"."""
    return _participles().get(form, base(form))


def is_verb(form: str) -> bool:
    """True if the word is a form of one of these verbs."""
    return form in _table() or form in _PAST_HEADS


def gerund(form: str) -> str:
    """The base form of a word in -ing, if it is one of these verbs; else nothing."""
    found = _table().get(form, "")
    return found if form.endswith("ing") and found != form else ""

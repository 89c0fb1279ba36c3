"""Phrases that go on after a subject and say what it has or does: "live in …", "drive a …".

They stand in the plain form of `wording`. ``N`` and the like are mentions of that kind (`mentions`)
and the value, ``V`` is any few words; ``<FILL>`` is up to three words. Negated, a phrase says that
what it tells is no longer so.
"""

from __future__ import annotations

HOLDING: dict[str, tuple[str, ...]] = {
    "home": (
        r"return to N(?= ,|$| and)",
        r"(?:be )?back live in N",
        (
            r"(?:live|reside|base|settle|settle down|be live|end up|put down roots|be at home"
            r"|make my home|be locate) <FILL>(?:in|near|outside|at) N"
        ),
        (
            r"(?:move|relocate|move house|up sticks) (?:[\w'-]+ ){0,3}?(?:to|in|into) (?:live"
            r" in )?N"
        ),
        r"move to my (?:[\w-]+ )?<PLACE> in N",
        r"move (?:from|out) @N\d+ (?:and )?(?:to|for) N",
        (
            r"(?:have|get|buy|rent|find|own|share|sign|close|move|take) (?:my )?<FILL><PLACE>"
            r" <FILL>in N"
        ),
        (
            r"be in N(?! (?:for|this|until|till|on|with|visiting|today|tonight|at|next|to"
            r"|last))"
        ),
        r"(?:call) N (?:my )?home",
        r"make N (?:my )?home",
        r"be (?:again )?N (?:resident|local|citizen|dweller|based)",
        r"become N (?:resident|local|citizen)",
        r"be (?:back )?(?:resident|citizen|tenant) (?:of |in )?N",
        r"return (?:to live |live )in N",
        r"trade @N\d+ for N(?= life| city)",
    ),
    "employer": (
        r"return to N(?= ,|$| and)",
        (
            r"(?:work|start|begin|employ|hire|freelance|contract|intern|sign on|sign|stay)"
            r" <FILL>(?:at|for|with|by) (?:my )?N"
        ),
        r"join N",
        r"be with C",
        r"be @J\d+ (?:at|for|with) N",
        r"be (?:[\w-]+ )?(?:lead|head|intern|happy|boss) (?:[\w-]+ )?at N",
        r"(?:be|be back|return|go back|start again|be again) (?:to work |work )?at N",
        (
            r"(?:have|get|land|take|accept|start|find|begin) <FILL><JOB> <FILL>(?:at|with"
            r"|for) N"
        ),
        (
            r"(?:have|get|find) (?:my )?(?:new |different |other )?(?:employer|company"
            r"|workplace)(?: ,| call| name)* N"
        ),
        (
            r"(?:switch|move|jump|transfer|defect|go) (?:job |company |team |employer"
            r" )?(?:from @[NC]\d+ )?(?:over )?to work (?:at|for) N"
        ),
        r"go work (?:for|at) N",
        r"be (?:on payroll at|with company) N",
        r"be on N payroll",
        r"be N (?:employee|staffer)",
        r"be employee (?:at|of) N",
        r"take (?:my talents )?to N",
    ),
    "job": (
        r"(?:make|earn) (?:my )?(?:money|bread|keep|live) as J",
        r"(?:be|become|stay|remain)(?: back)?(?: again)?(?: as)? J",
        (
            r"(?:work|train|retrain|employ|hire|qualify|start|begin|requalify|serve|make"
            r" (?:my )?live|earn (?:my )?live|freelance|practise|moonlight) (?:[\w'@-]+"
            r" ){0,4}?as J"
        ),
        r"(?:work|retrain|employ|hire|qualify|start)(?: again)? as V$",
        (
            r"(?:promote|switch|return|move|retrain|change|go|transition) (?:up )?(?:to|as"
            r"|from @J\d+ to) (?:be )?J"
        ),
        r"(?:have|get|land|take|accept|start|find|begin) <FILL><JOB> <FILL>as J",
        r"(?:make|earn) (?:my )?live as V(?= ,|$| in| at| and)",
        r"do J (?:work|for living)",
        r"go back (?:to )?be J",
        r"make J$",
        r"turn J",
    ),
    "partner": (
        (
            r"(?:be|start|get|be back|move in|live|get back|get together|fall in love)(?:"
            r" back)?(?: together)?(?: again)? with N"
        ),
        (
            r"(?:date|start see|see|marry|remarry)(?: someone| somebody| guy| girl| man| woman|"
            r" person)?(?: new)?(?: call| name| ,)* N"
        ),
        (
            r"(?:be|get|have)? ?(?:engage|marry|involve|attach|propose)(?: again)? (?:to"
            r"|with) N"
        ),
        r"be in (?:relationship|love) with N",
        r"(?:get hitch|tie knot) (?:to|with) N",
        r"say yes to N",
        r"go out with N",
        (
            r"(?:meet|find|have) (?:someone|somebody|@K\d+|new @K\d+|guy|girl|man|woman|love"
            r" my life)(?: new| special| great| amazing)?(?: call| name| ,)* N"
        ),
        r"have (?:new )?(?:partner|girlfriend|boyfriend|wife|husband)(?: call| name| ,)* N",
    ),
    "car": (
        (
            r"(?:drive|own|have|get|buy|lease|purchase|pick up|return to|switch to|upgrade to"
            r"|start drive|be on|treat me to|invest in|inherit|go back to|change to|order|be"
            r" in|go for|settle on|use) (?:back )?<FILL>C"
        ),
        r"(?:drive) (?:my )?(?:old |new )?N",
        r"be (?:proud )?owner (?:of )?C",
        r"be back (?:in|to) (?:my )?(?:old )?C",
        r"replace (?:it|car|@[CN]\d+|my \w+) with C",
        (
            r"(?:trade|swap|switch|exchange|change) (?:in )?(?:it|my |old |from"
            r" )*(?:@[CNA]\d+|car|[\w-]+) (?:in )?(?:for|to|with) C"
        ),
    ),
    "phone": (
        (
            r"(?:have|get|buy|use|own|switch|upgrade|order|return to|carry|pick up|move"
            r"|change) <FILL>P"
        ),
        r"(?:replace|swap|trade|switch) @P\d+ (?:for|with|to) P",
    ),
    "favourite food": (
        r"(?:like|love|enjoy|prefer|adore) F (?:best|most|more|above)",
        r"be (?:all about|obsess with|big on) F",
        r"could (?:eat|live on|have) F (?:every|for|all|@W|until|forever)",
        r"return to (?:love|like) F(?: most| best|$)",
        r"be return to F as",
        r"return to F as",
        r"(?:like|love) (?:best|most) (?:be )?F",
        r"have F as my favourite",
        r"(?:switch|change) from @F\d+ to F",
        r"can not (?:get enough|live without|resist) (?:of )?F",
        r"swear by F",
        r"vote for F",
        r"pick F over",
        r"choose F over",
        r"favour F",
    ),
    "hobby": (
        (
            r"(?:start|resume|begin|take on|discover|get back to|return to|fall in love with"
            r"|rediscover|get (?:really )?to|be into|into|get to) (?:do )?(?:my )?(?:old )?H"
        ),
        (
            r"(?:start) (?:do )?(?:some )?(?P<v>[a-z-]+ing(?: [a-z]+ing)?)(?= |$)(?! (?:at|to"
            r"|for|as|in)\b)"
        ),
        (
            r"be (?:really |huge |big )*into (?P<v>[a-z-]+(?: [a-z-]+)?)(?= ,|$| and| at|"
            r" again)"
        ),
        (
            r"(?:do|enjoy|love|like|play|practise|go|pick|pick up|be about|live for) (?:do"
            r" )?(?:bit |lot |some )?H"
        ),
        r"(?:have )?(?:be )?(?:do|play|practise) (?:bit |lot |some )?H",
        r"be (?:keen|avid|passionate|amateur|hobby|big) H",
        r"have (?:new )?hobby(?: ,| be)* (?:V|H)(?: |$)",
        r"spend (?:my )?(?:[\w'-]+ ){0,4}?(?:on |in |with )?(?:do )?H",
        r"pass time (?:with )?H",
        r"unwind (?:by|with) H",
        r"relax (?:by|with) H",
        r"join H (?:club|group|class|course|team)",
        r"go (?:to )?H",
    ),
    "book": (
        (
            r"(?:read|reread|re-read|start read|finish read|return to read|dive to|get stuck"
            r" to|be engross in|be bury in|get through|devour) (?:book |novel |in |new |again"
            r" |on |to |, |call |by )*B"
        ),
        (
            r"(?:start|begin|pick up|be|return|dip|crack open|open|listen to|be listen to)(?:"
            r" on| to| through| deep in| back on| halfway through| back to| middle| again)*"
            r" (?:book |novel |audiobook |read )*B(?=(?: ,)? ?(?:$|again|for my|and|chapter"
            r"|hundred|at|page|as my|this|instead|last|by|about|in my|on my))"
        ),
        r"moveon to B",
        r"(?:switch|change) (?:from @N\d+ )?to read B",
        r"on B",
    ),
    "commute": (
        (
            r"(?P<v>walk|cycle|bike|drive|carpool|run|jog|skate|scoot) (?:in |over )?(?:to"
            r"|into) (?:my )?(?:work|office)"
        ),
    ),
    "name": (
        r"(?:go by|be call|be name) N",
        r"(?:call|name) N(?= ,|$| and)",
        r"prefer (?:to be call )?N$",
        r"go by name (?:of )?N",
    ),
    "pet": (
        (
            r"(?:have|get|adopt|rescue|buy|welcome|take in|bring home|own|foster|pick up|be"
            r" owner)(?: me)? (?:my )?(?:@N\d+ )?(?:[\w'-]+ ){0,4}?(?P<a>@A\d+)(?: from [\w"
            r" -]+?)?(?: with name| who be| and| her| his| its| name| it)*(?: ,| call| name|"
            r" be call| be)* N"
        ),
        (
            r"(?:have|get|adopt|rescue|buy|welcome|take in|bring home) N(?: back)?(?: ,)?(?:"
            r" my| from| be)? ?(?:[\w'-]+ ){0,3}?(?P<a>@A\d+)"
        ),
        r"(?:have|get|take) (?:my )?(?P<a>@A\d+)(?: ,)? N back",
    ),
}
"""By attribute: what follows the subject."""

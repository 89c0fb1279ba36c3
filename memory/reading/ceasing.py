"""Phrases that may stand anywhere in a clause and say that something is over: "sold the …".

They are written as in `holding`. Without a value they end whatever there was.
"""

from __future__ import annotations

CEASING: dict[str, tuple[str, ...]] = {
    "home": (
        r"get (?:no|not) (?:fix|permanent|fixed) (?:place|address|abode|home|base)",
        r"N be behind me",
        (
            r"(?:move out|leave|move away|be out)(?: of| from)?(?: my)?(?: (?!to\b"
            r"|in\b)[\w-]+)?(?: in| from)? N(?! and i\b)"
        ),
        (
            r"(?:drop|leave|sell|lose|quit|give|not have|end) (?:my )?(?:[\w-]+ )?(?:<PLACE>"
            r"|lease)(?: in N)?"
        ),
        r"not live (?:anywhere|in one place|in particular|in fix)",
        (
            r"(?:have|be of|be|with) (?:no|not) (?:have )?(?:fix|permanent|fixed) (?:place"
            r"|address|abode|home|base)"
        ),
        (
            r"be (?:homeless|between (?:place|flat|home|apartment|address)\w*|nomadic|of no"
            r" fixed)"
        ),
    ),
    "employer": (
        r"not be with N",
        (
            r"(?:quit|leave|resign from|retire from|stop at|drop|be done at|get lay off (?:by"
            r"|from)|lay off (?:by|from|at)|fire (?:from|by)|sack (?:from|by)|let go (?:from"
            r"|by)|be out (?:at|of)) (?:my )?(?:job |role )?(?:at |with )?N(?! for @N)"
        ),
        (
            r"(?:lose|quit|leave|drop|end|finish) (?:my )?(?:job|position|role|post|contract"
            r"|gig)(?: (?:at|with) N)?"
        ),
        (
            r"N (?:let (?:me|i) go|lay (?:me|i) off|fire (?:me|i)|sack (?:me|i)|make (?:me|i)"
            r" redundant|show (?:me|i) door|and i break up|close|go bankrupt|go bust|fold"
            r"|shut)"
        ),
        r"(?:lay off|fire|sack|let go|make redundant|redundant)(?: (?:from|by|at) N)?$",
        (
            r"be (?:between job|between jobs|unemployed|jobless|out work|out job|without job"
            r"|redundant|retire)"
        ),
        r"(?:^|i )(?:quit|resign|retire)(?: my job)?(?: ,|$| and)",
        r"not work anywhere",
        r"not have (?:my )?(?:job|employer)(?: at N)?",
        (
            r"(?:my )?(?:contract|job|time) (?:at|with) N (?:be over|end|run out|be up|come"
            r" to|finish)"
        ),
    ),
    "job": (
        r"(?:quit|drop|leave|stop|retire from|retire) (?:be |as |work as |my job as )?J",
        r"my (?:day|time|career) as J (?:be over|end|be behind|be do|come to|be finish)",
        r"retire as J",
        (
            r"(?:leave|quit|lose|drop|resign from|give) (?:my )?(?:job|position|role|post"
            r"|work|career) as J"
        ),
    ),
    "partner": (
        (
            r"N and i (?:have |be |just |decide )*(?:break|split|separate|divorce|over|do|not"
            r" together|call it|go our|finish|history|end|no longer)"
        ),
        r"break (?:up|it off)(?: with)? N",
        r"(?:dump|divorce|leave|separate from|split with) N",
        (
            r"(?:me|i) and N (?:have |be |just |decide )*(?:break|split|separate|divorce|over"
            r"|do|not together|call it)"
        ),
        r"between (?:me|us|i) and N",
        r"(?:^|i )(?:divorce|separate)(?= ,|$| last| in| now)",
        r"N (?:dump|leave|break up with|divorce) (?:me|i)",
        r"(?:my )?(?:relationship|marriage|thing) (?:with|to) N (?:be over|end|not work)",
        r"be (?:again )?(?:single|divorce|unattached|not (?:see|date) anyone)",
        r"(?:i |^)(?:break up|split|separate)(?: ,|$| with (?:him|her|them))",
        r"not (?:see|date) (?:anyone|anybody)",
        r"not (?:be )?(?:in relationship|have (?:partner|girlfriend|boyfriend|anyone))",
        r"thing (?:be )?over with N",
        r"end (?:it|thing) with N",
        r"N be (?:my ex|out my life)",
    ),
    "car": (
        r"not (?:have|own|drive) (?:my )?(?:old )?N",
        r"C (?:sell|steal|scrap|trade)(?= ,|$)",
        r"(?:sell|trade|scrap|total|crash|wreck) (?:my )?(?:old )?N(?! for| back)",
        (
            r"(?:sell|scrap|total|wreck|crash|drop|give|trade|lose|ditch|return|donate)"
            r" (?:away |up )?(?:my )?(?:(?!to\b)[\w-]+ )?(?:C|car\b|car$)(?! (?:for|back"
            r"|again))"
        ),
        (
            r"(?:not (?:have|own|drive)|live without|go without|be without) (?:my )?(?:own"
            r" )?(?:car|C|vehicle|wheels)"
        ),
        r"go car-free|be car-free|car-free\b|be carless|without car",
        (
            r"(?:my )?C (?:(?:be|was|got|get|have) (?:be )?(?:stolen|sold|towed|scrap\w*"
            r"|total\w*|write|written|sell|go\b)|be go\b|go(?= ,|$)|die|get (?:steal|scrap"
            r"|total)|be (?:steal|scrap|total|write off)|break down|give up|go (?:to|back to)"
            r" (?:dealer|scrap)|give its last)"
        ),
    ),
    "diet": (
        r"eat (?:everything|anything|whatever|meat again|normal\w*)",
        r"not (?:follow |be on |have |do )+(?:any |special |particular |one )*diet",
        r"(?:quit|drop|stop|end|finish|be off) (?:my )?(?:diet|diet[a-z]*)$",
        r"no (?:more )?(?:special )?diet",
        r"off (?:my )?diet$",
    ),
    "wake-up time": (
        (
            r"(?:stop|drop|quit|not|ditch|delete)(?: even)? (?:use |set |have |need )*(?:my"
            r" )?alarm(?!.*@T)"
        ),
        r"no alarm",
        r"wake up when(?:ever)? i",
        r"(?:get|wake) up whenever",
        r"sleep in (?:until )?whenever",
    ),
    "gym days": (
        r"break from (?:my )?(?:gym|workout|training)",
        (
            r"(?:quit|stop|drop|cancel|end|leave|not|pause|not renew)(?: go| have| do)*(?:"
            r" to)?(?: my)? (?:gym|workout|training|train|exercise)(?: membership)?(?!.*@W)"
        ),
        r"(?:cancel|end|drop|quit|freeze|let) (?:my )?(?:gym )?membership",
        r"gym (?:membership )?(?:be|have) (?:cancel|history|over|lapse)\w*|done with gym",
        r"not (?:work out|go to gym|train|exercise)(?!.*@W)",
    ),
    "commute": (
        r"not (?:have )?(?:my )?commute(?! by)(?!.*@M)",
        r"work (?:fully |entirely |100 )?(?:from home|remotely|remote)",
        r"be (?:fully )?remote",
        r"no (?:more )?commute",
        r"quit commute|drop commute",
    ),
    "favourite food": (
        r"F be not (?:my )?favourite",
        r"F not (?:be )?(?:my )?favourite",
        r"not (?:even |really )?(?:like|love|enjoy|care for|eat|crave|want|stand) F",
        r"drop F",
        r"(?:not have|have no) (?:really )?(?:favourite )(?:food|dish|meal|one|anymore|$)",
        r"(?:bore with|bore of|tire of|over) F",
        r"F (?:get bore|lose its|be not what|not do it)\w*",
        r"can not (?:stand|face|look at|eat) F",
    ),
    "book": (
        (
            r"(?:finish|drop|quit|abandon|put down|be do with|leave|be finish with|get"
            r" through|complete|not finish)(?: read)? (?:book )?B"
        ),
        r"put B (?:down|aside|away|back)",
        r"not (?:be )?(?:read)(?: book)? (?:anything|any|book|right)",
        r"between book\w*",
        r"not (?:have )?start(?:ed)? new (?:one|book)",
        r"not have (?:anything|book) (?:on go|to read)",
    ),
    "pet": (
        (
            r"N (?:have )?(?:pass away|die|ran away|pass|cross rainbow|run away|go missing|be"
            r" go|be put|go to (?:live|stay)|live with|be no more|disappear)"
        ),
        (
            r"(?:give|rehome|lose|put) (?:my )?(?:old |little |dear |sweet"
            r" )*(?:(?P<a>@A\d+)(?: ,)? )?N(?: away| up| down| to sleep| to|$| ,| last| to|"
            r" because)"
        ),
        r"not have (?:my )?(?:(?P<a>@A\d+)|pet)(?:(?: call| name| ,)* N)?",
        (
            r"my (?P<a>@A\d+)(?: ,)? (?:N (?:, )?)?(?:have )?(?:pass|die|run away|be go|cross"
            r"|go to live)"
        ),
        r"say goodbye (?:to )?(?:my )?(?:(?P<a>@A\d+)(?: ,)? )?N",
        r"find new home for N",
        r"rehome N",
        r"lose (?:my )?(?:(?P<a>@A\d+))",
        r"N (?:find|have|get) new (?:home|owner|family)",
    ),
    "phone": (r"(?:lose|sell|break|drop|not have|not use) (?:my )?(?:P|phone)",),
    "allergy": (
        r"V allergy (?:was|be) (?:misdiagnosis|mistake|wrong|false|never)\w*",
        r"(?:be )?not (?:be )?V (?:that |which )?i be allergic",
        (
            r"allergy to V (?:have |be )*(?:go|clear|disappear|vanish|over|history|resolve"
            r"|cure|no more)\w*"
        ),
        (
            r"(?:my )?V allergy (?:have |be )*(?:go|clear|disappear|vanish|over|history"
            r"|resolve|cure)\w*"
        ),
        r"outgrow (?:my )?V(?: allergy|$)",
        r"grow out (?:of )?(?:my )?V(?: allergy|$)",
        r"be (?:fine|ok|good) with V",
        r"(?:can|could) (?:eat|have|touch|be around) V again",
        r"not (?:even )?(?:be |have )*(?:allergic|allergy) to V",
        r"(?:wrong|mistake) (?:about|with) V",
        r"not (?:react|respond) to V",
        r"tolerate V",
    ),
    "hobby": (
        (
            r"(?:drop|quit|stop|leave|ditch|abandon|give|cancel)(?: do| my| play| go| with|"
            r" all)* H"
        ),
        (
            r"not (?:do|play|go|practise|have time for|enjoy|be into|into|start|bother with"
            r"|pick)(?: do| go| much| my| to)* H"
        ),
        r"not (?:do|be into) (?P<v>[a-z-]+ing)(?: |$)",
        r"(?:quit|stop|drop) (?:do )?(?P<v>[a-z-]+ing)(?: ,|$)",
        r"no time for H",
        r"be (?:do|over|through) (?:with )?H",
        r"nomore H",
        r"H (?:be )?(?:not for me|be over|be history|take back ?seat|be (?:not )?my thing)",
    ),
}
"""By attribute: anywhere in a clause."""

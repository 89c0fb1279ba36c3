"""Phrases that may stand anywhere in a clause and say what is so: "my car is …", "… is my home".

They are written as in `holding`. A phrase of `PRESUPPOSED` also counts in a clause that states
nothing, since it is taken for granted there: "my dog Rex might like it".
"""

from __future__ import annotations

NAMING: dict[str, tuple[str, ...]] = {
    "home": (
        (
            r"(?:my|where i live|home) (?:[\w-]+ ){0,2}?(?:<PLACE>|city|town|home ?town|home"
            r" base|address|place)?(?: 's| be){1,2} (?:now )?(?:in |over in |back in |at"
            r" )?N(?! who)"
        ),
        r"my (?:[\w-]+ ){0,2}?<PLACE> (?:in|near) N",
        (
            r"N be (?:again )?(?:my |where i call |where my )?(?:new )?(?:home|where i"
            r" (?:live|be live|be base))"
        ),
        r"home (?:be )?(?:in )?N",
        r"in N , (?:where|that be where) i live",
        r"here in N",
        r"N where i live",
        r"live here in N",
    ),
    "employer": (
        r"N (?:hire|employ|take|took) (?:me|i)",
        (
            r"my (?:new |current )*(?:employer|company|workplace|firm|job)(?: be)? (?:at "
            r"|with |call )?N"
        ),
        r"N be (?:again )?(?:my (?:new )?(?:employer|workplace)|where i work)",
        r"N (?:, )?where i work",
        r"N (?:hire|employ|take) (?:me|i)(?: back| on)?",
        r"my (?:new )?job (?:at|with) N",
        r"my N job",
        r"my (?:[\w-]+ )?colleague at N",
        r"N (?:be )?my (?:new )?(?:employer|workplace)",
    ),
    "job": (
        (
            r"my (?:new |current |day )*(?:job|job title|title|role|profession|occupation"
            r"|trade|career|line work|position|work)(?: be)?(?: as)? (?:be )?J"
        ),
        r"(?:promote|make|hire) me (?:to |up to |as |back as )?J",
        r"J by (?:trade|profession|day|training)",
        r"J be (?:my )?(?:new )?(?:job|profession|trade|title)",
        r"my (?:work|job|shift|day) as J",
    ),
    "partner": (
        r"love (?:of )?my life (?:be )*(?:call |name )?N",
        r"(?P<k>@K\d+)(?: 's)?(?: name)?(?: be| call| ,| name)+ N",
        r"N be (?:my )?(?P<k>@K\d+)",
        (
            r"me and N (?:be |get |have )*(?:together|marry|engage|date|official|couple|back"
            r" together)"
        ),
        (
            r"N and i (?:not |be |get |have |just )*(?:together|marry|engage|date|official"
            r"|couple|item|hitch|get (?:together|marry|engage|back)|back|move in|see each"
            r"|live together|go out|celebrate|go steady)"
        ),
        r"N (?:, )(?P<k>@K\d+)",
        r"(?:it be )?official with N",
    ),
    "car": (
        r"behind wheel (?:of )?(?:my )?(?:old )?C",
        r"(?:proud |new |happy )*owner (?:of )?C",
        (
            r"my (?:new |old |current )*(?:car|ride|vehicle|wheels|motor|daily driver"
            r"|daily)(?: be| ,)* (?:my )?C"
        ),
        r"my (?:new )?C(?! (?:club|t-shirt|poster))",
        r"my (?:new )?car be N",
        r"C be (?:my )?(?:new )?(?:car|ride|vehicle|wheels)",
        r"C (?:in|on) my (?:driveway|garage|drive)",
        r"car (?:be )?(?:, )?C",
    ),
    "phone": (
        r"my (?:new |old )*(?:phone|mobile|cell)?(?: be| ,)* ?P",
        r"P be (?:my )?(?:new )?phone",
    ),
    "diet": (r"my (?:new )?D (?:diet|lifestyle|eating)",),
    "language": (
        r"my L (?:lesson|class|course|tutor|teacher|study|exam|homework|practice|practise)",
        r"language i (?:be )?(?:learn|study) be L",
        r"L (?:be )?language i (?:be )?(?:learn|study)",
    ),
    "allergy": (
        (
            r"(?:can not|not) (?:have|eat|be near|touch) (?:anything )?(?:with )?V ,?"
            r" ?(?:because )?(?:i )?be allergic to (?:it|them|that)"
        ),
        r"(?:it|that) be V (?:that |which )?i be allergic",
        r"my allergy (?:be |to |again |against )*V(?: be back| be bad|$| ,)",
        r"(?:my|have) (?:[\w-]+ )?V allergy(?! (?:be go|go away|clear|disappear))",
        r"V allergy (?:have )?(?:come|be) back",
        (
            r"allergic to V(?= ,|$| and i| so| but| any| again| in | at | after| because|"
            r" since| now| from)"
        ),
        r"allergic to (?P<v>@[A-Z]\d+)",
        (
            r"(?:can not|not) (?:have|eat|be near|touch|go near|tolerate) (?:anything"
            r" )?(?:with |that contain |contain )?V(?: near me)? ,? ?(?:because )?(?:i )?be"
            r" allergic"
        ),
        (
            r"(?:develop|have|get|discover|diagnose with) (?:[\w-]+ )?(?:allergy|reaction) to"
            r" V"
        ),
        (
            r"V (?:make me|trigger|cause|give me) (?:swell|hive|my allergy|come out|break out"
            r"|anaphyla)\w*"
        ),
        r"(?:develop|have|get|diagnose with) (?:severe |bad |mild |strong )?V allergy",
        r"anaphylaxis (?:from|to) V",
        r"allergic reaction to V",
    ),
    "hobby": (
        r"my (?:love|passion) (?:for|of) H",
        r"H be what i (?:do|enjoy|love)",
        (
            r"my (?:new |main |favourite |latest |big )*(?:hobby|pastime|passion|thing|free"
            r" time|obsession)(?: be| ,)* (?:[\w-]+ ){0,2}?H"
        ),
        r"my (?:new |main |latest )*(?:hobby|pastime|passion) be V(?: |$)",
        (
            r"H be (?:one my |my )(?:new |main |latest |other )*(?:hobby|pastime|passion"
            r"|thing|obsession)"
        ),
        (
            r"in my (?:free|spare|down) time (?:, )?(?:i )?(?:do|enjoy|like|go|play|be|love)?"
            r" ?(?:do )?H"
        ),
        r"in my (?:free|spare) time (?:, )?i (?:do|like|enjoy|love|go) V(?: |$)",
        (
            r"my H (?:session|class|club|group|practice|practise|lesson|course|gear|team"
            r"|hobby|kit|trip|league|training)\b"
        ),
        r"be all H",
        r"for fun (?:, )?(?:i )?(?:do|go|play|like|enjoy)? ?H",
        r"H on weekends?",
        r"(?:at|on) weekends? i (?:do|go|play|like|enjoy|spend) ?H",
    ),
    "book": (
        r"deep (?:in|into) B",
        r"B be my (?:[\w-]+ )?(?:reading|read|book|novel)",
        (
            r"my (?:new |current |bedtime )*(?:book|read|novel|reading|book club pick)(?: be|"
            r" ,)* B"
        ),
        (
            r"book (?:on my nightstand|by my bed|i be (?:read|on)|i read|i have go|on go|in"
            r" my bag)(?: be| ,)* B"
        ),
        r"B (?:, )?(?:be )?(?:my )?book i be read",
        r"B be (?:my )?(?:current |new )?(?:book|read|what i be read|what i read)",
        r"halfway through B",
        r"(?:chapter|page) \w+ (?:of )?B",
        r"deep in B",
        r"book be call B",
        r"B be on my (?:nightstand|bedside)",
        r"reading B",
        r"B , book i (?:be )?read",
    ),
    "name": (
        r"my (?:first |full )?name be N",
        r"call me N",
    ),
    "pet": (
        r"(?P<a>@A\d+) .*\b(?:call|name) (?:it|her|him|them) N",
        r"N be [\w' -]*?,? (?P<a>@A\d+)(?= ,|$)",
        r"N not be my (?P<a>@A\d+)",
        (
            r"my (?:new |old |little |other |rescue |[\w-]+ )*(?P<a>@A\d+)(?: 's name)?(?: be"
            r"| be call| call| ,| name)* N"
        ),
        r"(?P<a>@A\d+)(?: 's)? name(?: be| 's)* N",
        r"N (?:, )?(?:be )?(?:my|me) (?:[\w-]+ )?(?P<a>@A\d+)",
        r"(?P<a>@A\d+)(?: call| name| ,)+ N (?:join|move in|come|live with|be part)",
        r"N , (?P<a>@A\d+)",
        r"N be (?:my )?(?:new )?(?P<a>@A\d+) name",
        (
            r"new (?P<a>@A\d+)(?: in (?:house|home|family))?(?: ,| and| call| name| be| his|"
            r" her| its|'s)+ N"
        ),
        r"(?:have|get|adopt) (?:my )?N back",
    ),
}
"""By attribute: anywhere in a clause."""

PRESUPPOSED: dict[str, tuple[str, ...]] = {
    "partner": (r"(?P<k>@K\d+)",),
    "favourite food": (
        r"nothing (?:beat|beats|top|tops) (?:good |my |proper )?F",
        r"eat (?:only |just )?one (?:thing|dish|meal|food)\b.* be F",
        (
            r"could (?:happily |easily |honestly )?(?:eat|live on|have) F (?:every|all|for|@W"
            r"|until|forever|daily|any|\w+ times)"
        ),
        r"nothing (?:beat|beats|top|tops|better than|come close to|compare to|like) F",
        r"can not beat F",
        r"(?:like|love) F more than (?:anything|any)",
        r"F (?:over|above|before) (?:anything|everything)",
        r"my (?:last|final|desert island|death row) (?:meal|dish) (?:would )?be F",
        r"my go-to(?: dish| meal| food| order)? be F",
        r"F be (?:best|king|unbeatable|hard to beat|my number one|number one|heaven)",
        r"(?:dish|food|meal) i (?:like|love) (?:best|most) be F",
        r"(?:kill|die) for F",
        r"F for (?:win|president)",
    ),
    "pet": (r"my (?:new )?(?P<a>@A\d+)(?: call| name| ,)* N",),
    "car": (r"my (?:new )?C",),
    "language": (r"my L (?:lesson|class|course|tutor|teacher|study|exam|homework)",),
    "diet": (r"my D (?:diet|lifestyle)",),
    "allergy": (r"my V allergy",),
    "hobby": (r"my H (?:session|class|club|group|practice|lesson|course|gear|team|hobby)",),
}
"""By attribute: what a clause takes for granted, even one that states nothing."""

"""What people put around a question, and what they say in another order, as the grammar reads it.

Each rule is a construct of the language and holds for whatever stands in it: "the hours that lost
money" beside "which hours lost money". None of them drops a word that says which rows are meant.
"""

import re

_UNIT = r"ms|msecs?|milliseconds?|seconds?|minutes?|points?|bps?|basis points?|dollars?|pips?"
_NOUNS = (
    r"hours?|days?|weekdays?|weeks?|months?|symbols?|instruments?|pairs?|markets?|strateg(?:y|ies)"
    r"|brokers?|rules?|reasons?|stages?|controls?|models?|feeds?|process(?:es)?|scenarios?|features?"
    r"|tables?|checks?|venues?|products?|assets?|suites?"
)
_RELATIVE = r"(?:in |on |at |by |for |during |of )?(?:which|whose|that|where|when|with)|we|i"
_TOLD = r"list|name|show|tell|give|identify|find|get|state|report|provide"
_POLITE = r"(?:please |kindly |can you |could you |would you |now |then )*"
_ITS_END = r"(?=,? *(?:please|pls|thanks|thank you)?[ .?!]*$)"


def _quarter(said: re.Match[str]) -> str:
    """ "The third quarter" is that of a year."""
    return f"q{('first', 'second', 'third', 'fourth').index(said[1]) + 1}"


#: What was said, and how it is read; in this order.
_RULES = tuple(
    (re.compile(said), read)
    for said, read in (
        (r"^(?:good )?(?:morning|afternoon|evening)(?: all| everyone| everybody| team)?[!,] *", ""),
        (r"\b([a-z]+)'ve\b", r"\1 have"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"\b(buy|sell|long|short)s?/(buy|sell|long|short)s?\b", r"\1 or \2"),
        (r"\bbid/ask\b", "bid and ask"),
        (rf"^({_POLITE})(?:state|report|specify|indicate) (?=the|our|my|how|what|which|[a-z]+'s)",
         r"\1tell "),
        (rf"^({_POLITE})(?:provide|compute|calculate|determine|supply|present)(?: me| us)?(?: with)?[, ]+",
         r"\1tell "),
        (r"(?:^|(?<=and )|(?<=, )|(?<=[.;:] ))(?:say|state|specify|indicate) (?=which|what|how|when|for each|whether)", "tell "),
        (r",? too" + _ITS_END, " "),
        (r"\b(?:excessively|overly) ", "too "),
        (r"\balong with\b", "with"),
        (r"\b(?:expressed|stated|quoted|given|measured) in\b", "in"),
        (r"\bin (cash|money|dollar|percentage) terms\b", r"in \1"),
        (r"\b(at )?(?:the |an? )?(\d+(?:\.\d+)? ?(?:%|percent|per cent)) (?:confidence )?level\b", r"\1\2"),
        (r"\bstill (?=(?:waiting|running|working|pending|unresolved|in force|in effect|active|outstanding"
         r"|valid|undecided|unassigned|hold|holding|held)\b)", ""),
        (r"\bi should like\b", "i would like"),
        (r"\bi (?:have|need) to present (?:it|this|that|them)(?: on \w+day| today)?\b", " "),
        (rf"\bnumber of ({_UNIT})\b", r"in \1"),
        # which of several
        (r"\bwhich (?:one )?of (today|yesterday|this week|last week|this month|\w+day)'s (\w+)",
         r"which single \2 \1"),
        (r"^(.+), which ([a-z]+)(?: (?:one )?(?:is|was|were|are) (?:it|that|they))?" + _ITS_END,
         r"which \2 \1"),
        (rf"^({_POLITE})(?:{_TOLD})(?: me| us)?(?: all)?(?: of)? (?:the|our|my|those|all|any)"
         rf" ({_NOUNS}) (?={_RELATIVE}\b)", r"\1which \2 "),
        (rf"^(.*?, )?({_POLITE})list (?:every|each) ({_NOUNS}) (?={_RELATIVE}\b)", r"\1\2which \3 "),
        # each of a stretch of time
        (r"\b(?:(?:for|in|on|over|during) )?(?:each|every one) of the (last|past|previous)"
         r" (\w+) (hour|day|week|month)s\b", r"by \3 over the \1 \2 \3s"),
        (r",?(?: and)?,? if there (?:is|are|was|were) (?:any|one)\b", " "),
        (rf"^({_POLITE}(?:(?:{_TOLD}) (?:me )?)?(?:the |our |my )?[a-z]+(?: [a-z]+)?), ([a-z]+(?: [a-z]+)?),? and (?=[a-z])",
         r"\1 and \2 and "),
        # times
        (r"\bfrom (?=(?:today|yesterday|(?:the )?(?:last|past|previous) (?:\w+ )?(?:minute|hour|day|week|month|quarter|year)s?)\b"
         r"(?!'s)(?! (?:on|onwards?|to|until|till|through|up to)\b)(?! \d))", "of "),
        (r"\b(?:the )?(?:exact )?(?:time|moment|date|timestamp) of"
         r" (?=(?:the |our |my |[a-z' ]{1,20}'s )?(?:very )?(?:latest|last|most recent|newest|first|earliest)\b)",
         "when was "),
        (r"\b(?:counting|counted|starting|beginning|reckoned) from\b", "since"),
        (r"\b(?:from|since) (?:the )?very (?:beginning|start|first day)\b", "ever"),
        (r"\bsince (?:the|this) (quarter) (?:began|started)\b", r"since this \1"),
        (r"\b(?:since|from) (?:the )?(?:start|beginning) of (?:the|this) quarter\b", "since this quarter"),
        (r"\bquarter to date\b", "this quarter"),
        (r"\bby (\d{1,2}:\d\d|\d{1,2} ?[ap]m|noon)(?= today| yesterday| utc|[ ,.?!]*$)", r"before \1"),
        (r"\b(since|after|before|until) (\d{1,2}) (?:this|in the) morning\b", r"\1 \2:00"),
        (r"\bfrom (\d{1,2}(?::\d\d)?(?: ?[ap]m)?|noon|midnight) (yesterday|on \w+day)"
         r" (?:on(?:wards?)? )?(?:until|till|to|up to) now\b", r"since \1 \2"),
        (r"\b(?:start|starting|begin|beginning) time of (?:the |our )?(latest|last|newest|first) (\w+)\b",
         r"when did the \1 \2 begin"),
        (r"\b(?:up )?to this (?:very )?(?:moment|minute|point|day)\b|\bup to (?:the )?present\b", "so far"),
        (r"\bat this (?:very )?(?:point|stage|time|moment|instant)(?: in time)?\b|\bas (?:things|matters) stand\b"
         r"|\bas we speak\b|\bpresently\b|\bat present\b", "right now"),
        (r"\b(our|my|the|us|is|are) present (?!value)", r"\1 current "),
        (r",? (?:according to|per|as of|going by) the (?:latest|most recent|newest|last)"
         r" (?:reading|measurement|update|snapshot)\b", " right now"),
        (r"\bfor the (?:time|period) (?=from|since|between|until)", ""),
        (r"\bthe (first|second|third|fourth) quarter\b(?! of an| hour)", _quarter),
        (r"\b(week|fortnight|month) \((?:the )?(?:last |past )?\d+ days\)", r"\1"),
        (r"\b(?:latest|last|newest|most recent) (?:broker(?:'s)? statement|statement (?:from|of|by) (?:the|our) broker)\b",
         "broker last statement"),
        # bounds
        (r"\b(\d[\d.]*|two|three|four|five|six|ten)( ?%| bp| points?| ms| seconds?| minutes?| hours?| lots?| dollars?)?"
         r" or (?:more|over|above|higher|greater|better|larger|bigger|longer|slower)\b", r"at least \1\2"),
        (r"\b(\d[\d.]*|two|three|four|five|six|ten)( ?%| bp| points?| ms| seconds?| minutes?| hours?| lots?| dollars?)?"
         r" or (?:fewer|less|under|below|lower|smaller|shorter|faster)\b", r"at most \1\2"),
        (r"\b(?:above|over|greater than|more than|bigger than) (?:zero|nil|nought)\b", "over 0"),
        (r"\b(?:below|under|less than) (?:zero|nil|nought)\b", "under 0"),
        (r"(?<=slippage) (?:going )?against us\b|(?<=\bbp) against us\b|(?<=points) against us\b", ""),
        (r"\bwhat (?:percentage|percent|share|fraction|proportion) of (?:the )?time\b", "how often"),
        # who did it, and what of it
        (r"\b(rule|limit|control)(s?) (?:that |which )?(?:have |has )?"
         r"(?:turned down|stopped|blocked|refused|held back|threw out|caught|turned away)\b", r"\1\2 denied"),
        (r"\bwho(?:'s| is) (?:the |our )?(?:current |present |reigning )?(champion|challenger)\b",
         r"which model is the \1"),
        (r"\bhow (?:did|do) (the |our |my )?(.{3,30}?) (?:end up|finish)\b", r"how did \1\2 end"),
        (r"\bwhen (?:our |my |an? )?orders? (?:are|is|get|gets|were) (denied|rejected)\b", r"of \1 orders"),
        (r"\b(?:with|and|plus) (?:the |their |its |all )?reasons?(?: (?:for (?:it|that|each)|why|given|behind (?:it|them|each)))?"
         + _ITS_END, "and why"),
        (r",? (?:restricted|limited|confined|narrowed down) to (?:just |only )?(?:the )?", " for "),
        (r",? as an? (?:rate|number|figure|count|total)" + _ITS_END, " "),
        (r"\b(?:remaining|leftover) (headroom)\b|\b(headroom) (?:remaining|left over)\b", "headroom"),
        (r"\b(did|does|do) ((?:[\w'-]+ ){0,6}?(?:gap|halt|outage|session|drawdown|silence|query) )last\b", r"\1 \2 take"),
        (r"\bat (?:what|which) price (?:did|does|has) (.{2,20}?) (?:closed?|end(?:ed)?|finish(?:ed)?)\b",
         r"closing price of \1"),
        (r"\bwhere (?:is|are) (.{2,20}?) (?:being )?quoted\b", r"bid and ask of \1"),
        (rf"^({_POLITE})(?:put|set|place|line up) (?:the |our |my )?(.+?)"
         r" (?:side by side|next to each other|against each other|beside each other)\b", r"\1compare \2"),
        (r"\bfrom (?:the )?(most|least) (\w+)(?: \w+)? (?:downwards?|on down|down|upwards?|on up)\b", r"\1 \2 first"),
        (r"\b(?:still )?waiting (?:for|to be) (?:someone|somebody|anyone|an analyst)? ?(?:to )?"
         r"(?:pick(?:ed)?|take|taken|claim(?:ed)?) ?(?:them|it)?(?: up| on)?\b", "nobody has taken"),
        (r"\b(?:break|split|group|divide|separate|cut)(?: it| this| that| them| those| these| the \w+)?"
         r" (?:out |down |up )?(by|per) ", r"\1 "),
        (r"\bup to (today|now|yesterday)\b", r"until \1"),
        (rf"^({_POLITE})count (by|per) ([a-z]+) of (.+?)[ .?!]*$", r"\1how many \4 \2 \3"),
        (r",? or (?:is|was) it the other way (?:round|around)" + _ITS_END, " "),
        (r"\b(?:the )?size of (?:our |my |the )?(?=(?:gross |net |total |current )?(?:exposure|drawdown|margin|headroom)\b)", ""),
        (r"\bscores? (best|worst|highest|lowest) (?:on|in|by)\b", r"has the \1"),
        (r"\bwhat (?:do|does) (.{2,60}?) stands? at\b", r"what is \1"),
        (r"\b(bars|candles|ticks|quotes|rows) (?:that )?we (?:hold|keep|store|have)(?: stored)?\b", r"\1"),
        (r"^out of (?:all )?(?:of )?(?:the |our |my )?(?!order|sequence)", "of "),
        (r"\bunder (?=each|every)", "for "),
        (r"^before (.{5,50}?), how much (can|may|could) (we|i) (?:still )?lose\b", r"how much \2 \3 still lose before \1"),
        (r"\b(?:(?:across|for|in|on|of) )?(?:all|every|any)(?: the| other)? (?:instruments?|symbols?|pairs?|markets?)"
         r" (?:other than|except(?: for)?|but|apart from|aside from|besides|excluding|save(?: for)?)\b", "except"),
        (r"\b(?:denied|blocked|refused|stopped|turned away|held back|caught) by (?:our|the|my|its)"
         r" (?:own )?(?:risk )?(?:rules|checks|limits)\b", "denied"),
        # what would have been
        (r"^had (?:all )?(?:of )?(?:the |our |my )?((?:\w+'s )?denied orders|orders denied(?: today| yesterday)?)"
         r" (?:been (?:let through|allowed|sent|placed|filled|accepted)|gone (?:through|out)),?", r"of \1"),
        (r",? if (?:they|it) had (?:been (?:let through|allowed(?: through)?|sent|placed|filled|accepted)|gone (?:through|out))\b",
         " would"),
        (r"\bhypothetical (?:p&l|pnl|profit|result) (?:of|on) (?:the |our )?(orders denied|denied orders)\b",
         r"what would the \1 have made"),
        (r"^(.+?)[,:;] (?:please )?list (?:them|those|these)(?: all| out)?" + _ITS_END, r"list \1"),
        (r"\b(\d+)-(second|minute|hour|day|week)\b", r"\1 \2"),
        # asides that say no more
        (r"\b(?:in )?(?:that|this) way" + _ITS_END, " "),
        (r"\bvery (first|last|latest|newest)\b", r"\1"),
        (r"\b(did|do|have|has) (we|you|i|they|it) (?:record|recorded|store|stored|log|logged) ", r"\1 \2 get "),
        (r"\b(high|low|maximum|minimum|peak)(?: was| were)? (?:set|made|hit|reached)" + _ITS_END, r"\1"),
        (r"\blow(?:est)? points?(?= (?:of|in) (?:my |our |the )?(?:equity|balance|account))", "minimum"),
        (r"\bhigh(?:est)? points?(?= (?:of|in) (?:my |our |the )?(?:equity|balance|account))", "maximum"),
        (r"\b(?:that |which |who )?(?:have|has|are|is|were|was)(?: not|n't) (?:yet )?(?:been )?"
         r"(?:closed|resolved|decided|settled)(?: yet)?\b", "open"),
        (r"\bnot (?:yet )?(?:been )?(?:closed|resolved|decided|settled)(?: yet)?\b", "open"),
        (r"\b(?:for|on) (?:the )?account of (?=an? |the |too )", "because of "),
        (r"\bwhat (?:became|has become|becomes) of (?:each(?: one| of them)?|them|it)\b", "their status"),
        (r"\bas an? (?:percentage|percent|share|fraction|proportion) of (?:all )?(?:of )?(?:the |our |my )?",
         "share of "),
        (r"\bhow (?:did|do|have|has) ([\w' ]{0,30}?orders?) (?:end(?:ed)?|finish(?:ed)?|turn(?:ed)? out)(?: up)?\b",
         r"\1 by outcome"),
        # who stops an order turns it away; a stop is another thing
        (r"\b((?:did|does|do) (?:each|it|they|each of them|each one|every one|that|this)) (?:stop|block)\b",
         r"\1 deny"),
    )
)  # fmt: skip


#: "Breaks in yesterday's report" are those of the report, yesterday; of a part of a day it says which.
_WHOSE = re.compile(
    r"(?:(?<= of)|(?<= in)|(?<= on)|(?<= by)|(?<= for)|(?<= from)) (today|yesterday|(?:this|last) (?:week|month|quarter|year)|(?:last )?\w+day)'s"
    r" (?!session|trading|high|low|open|close|first|last|morning|afternoon|evening|night|best|worst)"
)


def unframed(plain: str) -> str:
    """A question in lower case without its frame, its parts in the order that is read."""
    for said, read in _RULES:
        plain = said.sub(read, plain)
    whose = _WHOSE.findall(plain)
    if len(whose) == 1 and plain.count("'s ") == 1:
        plain = f"{_WHOSE.sub(' ', plain).rstrip(' .?!')} {whose[0]}"
    return plain

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

#: What was said, and how it is read; in this order.
_RULES = tuple(
    (re.compile(said), read)
    for said, read in (
        (r"^(?:good )?(?:morning|afternoon|evening)(?: all| everyone| everybody| team)?[!,] *", ""),
        (r"\b([a-z]+)'ve\b", r"\1 have"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"\b(buy|sell|long|short)s?/(buy|sell|long|short)s?\b", r"\1 or \2"),
        (r"\bbid/ask\b", "bid and ask"),
        (rf"^({_POLITE})(?:state|report|specify|indicate) (?=the|our|my|how|what|which)", r"\1tell "),
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
        # times
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
        # asides that say no more
        (r"\b(?:in )?(?:that|this) way" + _ITS_END, " "),
        (r"\bvery (first|last|latest|newest)\b", r"\1"),
        (r"\b(did|do|have|has) (we|you|i|they|it) (?:record|recorded|store|stored|log|logged) ", r"\1 \2 get "),
        (r"\b(high|low|maximum|minimum|peak)(?: was| were)? (?:set|made|hit|reached)" + _ITS_END, r"\1"),
        (r"\blow(?:est)? points?(?= (?:of|in) (?:my |our |the )?(?:equity|balance|account))", "minimum"),
        (r"\bhigh(?:est)? points?(?= (?:of|in) (?:my |our |the )?(?:equity|balance|account))", "maximum"),
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


def unframed(plain: str) -> str:
    """A question in lower case without its frame, its parts in the order that is read."""
    for said, read in _RULES:
        plain = said.sub(read, plain)
    return plain

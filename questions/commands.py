"""What is asked to be done rather than told: "close my gold position", "sign the limits".

Nothing here does anything, so such a sentence has no answer, though all of its words are known.
"""

import re

_POLITE = (
    r"(?:please |pls |kindly |just |now |go ahead and |(?:can|could|would|will) you (?:please )?)*"
)
_DEEDS = (
    "approve|buy|cancel|change|close|delete|disable|enable|execute|flatten|halt|lower|move|open"
    "|place|promote|raise|reduce|release|remove|reset|restart|retrain|sell|send|set|sign|start"
    "|stop|submit|switch|turn|withdraw"
)
#: What follows a deed and no noun: "close all my gold", but "open positions" and "stop orders".
_TO = (
    "a|all|an|down|everything|half|it|its|me|my|off|on|our|some|that|the|these|this|those|trading"
    "|up"
)
_COMMAND = re.compile(rf"{_POLITE}(?:{_DEEDS}) (?:{_TO})\b(?! (?:time|price)\b)")
_DEFINED = re.compile(
    r"what(?: is|'s| are) (?:an? [\w-]+(?: [\w-]+)?|[\w-]+)\s*\??$|what do(?:es)? .*\bmean\W*$"
)

_JUDGEMENTS = "normal|usual|unusual|good|bad|fine|healthy|acceptable|okay|ok|too \\w+"
_JUDGED = re.compile(rf"(?:is|are|was|were) .*\b(?:{_JUDGEMENTS})(?: for \w+)?(?: today| now)?\W*$")


def is_command(text: str) -> bool:
    """Whether a sentence asks for a deed, what a word means, or a judgement: "is it normal"."""
    plain = text.lower().strip()
    return bool(_COMMAND.match(plain) or _DEFINED.match(plain) or _JUDGED.match(plain))

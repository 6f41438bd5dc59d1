"""From a typed question to plain words: case, punctuation, plurals and slips of the keyboard."""

import difflib
import re
from collections.abc import Collection

from questions.frames import unframed

_TOKEN = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|[a-z0-9]+(?:[._'-][a-z0-9]+)*|[%&/<>=;+*#$]")
_FARED = re.compile(
    r"\bhow (?:did|do|does|are|is|have|has|was|were) (.{1,40}?)"
    r" (?:do|doing|done|fare|faring|go|going|gone|perform|turn out|work out|come out)\b"
)
#: "How wide did the spread get" asks for the end that it reached.
_REACHED = re.compile(
    r"\bhow (wide|high|large|big|bad|long|slow|low|tight|narrow)"
    r" (?:did|has|have|was|were) (.{1,80}?)(?<!\bto)"
    r" (?:got|get|gone|go|become|climb|fall|rise|drop)\b"
)
_FIGURE = re.compile(
    r"spread|equity|balance|exposure|drawdown|latency|slippage|confidence|margin|risk|shortfall"
    r"|psi|score|volatility|profit|loss|headroom|concentration|correlation|offset|\bvar\b|\bes\b"
)
_LOW = {"low", "tight", "narrow"}
#: "Five-minute gold bars" are gold's bars of five minutes.
_BARS_OF = re.compile(
    r"\b((?:one|five|1|5)[ -]?(?:second|minute|hour)|hourly)"
    r" (?!bars?\b|candles?\b)([\w/]+) (bars?|candles?)\b"
)
#: "In the last week" means seven days; "last week" is the one before this one.
_LAST_WEEK = re.compile(r"\b(in|over|during|within) the last week\b")
_SO_FAR = re.compile(r"\b(?<!this )(?:the )?(week|month|quarter|year) so far\b")
_FRACTIONS = (
    (r"\bhalf a second\b", "500 ms"),
    (r"\bhalf a minute\b", "30 seconds"),
    (r"\ban hour and a half\b", "90 minutes"),
    (r"\b(?:an? |one )?half (?:an |of an )?hour\b|\bhalf-hour\b", "30 minutes"),
    (r"\b(?:a |the )?quarter of an hour\b", "15 minutes"),
)
#: "When were the limits last signed" asks for the last limits signed.
_LAST_DONE = re.compile(
    r"\b(?!when|we|was|were|and|the|our|i\b)([a-z]+) (last|first) ([a-z]{2,}ed|sent)\b"
)
_OF_TIME = re.compile(r"\b(\w+) (?:of|on) the (day|week|month|quarter|year)\b")
#: What an answer is for: "for the Monday meeting I need".
_OCCASION = re.compile(
    r"\bfor (?:the |my |our |a )?(?:\w+day(?:'s)? )?(?:morning |weekly |daily |monthly )?"
    r"(?:meeting|call|review|presentation|boss)\b"
)
#: "Over a confidence of 0.6" is a confidence over 0.6.
_BOUND_OF = re.compile(
    r"\b(over|above|below|under|beyond|exceeding|more than|less than)"
    r" an? ([a-z]+(?: [a-z]+)?) of (\d[\d.]*)"
)
#: Who asks what was said "when it rejected our orders" does not ask for the time.
_WHEN_IT = re.compile(r"\bwhen (?:it|they|the broker)(?= (?:reject|refus|declin|turn))")
#: A rule that stops an order turns it away; a stop order is another thing.
_TURNED_AWAY = re.compile(
    r"\b(?:stop|block|refuse|deny) (?:an?|any|our|my) (orders?|entry|entries)\b"
)
_AFTERNOON = re.compile(r"(?<=\d) ?([ap])\.m\b\.?")
#: "The profit for the day", "high and low of the day" are today's.
_OF_THE_DAY = re.compile(
    r"\b((?<!order )for|(?:high|low) and (?:the )?(?:low|high) of) the day(?= *[?.!,]|$)"
)
#: "Blocked by control" tells apart; who blocked them is "a control", or "our controls".
_BY_CONTROL = re.compile(
    r"\bby (control|rule)(?= *[?.!,]|$| (?:today|yesterday|this|in|over|since|last)\b)"
)
#: "Winning days" are days with a profit.
_DAYS_WITH = re.compile(r"\b(winning|profitable|losing|green|red) (days|weeks|hours|months)\b")
_ONE_OF = re.compile(r"\b(?:which|what) (?:one )?of (?:our|the|my|all|these|those)\b")
_MEANT = {
    "p&l": "profit",
    "p/l": "profit",
    "w/l": "win rate",
    "p & l": "profit",
    "p and l": "profit",
    "per cent": "percent",
    "w/o": "without",
    "i mean": " ",
    "'s ": " ",
    "s' ": "s ",
    "what's": "what is",
    "how's": "how is",
    "who's": "who is",
    "aren't": "are not",
    "weren't": "were not",
    "hasn't": "has not",
    "doesn't": "does not",
    "don't": "do not",
    "didn't": "did not",
    "can't": "cannot",
    "i've": "i have",
    "we've": "we have",
    "i'm": "i am",
    "we're": "we are",
    "isn't": "is not",
    "wasn't": "was not",
    "won't": "will not",
    "haven't": "have not",
    "there's": "there is",
}
#: What people leave out on a phone.
_WRITTEN_OUT = {
    "wk": "week", "wks": "weeks", "mth": "month", "hrs": "hours", "rn": "right now",
    "avg": "average", "msecs": "ms", "bps": "bp", "ystd": "yesterday", "whats": "what is",
    "hows": "how is", "whos": "who is", "wheres": "where is", "theres": "there is",
    "weve": "we have", "ive": "i have", "im": "i am", "youve": "you have", "dont": "do not",
    "didnt": "did not", "doesnt": "does not", "isnt": "is not", "arent": "are not",
    "wasnt": "was not", "werent": "were not", "hasnt": "has not", "havent": "have not",
    "wont": "will not", "cant": "cannot", "yest": "yesterday", "wkly": "weekly",
    "ppl": "people", "nr": "number", "num": "number",
    "qty": "quantity", "mins": "minutes", "secs": "seconds", "mths": "months",
}  # fmt: skip
_SHORTHAND = re.compile(rf"\b(?:{'|'.join(_WRITTEN_OUT)})\b")
NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        1,
    )
} | {
    "dozen": 12,
    "fourteen": 14,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "hundred": 100,
    "thousand": 1000,
}
_SHORTEST = 5  # of shorter words a slip is another word


def words(text: str) -> list[str]:
    """Its words in lower case; plurals and inflections stay.

    A comma or a full stop separates; whatever else is no word stands alone, so that nothing that
    was typed is lost: what the grammar does not know, it refuses.
    """
    plain = text.lower().replace("\u2019", "'").replace("\u2013", " to ").replace("_", " ")
    plain = unframed(plain)
    plain = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", plain)
    plain = re.sub(r"(?<=\d) (?=(?:am|pm)\b)", "", plain)
    plain = re.sub(r"(?<=\d) o.?clock", ":00", plain)
    plain = _AFTERNOON.sub(r"\1m", plain)
    plain = _OF_THE_DAY.sub(r"\1 today", plain)
    plain = _BY_CONTROL.sub(r"per \1", plain)
    plain = _DAYS_WITH.sub(_days_with, plain)
    plain = _OCCASION.sub(" ", plain)
    plain = _BOUND_OF.sub(r"\2 \1 \3", plain)
    plain = _WHEN_IT.sub(" ", plain)
    plain = _TURNED_AWAY.sub(r"denied \1", plain)
    plain = _FARED.sub(r"profit \1", plain)
    plain = _REACHED.sub(_reached, plain)
    plain = _ONE_OF.sub("which single", plain)
    plain = _SHORTHAND.sub(lambda short: _WRITTEN_OUT[short[0]], plain)
    plain = re.sub(
        r"\bsince (?:the|this) (week|month|year|day) (?:began|started)\b", r"since this \1", plain
    )
    plain = re.sub(r"\bi(?: would|'d) (?:like|love|want)\b", " ", plain)
    plain = re.sub(
        r"\b(since|from) (?:the )?(?:start|beginning) of (?:the|this) (week|month|year)\b",
        r"\1 this \2",
        plain,
    )
    plain = _SO_FAR.sub(r"this \1", _LAST_WEEK.sub(r"\1 past week", plain))
    plain = _OF_TIME.sub(_of_time, plain)
    for said, meant in _FRACTIONS:
        plain = re.sub(said, meant, plain)
    plain = _LAST_DONE.sub(r"\2 \1 \3", plain)
    plain = _BARS_OF.sub(r"\2 \1 \3", plain)
    plain = re.sub(r"\bwhen (?:we|i) (lose|win)\b", _outcomes, plain)
    plain = re.sub(r"\bwhen (?:we |i )?(?:are |go |going )?(buy|sell|long|short)\b", r"\1", plain)
    plain = re.sub(r"\b(?<!false )(positive|negative)\b", _signs, plain)
    plain = re.sub(r"\bbreak (.{1,40}?) down\b", r"break down \1", plain)
    for said, meant in _MEANT.items():
        plain = plain.replace(said, meant)
    return [token.removesuffix("'s").removesuffix("'") for token in _TOKEN.findall(plain)]


def _days_with(said: re.Match[str]) -> str:
    return f"{said[2]} with a {'loss' if said[1] in ('losing', 'red') else 'profit'}"


def _outcomes(said: re.Match[str]) -> str:
    return "losing trades" if said[1] == "lose" else "winning trades"


def _of_time(said: re.Match[str]) -> str:
    """ "Trades of the week" are this week's; the hour of the day is any day's."""
    if said[1] in _OF_ANY or (said[1], said[2]) in (("day", "week"), ("days", "week")):
        return said[0]
    return f"{said[1]} {'today' if said[2] == 'day' else f'this {said[2]}'}"


_OF_ANY = {"hour", "hours", "time", "times", "part", "high", "low", "end", "start", "beginning"}


def _signs(said: re.Match[str]) -> str:
    return "over 0" if said[1] == "positive" else "under 0"


def _reached(said: re.Match[str]) -> str:
    """Prices are the only thing that goes high or low without being named."""
    end = "lowest" if said[1] in _LOW else "highest"
    named = _FIGURE.search(said[2]) or said[1] not in ("high", "low")
    return f"{end} {said[2]}" if named else f"{end} price {said[2]}"


def stem(word: str) -> str:
    """The singular of a plural; no more, since "lost" and "loss" differ for a trader."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "as")) and len(word) > 3:
        return word[:-1]
    return word


def root(word: str) -> str:
    """What the inflections of a verb share: "close", "closed" and "closing" are "clos"."""
    if len(word) <= _SHORTEST - 1 or not word.isalpha():
        return word
    plain = word[:-3] + "y" if word.endswith("ied") else word
    for ending in ("ing", "ed"):
        left = plain.removesuffix(ending)
        if left != plain and len(left) > 2 and set(left) & set("aeiouy"):
            plain = left[:-1] if left[-1] == left[-2] and left[-1] not in "lsz" else left
            break
    return plain.removesuffix("e")


def spelled(word: str, known: Collection[str]) -> str:
    """The word that was meant, when exactly one known is near; else the word itself.

    Slips leave the first letter as it is: "speak" is no "peak"; and a "trader" is no "trade".
    """
    if word in known or word in NUMBERS or len(word) < _SHORTEST or not word.isalpha():
        return word
    near = difflib.get_close_matches(word, known, 2, 0.8)
    sure = near and (len(near) == 1 or _nearer(word, near)) and near[0][0] == word[0]
    does = word.endswith("er") and word[:-2] in (near or [""])[0]
    return near[0] if sure and not does else word


def _nearer(word: str, near: list[str]) -> bool:
    first, second = (difflib.SequenceMatcher(None, word, one).ratio() for one in near[:2])
    return first - second > 0.05

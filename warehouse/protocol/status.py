"""The HTTP status ClickHouse answers for each of its error codes.

The table is ClickHouse's own (`exceptionCodeToHTTPStatus`), so that clients which retry by
status behave as with a server. One line differs: error 202, too many queries, is 503 here, because
clients retry a 503 and give up on a 500.
"""

TOO_MANY_QUERIES = 202

_CODES: dict[int, tuple[int, ...]] = {
    400: (
        *(6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223),
        *(321, 376, 427, 441, 675, 676),
    ),
    401: (194,),
    403: (192, 193, 497, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),
    411: (381,),
    413: (229,),
    415: (779,),
    501: (48,),
    503: (76, 209, 439, TOO_MANY_QUERIES),
}
_STATUS = {code: status for status, codes in _CODES.items() for code in codes}


def http_status(code: int) -> int:
    """The status of an answer that carries this error code."""
    return _STATUS.get(code, 500)

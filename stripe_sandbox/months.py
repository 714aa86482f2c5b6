"""Calendar arithmetic of billing periods, in UTC."""

import calendar
from datetime import UTC, datetime, timedelta

_DAYS = {"day": 1, "week": 7}


def after(anchor: int, interval: str, count: int) -> int:
    """The moment ``count`` intervals after the anchor; months keep its day where they have it.

    Counting from the anchor and not from the last period is what brings 31 January back to
    31 March after 28 February.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in _DAYS:
        return int((start + timedelta(days=_DAYS[interval] * count)).timestamp())
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())

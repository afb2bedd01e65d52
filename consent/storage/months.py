"""How the daily counts went from a row for each day to a row for each month (m010_months, in PostgreSQL m005_months).

Its rule: a migration says by itself what it does, whatever the tables become later.
"""

ANSWERS = ("policy", "action", "granted")
TALLIES = (*ANSWERS, "language", "country", "regime", "surface")
DAYS = tuple(f"{day:02}" for day in range(1, 32))


def by_months(*, text: str, kept: str = "") -> str:
    """Statements for both tables; `text` is the type of a text, `kept` what is said of a table behind its columns."""
    return ";".join(
        _by_months(name, fields, text, kept) for name, fields in (("tallies", TALLIES), ("answers", ANSWERS))
    )


def _by_months(name: str, fields: tuple[str, ...], text: str, kept: str) -> str:
    typed = [f"{field} {'INTEGER' if field == 'policy' else text} NOT NULL" for field in fields]
    days = [f"d{day} INTEGER NOT NULL DEFAULT 0" for day in DAYS]
    key, month = ", ".join(fields), "substr(day, 1, 7)"
    counts = ", ".join(f"sum(CASE substr(day, 9) WHEN '{day}' THEN count ELSE 0 END)" for day in DAYS)
    return f"""
        ALTER TABLE {name} RENAME TO before;
        CREATE TABLE {name} (
            site INTEGER NOT NULL, month {text} NOT NULL, {", ".join(typed + days)}, PRIMARY KEY (site, month, {key})
        ){kept};
        INSERT INTO {name} SELECT site, {month}, {key}, {counts} FROM before GROUP BY site, {month}, {key};
        DROP TABLE before
    """

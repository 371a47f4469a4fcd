"""Runs the cases through python-tds; prints what differs and exits 1, or prints how many passed."""

import sys
from decimal import Decimal

import pytds


def connect(port, autocommit=True, password="RainTek-1", database="Raintech_DB1"):
    return pytds.connect("127.0.0.1", database, "sa", password, port=port, autocommit=autocommit, login_timeout=10)


def cases(path):
    name, sql, expected = None, [], []
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("== "):
            if name:
                yield name, "\n".join(sql), expected
            name, sql, expected = line[3:], [], []
        elif line.startswith(("> ", "! ")):
            expected.append(line)
        elif name and line:
            sql.append(line)
    yield name, "\n".join(sql), expected


def shown(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value))
    return str(value).rstrip(" ")


def plain(line):
    """python-tds gives decimals without their last zeros."""
    return "|".join(
        cell.rstrip("0").rstrip(".") if "." in cell and cell.lstrip("> -").replace(".", "", 1).isdigit() else cell
        for cell in line.split("|")
    )


def run(cursor, sql):
    seen = []
    try:
        cursor.execute(sql)
        while True:
            if cursor.description:
                seen += ["> " + "|".join(shown(cell) for cell in row) for row in cursor.fetchall()]
            if not cursor.nextset():
                break
    except pytds.Error as error:
        seen.append(f"! {error.number}")
    return seen


def table(port, path):
    wrong, count = [], 0
    for name, sql, expected in cases(path):
        connection = connect(port)
        seen = run(connection.cursor(), sql)
        connection.close()
        count += 1
        # python-tds stops at the first error of a batch: what comes after it is tsql's to check
        first = next((at for at, line in enumerate(expected) if line.startswith("! ")), None)
        if first is not None:
            expected, seen = expected[: first + 1], seen[: first + 1]
        if list(map(plain, seen)) != list(map(plain, expected)):
            wrong.append(f"{name}: expected {expected}, saw {seen}")
    return wrong, count


def parameters(port):
    cursor = connect(port).cursor()
    cursor.execute("SELECT %s, %s, %s, %s", (5, "पेन", Decimal("12.50"), None))
    row = cursor.fetchone()
    return [] if tuple(row) == (5, "पेन", Decimal("12.50"), None) else [f"parameters came back as {row}"]


def transactions(port):
    wrong = []
    count = "SELECT COUNT(*) FROM SaleNoTax"
    writer = connect(port, autocommit=False)
    writer.cursor().execute("INSERT INTO SaleNoTax (ID, InvNo) VALUES (1, N'one')")
    reader = connect(port).cursor()
    for ending, expected in ((writer.rollback, 0), (writer.commit, 1)):
        if expected:
            writer.cursor().execute("INSERT INTO SaleNoTax (ID, InvNo) VALUES (1, N'one')")
        reader.execute(count)
        if reader.fetchone()[0] != 0:
            wrong.append("a row was seen before its commit")
        ending()
        reader.execute(count)
        found = reader.fetchone()[0]
        if found != expected:
            wrong.append(f"after {ending.__name__} there were {found} rows, not {expected}")
    return wrong


def logins(port):
    wrong = []
    # of several errors python-tds keeps the last number, but all sentences
    for arguments, sentence in (({"password": "no"}, "Login failed"), ({"database": "nope"}, "Cannot open database")):
        try:
            connect(port, **arguments)
            wrong.append(f"{arguments} was let in")
        except pytds.Error as error:
            if error.number != 18456 or sentence not in str(error):
                wrong.append(f"{arguments} gave {error.number}: {error}")
    return wrong


if __name__ == "__main__":
    port = int(sys.argv[1])
    wrong, count = table(port, sys.argv[2])
    wrong += parameters(port) + transactions(port) + logins(port)
    print("\n".join(wrong) if wrong else f"{count} cases passed")
    sys.exit(1 if wrong else 0)

"""DuckDB: SQL over the file."""

import json
import sys

import duckdb

D = "(y_pred - y_true)"


# a pipe is read once only: nothing can be found out from its first lines
PIPE = """read_csv('/dev/stdin', header = true, auto_detect = false,
    columns = {'y_pred': 'DOUBLE', 'y_true': 'DOUBLE'})"""


def table(file):
    return PIPE if file == "-" else f"'{file}'"


def rows(sql):
    return duckdb.sql(sql).fetchall()


def mse(file):
    return rows(f"SELECT avg({D} * {D}) FROM {table(file)}")[0]


def five(file):
    return rows(f"""
        SELECT avg(d * d), avg(abs(d)),
            avg(CASE WHEN abs(d) <= 1 THEN 0.5 * d * d ELSE abs(d) - 0.5 END),
            avg(abs(d) + ln(1 + exp(-2 * abs(d)))) - ln(2),
            avg(greatest(-0.9::DOUBLE * d, 0.1::DOUBLE * d))
        FROM (SELECT {D} AS d FROM {table(file)})""")[0]


def bce(file):
    terms = "y_true * ln(y_pred) + (1 - y_true) * ln(1 - y_pred)"
    return rows(f"SELECT -avg({terms}) FROM {table(file)}")[0]


def per_sample(file, out):
    losses = f"SELECT row_number() OVER () - 1 AS sample, {D} * {D} AS mse FROM {table(file)}"
    duckdb.sql(f"COPY ({losses}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
    return rows(f"SELECT avg(mse) FROM '{out}'")[0]


def groups(file):
    by = "GROUP BY segment ORDER BY segment"
    return [one for (one,) in rows(f"SELECT avg({D} * {D}) FROM {table(file)} {by}")]


def statistics(file):
    quantiles = "quantile_cont(loss, [0.05, 0.25, 0.5, 0.75, 0.95])"
    *plain, several = rows(f"""
        SELECT avg(loss), stddev_samp(loss), min(loss), max(loss), {quantiles}
        FROM (SELECT {D} * {D} AS loss FROM {table(file)})""")[0]
    return [*plain, *several]


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    print(json.dumps(globals()[task](*given)))

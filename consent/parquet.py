"""The log as a Parquet file: the columns of CSV, typed, written a row group at a time in constant memory.

Its rule: pyarrow is imported only where a file is written, so that nobody else pays for it.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from consent.columns import HEAD, TAIL, Row, Said, categories, rows
from consent.model import Entry, Published
from consent.pieces import Sink

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

PAGE = 500
"""Rows that are turned into columns at once."""
GROUP = 12
"""Pages in a row group. A group has to be held in memory whole, some 2 KB a row; of each that was written another 40 KB
stay with the writer until the file ends. With some six thousand rows in each neither is much for a million receipts."""


def parquet(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
    """A Parquet file; a category's column says granted, refused or necessary, null if it was not asked."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")  # the others hold on to what they had
    from pyarrow.parquet import ParquetWriter

    sink, asked = Sink(), categories(versions)
    schema, words = _schema(asked), [*HEAD[5:], *asked]
    measured = [name for name in schema.names if name != "receipt"]
    found = rows(entries, lambda said: _values(said, asked))
    pages = (_page(page, schema) for page in iter(lambda: list(islice(found, PAGE)), []))
    with (
        ParquetWriter(sink, schema, compression="zstd", use_dictionary=words, write_statistics=measured) as writer,
        ThreadPoolExecutor(1) as pool,  # a group is compressed, in native code, while the next one is read
    ):
        written: Future[Any] = pool.submit(int)
        while group := list(islice(pages, GROUP)):
            written.result()
            yield from sink.taken()
            written = pool.submit(_write, writer, group)
        written.result()
    yield from sink.taken()


def _write(writer: "ParquetWriter", group: list["pyarrow.RecordBatch"]) -> None:
    """A row group, whose pages are taken out of the list: so their memory is free as soon as it is written."""
    import pyarrow

    table = pyarrow.Table.from_batches(group)
    group.clear()
    writer.write_table(table)


def _schema(asked: list[str]) -> "pyarrow.Schema":
    import pyarrow as pa

    typed = {
        "index": pa.int64(),
        "recorded_at": pa.timestamp("s", "UTC"),
        "valid_until": pa.timestamp("s", "UTC"),
        "policy": pa.int32(),
        "services": pa.map_(pa.string(), pa.bool_()),
        "gpc": pa.bool_(),
    }
    return pa.schema([(name, typed.get(name, pa.string())) for name in (*HEAD, *asked, *TAIL)])


def _values(said: Said, asked: list[str]) -> tuple[Any, ...]:
    """What stands between a row's subject and `valid_until`."""
    words = (said.language, said.regime, said.country, said.action, said.surface)
    answers = (said.answer(category) for category in asked)
    return (said.policy, *words, *answers, list(said.services.items()), said.signals.get("gpc"))


def _page(page: list[Row[tuple[Any, ...]]], schema: "pyarrow.Schema") -> "pyarrow.RecordBatch":
    """Rows as columns."""
    import pyarrow

    index, id, at, subject, said, *rest = zip(*page, strict=True)
    columns = zip(schema.types, (index, id, at, subject, *zip(*said, strict=True), *rest), strict=True)
    return pyarrow.RecordBatch.from_arrays([pyarrow.array(values, type) for type, values in columns], schema=schema)

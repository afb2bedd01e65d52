"""The SQL of documents: what the desk keeps as JSON under a kind and an id."""

from consent.storage.tree_rows import TreeRows


class DocumentRows(TreeRows):
    """Documents as one connection sees them (see base.Rows)."""

    def documents(self, kind: str) -> list[tuple[str, bytes]]:
        return [
            (id, body) for id, body in self._all("SELECT id, body FROM documents WHERE kind = ? ORDER BY id", (kind,))
        ]

    def document(self, kind: str, id: str) -> bytes | None:
        row = self._one("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, id))
        return row[0] if row else None

    def put_document(self, kind: str, id: str, body: bytes) -> None:
        sql = "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"
        self._execute(sql, (kind, id, body))

    def drop_document(self, kind: str, id: str) -> bool:
        return self._execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, id)) == 1

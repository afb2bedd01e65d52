// c15t's backend as an HTTP server of its own, the way its documentation puts it together: an instance with the Kysely
// adapter, its handler mounted on Hono's server for Node.js. bench/c15t.py copies this beside the installed packages.
//
//     node server.mjs PORT DATABASE ORIGIN CACHE     (CACHE in KiB)
import { c15tInstance } from "@c15t/backend";
import { kyselyAdapter } from "@c15t/backend/db/adapters/kysely";
import { migrator } from "@c15t/backend/db/migrator";
import { DB } from "@c15t/backend/db/schema";
import { serve } from "@hono/node-server";
import SQLite from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";

const [port, path, origin, cache] = process.argv.slice(2);
const database = new SQLite(path);
const pragmas = ["journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "wal_autocheckpoint=4000", `cache_size=-${cache}`];
for (const pragma of pragmas) {
  database.pragma(pragma);
}
const db = new Kysely({ dialect: new SqliteDialect({ database }) });
const adapter = kyselyAdapter({ db, provider: "sqlite" });
await (await migrator({ db: DB.client(adapter), schema: "latest" })).execute();
const { handler } = c15tInstance({
  adapter,
  trustedOrigins: [origin],
  logger: { disabled: true },
  telemetry: { enabled: false },
  openapi: { enabled: false },
});
serve({ fetch: handler, port: Number(port), hostname: "127.0.0.1" });

// What is committed in static/ is what the sources give.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

test("a rebuild gives the committed scripts, byte for byte", () => {
  const folder = mkdtempSync(join(tmpdir(), "build-"));
  execFileSync("node", ["banner/build.mjs", folder]);
  for (const name of readdirSync("static").filter(name => name.endsWith(".js"))) {
    assert.equal(readFileSync(join(folder, name), "utf8"), readFileSync(join("static", name), "utf8"), name);
  }
});

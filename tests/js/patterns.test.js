// The same cases as in Python: which addresses a URL pattern matches.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createFinder, createKeepers } from "../../banner/patterns.js";

for (const { pattern, url, matches, why } of JSON.parse(readFileSync("tests/data/urls.json", "utf8"))) {
  test(`${pattern} ${matches ? "matches" : "does not match"} ${url}: ${why}`, () => {
    const found = createFinder([{ id: "it", urls: [pattern] }])(new URL(url));
    assert.equal(found.length > 0, matches);
  });
}

test("every service that shares an address is found", () => {
  const find = createFinder([{ id: "a", urls: ["*.x.example"] }, { id: "b", urls: ["cdn.x.example/t.js"] }, { id: "c", urls: ["y.example"] }]);
  assert.deepEqual(find(new URL("https://cdn.x.example/t.js")).map(one => one.id).sort(), ["a", "b"]);
});

test("a stored name is found by its kind and pattern", () => {
  const keepers = createKeepers([{ id: "a", kept: [{ kind: "cookie", name: "_ga_*" }, { kind: "local_storage", name: "a.b" }] }]);
  assert.deepEqual([keepers("cookie", "_ga_X").length, keepers("cookie", "_gaX").length], [1, 0]);
  assert.deepEqual([keepers("local_storage", "a.b").length, keepers("local_storage", "axb").length], [1, 0]);
  assert.equal(keepers("session_storage", "a.b").length, 0);
});

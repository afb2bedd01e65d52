// Receipts made by the service, verified by a JOSE library that is not ours.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { calculateJwkThumbprint, compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, jwtVerify } from "jose";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PYTHON || (existsSync(`${ROOT}/.venv/bin/python`) ? `${ROOT}/.venv/bin/python` : "python3");
const SUBJECT = "fZk3PpQ0Tz2mYw4uJr8aBg";
const ID = "019ab1c2-77aa-7bbb-8ccc-0123456789ab";

/** A ledger with a policy, two receipts by two keys and an erasure; prints its statements, its key set and a receipt. */
const MAKE = `
import json, tempfile
from consent import open_ledger, policy
from consent.model import Choice, Filter
from consent.settings import load

with tempfile.TemporaryDirectory() as data:
    ledger = open_ledger(load({"CONSENT_DATA": data, "CONSENT_PUBLIC_URL": "https://consent.example.org"}))
    ledger.storage.migrate()
    ledger.create_site("shop", policy.default("Shop", ["https://shop.example"]))
    grants = {"persistent": False, "analytics": True, "social": False}
    def record(id, subject):
        choice = Choice(id, subject, 1, "en", "custom", "banner", grants)
        return ledger.record("shop", choice)[0].receipt
    receipt = record("${ID}", "${SUBJECT}")
    ledger.ring.rotate()
    record("019ab1c2-77aa-7bbb-8ccc-0123456789ac", "AAAAAAAAAAAAAAAAAAAAAA")
    statements = [entry.token for entry in ledger.entries("shop", Filter(kinds=()))]
    ledger.erase("shop", "AAAAAAAAAAAAAAAAAAAAAA", reason="test")
    statements += [entry.token for entry in ledger.entries("shop", Filter(kinds=("erasure",)))]
    print(json.dumps({"receipt": receipt, "statements": statements, "jwks": ledger.ring.jwks()}))
    ledger.storage.close()
`;

const made = JSON.parse(execFileSync(PYTHON, ["-c", MAKE], { cwd: ROOT, encoding: "utf8" }));
const keys = createLocalJWKSet(made.jwks);
const RECEIPT = { typ: "consent-receipt+jwt", audience: "shop", issuer: "https://consent.example.org", algorithms: ["EdDSA"] };

test("a receipt verifies with the published key set", async () => {
  const { payload } = await jwtVerify(made.receipt, keys, RECEIPT);
  assert.deepEqual([payload.sub, payload.jti], [SUBJECT, ID]);
  assert.deepEqual(payload.consent.grants, { persistent: false, analytics: true, social: false });
});

test("every statement of the ledger verifies, by whichever key it was signed", async () => {
  for (const statement of made.statements) await compactVerify(statement, keys, { algorithms: ["EdDSA"] });
  const kids = new Set(made.statements.map(statement => decodeProtectedHeader(statement).kid));
  assert.deepEqual([made.statements.length, kids.size], [4, 2]);
});

test("the statements say which kind they are", () => {
  const kinds = made.statements.map(statement => decodeProtectedHeader(statement).typ);
  assert.deepEqual(kinds, ["consent-policy+jwt", "consent-receipt+jwt", "consent-receipt+jwt", "consent-erasure+jwt"]);
});

test("the key ids are the keys' thumbprints", async () => {
  for (const key of made.jwks.keys) assert.equal(await calculateJwkThumbprint(key), key.kid);
});

test("the key set holds no private key", () => {
  for (const key of made.jwks.keys) assert.ok(!("d" in key));
});

test("a receipt changed anywhere does not verify", async () => {
  for (const part of [0, 1, 2]) {
    const parts = made.receipt.split(".");
    parts[part] = parts[part].slice(0, 20) + (parts[part][20] === "A" ? "B" : "A") + parts[part].slice(21);
    await assert.rejects(compactVerify(parts.join("."), keys), errors.JOSEError);
  }
});

test("a receipt is none for another site", async () => {
  await assert.rejects(jwtVerify(made.receipt, keys, { ...RECEIPT, audience: "other" }), errors.JWTClaimValidationFailed);
});

test("a receipt by a key that is not in the set does not verify", async () => {
  const { kid } = decodeProtectedHeader(made.receipt);
  const others = createLocalJWKSet({ keys: made.jwks.keys.filter(key => key.kid !== kid) });
  await assert.rejects(compactVerify(made.receipt, others), errors.JWKSNoMatchingKey);
});

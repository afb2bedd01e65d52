// The decision rules: the cases shared with Python, and the cookie's way out and back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import "./parts.js";
import { answers, changed, derive, entries, format, parse } from "../../banner/choices.js";

const shared = JSON.parse(readFileSync(new URL("../data/state.json", import.meta.url), "utf8"));
const rules = (name, regime = "opt-in") => ({ ...shared.policies[name], policy: shared.policies[name].version, regime });
const shop = rules("shop");
const SUBJECT = "fZk3PpQ0Tz2mYw4uJr8aBg";
const NOW = 1763923560;
const choice = ids => ({ policy: 3, decided_at: NOW, subject: SUBJECT, ids });
const state = ids => derive(shop, choice(ids), false, NOW);

for (const { name, policy, cookie, now, regime, gpc, state: expected } of shared.cases) {
  test(`shared case: ${name}`, () => {
    const derived = derive(rules(policy, regime), parse(cookie), gpc, now);
    for (const key of Object.keys(expected)) assert.deepEqual(derived[key], expected[key], key);
  });
}

test("a cookie comes back as it went out", () => {
  for (const ids of [[], ["persistent"], ["analytics", "-hotjar"], ["+video"], ["-persistent", "-analytics", "-social"]]) {
    assert.deepEqual(parse(format(shop, choice(ids))), choice(ids));
  }
});

test("a value of 500 bytes is absent and one of 499 is not", () => {
  const value = length => `1.3.${NOW}.${SUBJECT}.`.padEnd(length, "a");
  assert.equal(parse(value(500)), null);
  assert.equal(parse(value(499)).ids.length, 1);
});

test("nothing that is not exactly a cookie parses", () => {
  const good = `1.3.${NOW}.${SUBJECT}.analytics`;
  const bad = [good + "~", good + " ", good + "\n", "x" + good, good.replace("analytics", "~analytics"), good.replace("analytics", "+-analytics"),
    good.replace("analytics", "Analytics"), good.replace("1.3", "1.03"), good.replace("1.3", "1.-3"), undefined, "consent"];
  for (const text of bad) assert.equal(parse(text), null, String(text));
});

const everything = (policy, granted) => changed(policy, derive(policy, null, false, NOW), answers([...policy.categories, ...policy.services], () => granted));

/** A policy that no cookie can hold in full. */
const crowd = {
  policy: 1, material_since: 1, valid_days: 180, regime: "opt-in", signals: { gpc: [] },
  categories: ["one", "two", "three"].map(id => ({ id, necessary: false })),
  services: ["one", "two", "three"].flatMap(category =>
    Array.from({ length: 10 }, (_, n) => ({ id: `${category}-service-with-a-name-${n}`, category }))),
};
const named = (category, sign) => crowd.services.filter(s => s.category === category).map(s => sign + s.id);

test("an overflowing cookie first drops services granted in refused categories", () => {
  const text = format(crowd, choice(["one", ...named("two", "+"), ...named("three", "+")]));
  assert.ok(text.length < 500);
  assert.ok(parse(text).ids.includes("one"));
});

test("an overflowing cookie refuses whole categories rather than lose a refusal", () => {
  const ids = ["one", "two", "three", ...named("one", "-"), ...named("two", "-"), ...named("three", "-")];
  const derived = derive(crowd, parse(format(crowd, choice(ids))), false, NOW);
  for (const { id } of crowd.services.filter((_, n) => n < 30)) assert.equal(derived.services[id], false, id);
});

test("a withdrawal too long for the cookie still grants nothing", () => {
  const many = { ...crowd, services: [], categories: Array.from({ length: 40 }, (_, n) => ({ id: `category-with-a-name-${n}`, necessary: false })) };
  const text = format(many, choice(entries(many, everything(many, false), "withdraw")));
  assert.ok(text.length < 500);
  assert.equal(derive(many, parse(text), false, NOW).status, "refused");
});

test("accepting and refusing name every category that is not necessary, and no other", () => {
  assert.deepEqual(everything(shop, true), { grants: { persistent: true, analytics: true, social: true }, services: {} });
  assert.deepEqual(everything(shop, false), { grants: { persistent: false, analytics: false, social: false }, services: {} });
});

test("a withdrawal is told from a refusal in the cookie", () => {
  const nothing = everything(shop, false);
  assert.deepEqual(entries(shop, nothing, "reject_all"), []);
  assert.deepEqual(entries(shop, nothing, "withdraw"), ["-persistent", "-analytics", "-social"]);
});

test("a change keeps what it does not name", () => {
  const { grants, services } = changed(shop, state(["persistent", "analytics", "-hotjar"]), { social: true });
  assert.deepEqual(grants, { persistent: true, analytics: true, social: true });
  assert.deepEqual(services, { hotjar: false });
});

test("a service granted alone is a deviation", () => {
  assert.deepEqual(changed(shop, state([]), { video: true }),
    { grants: { persistent: false, analytics: false, social: false }, services: { video: true } });
});

test("refusing a category refuses the services granted in it", () => {
  assert.deepEqual(changed(shop, state(["+video"]), { social: false }).services, {});
});

test("a category newly granted brings all its services", () => {
  assert.deepEqual(changed(shop, state(["+video"]), { social: true, analytics: true }).services, {});
});

test("a category that stays granted keeps the services refused in it", () => {
  assert.deepEqual(changed(shop, state(["analytics", "-hotjar"]), { analytics: true }).services, { hotjar: false });
});

test("every decision survives the cookie", () => {
  for (const changes of [{ video: true }, { analytics: true, hotjar: false }, { persistent: true }, {}]) {
    const decision = changed(shop, state([]), changes);
    const back = derive(shop, parse(format(shop, choice(entries(shop, decision, "custom")))), false, NOW);
    for (const id in changes) assert.equal(back.grants[id] ?? back.services[id], changes[id], id);
  }
});

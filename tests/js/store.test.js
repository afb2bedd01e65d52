// What the browser keeps, and that no storage error ever gets out.
import assert from "node:assert/strict";
import test from "node:test";
import { CONFIG, NOW, SUBJECT, choice, createPage } from "./parts.js";
import { createStore, newSubject } from "../../banner/store.js";

const BODY = { id: "019ab1c2-77aa-7bbb-8ccc-0123456789ab" };
const at = (t, now = NOW) => t.mock.timers.enable({ apis: ["Date"], now: now * 1000 });

test("nothing is written before a choice", () => {
  const page = createPage();
  const store = createStore(CONFIG, page);
  assert.deepEqual([store.read(), store.receipt(), store.waiting()], [null, null, []]);
  assert.deepEqual([page.written, [...page.kept]], [[], []]);
});

test("the cookie has the name, the value and the attributes of the contract", t => {
  at(t);
  const page = createPage();
  createStore(CONFIG, page).save(choice(["analytics"]));
  assert.deepEqual(page.written, [`consent=1.3.${NOW}.${SUBJECT}.analytics; Path=/; SameSite=Lax; Max-Age=15552000; Secure`]);
});

test("on plain http the cookie is not Secure, or it would be lost", t => {
  at(t);
  const page = createPage({ protocol: "http:" });
  createStore(CONFIG, page).save(choice([]));
  assert.doesNotMatch(page.written[0], /Secure/);
});

test("the cookie goes to the domain of the policy", t => {
  at(t);
  const page = createPage();
  createStore({ ...CONFIG, cookie: { name: "consent_shop", domain: ".shop.example" } }, page).save(choice([]));
  assert.equal(page.written[0], "consent_shop=; Path=/; Max-Age=0"); // one for this host alone would hide it
  assert.match(page.written[1], /^consent_shop=1.*; Domain=\.shop\.example/);
});

test("a cookie never lives longer than browsers allow", t => {
  at(t);
  const page = createPage();
  createStore({ ...CONFIG, valid_days: 1000 }, page).save(choice([]));
  assert.match(page.written[0], /Max-Age=34560000;/);
});

test("writing a choice again does not prolong it", t => {
  at(t, NOW + 86400);
  const page = createPage();
  createStore(CONFIG, page).save(choice([]));
  assert.match(page.written[0], /Max-Age=15465600;/);
});

test("of two cookies of the name the newer choice counts", () => {
  const page = createPage();
  page.jar.set("consent", `1.3.${NOW}.${SUBJECT}.analytics; consent=1.3.${NOW + 9}.${SUBJECT}.`);
  assert.deepEqual(createStore(CONFIG, page).read(), choice([], NOW + 9));
});

test("a cookie whose name only ends like ours is not ours", () => {
  const page = createPage();
  page.jar.set("myconsent", `1.3.${NOW}.${SUBJECT}.analytics`);
  assert.equal(createStore(CONFIG, page).read(), null);
});

for (const [name, options] of Object.entries({ refused: { cookies: false, storage: false }, throwing: { cookies: "throw", storage: false }, full: { cookies: false, storage: "full" } })) {
  test(`with storage ${name} everything is remembered until the page goes`, t => {
    at(t);
    const store = createStore(CONFIG, createPage(options));
    store.save(choice(["social"]));
    store.keepReceipt("a.b.c");
    store.keep(BODY);
    assert.deepEqual([store.read(), store.receipt(), store.waiting()], [choice(["social"]), "a.b.c", [BODY]]);
    store.drop(BODY.id);
    assert.deepEqual(store.waiting(), []);
  });
}

test("receipt and outbox have the names of the contract", () => {
  const page = createPage();
  const store = createStore(CONFIG, page);
  store.keepReceipt("a.b.c");
  store.keep(BODY);
  assert.deepEqual(Object.fromEntries(page.kept), { "consent:receipt:shop": "a.b.c", "consent:outbox:shop": JSON.stringify([BODY]) });
});

test("an outbox that somebody else broke is empty", () => {
  for (const junk of ["{", "null", "1", '"text"', "[null]", '{"id": 1}']) {
    const page = createPage();
    page.kept.set("consent:outbox:shop", junk);
    assert.deepEqual(createStore(CONFIG, page).waiting(), [], junk);
  }
});

test("a cookie says for a day that nothing waits after a choice, and then nobody looks", t => {
  at(t);
  const page = createPage();
  const { get } = Object.getOwnPropertyDescriptor(page, "localStorage");
  let opened = 0;
  Object.defineProperty(page, "localStorage", { get: () => (opened++, get.call(page)) });
  const begin = () => {
    const store = createStore(CONFIG, page);
    store.read();
    return store;
  };
  const said = () => page.written.filter(text => text.startsWith("consent_sent"));
  assert.deepEqual([begin().waiting(), opened, said()], [[], 1, []]); // nothing is said before a choice

  begin().save(choice([]));
  assert.deepEqual([begin().waiting(), opened], [[], 2]);
  assert.deepEqual(said(), [`consent_sent=${NOW}.shop.https://shop.example; Path=/; Max-Age=86400`]);
  assert.deepEqual([begin().waiting(), opened], [[], 2]);

  begin().keep(BODY); // of the same second, or let in once, so that the choice says nothing of it
  assert.match(said().at(-1), /^consent_sent=0/);
  assert.deepEqual(begin().waiting(), [BODY]);

  begin().drop(BODY.id);
  assert.deepEqual(begin().waiting(), []);
  begin().save(choice(["social"], NOW + 9)); // somebody else's script, that says nothing
  page.kept.set("consent:outbox:shop", JSON.stringify([BODY]));
  assert.deepEqual(begin().waiting(), [BODY]);
});

test("whatever a cookie says, a choice is put beside those that wait", t => {
  at(t);
  const page = createPage();
  const store = createStore(CONFIG, page);
  store.save(choice([]));
  store.waiting();
  page.kept.set("consent:outbox:shop", JSON.stringify([BODY]));
  store.keep({ id: "another" });
  assert.deepEqual(store.waiting().map(one => one.id), [BODY.id, "another"]);
});

test("what another origin of this host has said is not believed", t => {
  at(t);
  const page = createPage();
  createStore(CONFIG, page).save(choice([]));
  createStore(CONFIG, page).waiting();
  page.origin = "https://shop.example:8443";
  page.kept.set("consent:outbox:shop", JSON.stringify([BODY]));
  const store = createStore(CONFIG, page);
  store.read();
  assert.deepEqual(store.waiting(), [BODY]);
});

test("a subject is 128 random bits in base64url", () => {
  const many = new Set(Array.from({ length: 500 }, newSubject));
  assert.equal(many.size, 500);
  for (const one of many) assert.match(one, /^[\w-]{21}[AQgw]$/);
});

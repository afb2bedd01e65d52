// That no choice is lost, none is recorded twice, and none waits for ever.
import assert from "node:assert/strict";
import test from "node:test";
import { CONFIG, NOW, SUBJECT, choice, createPage } from "./parts.js";
import { createRecorder, newId } from "../../banner/recorder.js";
import { createStore } from "../../banner/store.js";

const iso = seconds => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const body = (id, decided_at = NOW) => ({ id, subject: SUBJECT, decided_at: iso(decided_at) });
const settle = () => new Promise(resolve => setImmediate(resolve));

/** A recorder whose server gives the answers listed, then 201 for ever. */
function begin(t, answers = [], page = createPage()) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW * 1000 });
  t.mock.method(console, "error", () => {});
  const sent = [];
  const events = [];
  const online = new Set();
  globalThis.addEventListener = (event, hear) => event == "online" && online.add(hear);
  t.mock.method(globalThis, "fetch", async (url, options) => {
    sent.push({ url, ...options, body: JSON.parse(options.body) });
    const { status = 201, headers = {}, json } = answers.shift() ?? {};
    if (status === 0) throw new TypeError("Failed to fetch");
    const { id } = sent.at(-1).body;
    const good = { receipt: `receipt.of.${id}`, state: { decided_at: iso(NOW + 5) } };
    return new Response(status === 204 ? null : JSON.stringify(json ?? good), { status, headers });
  });
  const store = createStore(CONFIG, page);
  const recorder = createRecorder({ home: "https://c.example/sites/shop", store, emit: (...event) => events.push(event) });
  return { sent, events, store, recorder, page, online, ids: () => sent.map(one => one.body.id) };
}

test("a choice is posted without preflight, cookies or waiting for the page", async t => {
  const { recorder, sent } = begin(t);
  recorder.record(body("one"));
  await settle();
  const { url, method, credentials, keepalive, ...more } = sent[0];
  assert.deepEqual([url, method, credentials, keepalive], ["https://c.example/sites/shop/receipts", "POST", "omit", true]);
  assert.deepEqual(Object.keys(more), ["body"]); // any header would ask for a preflight
});

test("when the network is back, what waits is sent at once", async t => {
  const { recorder, online, store, ids } = begin(t, [{ status: 0 }]);
  recorder.record(body("one"));
  await settle();
  assert.deepEqual([ids(), online.size], [["one"], 1]);
  for (const hear of online) hear(new Event("online"));
  await settle();
  assert.deepEqual([ids(), store.waiting()], [["one", "one"], []]);
});

test("a recorded choice leaves its receipt and nothing in the outbox", async t => {
  const { recorder, store, events } = begin(t);
  recorder.record(body("one"));
  await settle();
  assert.deepEqual([store.receipt(), store.waiting()], ["receipt.of.one", []]);
  assert.equal(events[0][0], "recorded");
  assert.equal(events[0][1].receipt, "receipt.of.one");
});

test("the receipt of what was loaded once takes no other's place", async t => {
  const { recorder, store } = begin(t);
  recorder.record(body("one"));
  await settle();
  recorder.record({ ...body("two"), action: "load_once" });
  await settle();
  assert.deepEqual([store.receipt(), store.waiting()], ["receipt.of.one", []]);
});

test("the newest choice takes the server's time", async t => {
  const { recorder, store } = begin(t);
  store.save(choice(["analytics"]));
  recorder.record(body("one"));
  await settle();
  assert.deepEqual(store.read(), choice(["analytics"], NOW + 5));
});

test("a choice made meanwhile keeps its own time", async t => {
  const { recorder, store } = begin(t);
  store.save(choice(["analytics"], NOW + 1));
  recorder.record(body("one", NOW));
  await settle();
  assert.equal(store.read().decided_at, NOW + 1);
});

test("a browser whose clock is days off keeps its own time and is not asked for ever", async t => {
  const { recorder, store } = begin(t, [{ json: { receipt: "a.b.c", state: { decided_at: iso(NOW + 3 * 86400) } } }]);
  store.save(choice([]));
  recorder.record(body("one"));
  await settle();
  assert.equal(store.read().decided_at, NOW);
});

for (const status of [0, 429, 500, 503, 403, 404]) {
  test(`after ${status || "a network error"} the choice is kept and recorded later, once`, async t => {
    const { recorder, store, ids } = begin(t, [{ status }]);
    recorder.record(body("one"));
    await settle();
    assert.deepEqual(store.waiting().map(one => one.id), ["one"]);
    t.mock.timers.tick(3000);
    await settle();
    t.mock.timers.tick(100000);
    assert.deepEqual(ids(), ["one", "one"]);
    assert.deepEqual(store.waiting(), []);
  });
}

test("somebody else's 200 is no receipt", async t => {
  const { recorder, store, events } = begin(t, [{ status: 200, json: { hello: "sign in to the hotel's network" } }]);
  recorder.record(body("one"));
  await settle();
  assert.deepEqual([store.waiting().length, store.receipt(), events], [1, null, []]);
});

for (const status of [400, 409, 413, 415, 422]) {
  test(`${status} drops the choice, says so, and lets the next one through`, async t => {
    const { recorder, store, events, ids } = begin(t, [{ status }]);
    store.keep(body("bad"));
    recorder.record(body("good"));
    await settle();
    assert.deepEqual(ids(), ["bad", "good"]);
    assert.deepEqual(events[0], ["error", { id: "bad", status }]);
    assert.deepEqual([store.waiting(), console.error.mock.callCount()], [[], 1]);
  });
}

test("pauses grow, and the server's wish is honoured", async t => {
  const { recorder, sent } = begin(t, [{ status: 503 }, { status: 503 }, { status: 429, headers: { "Retry-After": "60" } }]);
  recorder.record(body("one"));
  for (const [pause, count] of [[1999, 1], [1, 2], [3999, 2], [1, 3], [59999, 3], [1, 4]]) {
    await settle();
    t.mock.timers.tick(pause);
    await settle();
    assert.equal(sent.length, count);
  }
});

test("choices are recorded in the order they were made", async t => {
  const { recorder, ids } = begin(t, [{ status: 503 }]);
  for (const id of ["one", "two", "three"]) recorder.record(body(id));
  await settle();
  t.mock.timers.tick(3000);
  await settle();
  assert.deepEqual(ids(), ["one", "one", "two", "three"]);
});

test("flushing twice at once sends nothing twice", async t => {
  const { recorder, store, sent } = begin(t);
  store.keep(body("one"));
  recorder.flush();
  recorder.flush();
  await settle();
  assert.equal(sent.length, 1);
});

test("an empty outbox asks nothing of the network", async t => {
  const { recorder, sent } = begin(t);
  await recorder.flush();
  assert.equal(sent.length, 0);
});

test("a choice left over by an earlier page is recorded by the next", async t => {
  const page = createPage();
  page.kept.set("consent:outbox:shop", JSON.stringify([body("one")]));
  const { recorder, store } = begin(t, [], page);
  await recorder.flush();
  assert.deepEqual([store.waiting(), store.receipt()], [[], "receipt.of.one"]);
});

test("a showing is counted once, whatever becomes of it", async t => {
  const { recorder, sent } = begin(t, [{ status: 0 }]);
  recorder.shown({ policy: 3, language: "en", surface: "banner" });
  await settle();
  t.mock.timers.tick(100000);
  assert.deepEqual(sent.map(one => [one.url, one.body]),
    [["https://c.example/sites/shop/displays", { policy: 3, language: "en", surface: "banner" }]]);
});

test("an id is a UUID of version 7 that sorts by time", () => {
  const ids = [NOW * 1000, NOW * 1000 + 1, NOW * 1000 + 999999].map(time => newId(time));
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(parseInt(newId(NOW * 1000).slice(0, 13).replace("-", ""), 16), NOW * 1000);
});

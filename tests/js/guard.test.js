// The guard as it is built, run as a page runs it: the same rules and the same signals as the banner's script.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";
import { NOW, SUBJECT } from "./parts.js";
import { speak } from "../../banner/signals/index.js";

const shared = JSON.parse(readFileSync(new URL("../data/state.json", import.meta.url), "utf8"));

/** What the guard is called with for a policy of the shared cases. */
const settings = ({ version, categories, services, ...rest }) => ({
  site: "shop", policy: version, language: "en", cookie: "consent", ...rest,
  categories: categories.map(one => (one.necessary ? [one.id, 1] : [one.id])), services: services.map(one => [one.id, one.category]),
});

/** A page with the guard in it. `cookies` and `shelf` may be functions that throw. */
function run(config, { cookies = "", now = NOW, name = "guard", shelf = {}, more = {} } = {}) {
  const events = new EventTarget();
  const document = {
    get cookie() {
      return typeof cookies == "function" ? cookies() : cookies;
    },
    addEventListener: (...given) => events.addEventListener(...given),
    removeEventListener: (...given) => events.removeEventListener(...given),
    createElement: () => ({}),
  };
  class Clock extends Date {
    constructor(...given) {
      super(...(given.length ? given : [now * 1e3]));
    }
    static now = () => now * 1e3;
  }
  const page = { ...more, document, Date: Clock, console, get localStorage() {
    return typeof shelf == "function" ? shelf() : { getItem: key => shelf[key] ?? null };
  } };
  page.window = page;
  vm.runInNewContext(`(function($){${readFileSync(`static/${name}.js`, "utf8")}})(${JSON.stringify(config)})`, page);
  return { page, consent: page.consent, emit: (name, detail) => events.dispatchEvent(Object.assign(new Event("consent:" + name), { detail })) };
}

const plainly = value => JSON.parse(JSON.stringify(value));
const time = at => at && new Date(at * 1e3).toISOString().replace(".000Z", "Z");

for (const name of ["guard", "guard-plain"]) {
  for (const { name: why, policy, cookie, now, regime, gpc, state: expected } of shared.cases) {
    if (regime != "opt-in") continue;
    test(`${name}, shared case: ${why}${gpc ? ", GPC" : ""}`, () => {
      const { consent } = run(settings(shared.policies[policy]), { cookies: cookie ? `a=b; consent=${cookie}; z=1` : "", now, name });
      for (const key of Object.keys(expected)) {
        assert.deepEqual(plainly(consent.state[key]), /_at|until/.test(key) ? time(expected[key]) : expected[key], key);
      }
      for (const [id, answer] of Object.entries({ ...expected.services, ...expected.grants })) assert.equal(consent.granted(id), answer, id);
      assert.equal(consent.granted("nobody"), false);
    });
  }
}

const shop = settings(shared.policies.shop);
const value = (ids, at = NOW) => `consent=1.3.${at}.${SUBJECT}.${ids}`;

test("of two cookies the newer one holds", () => {
  for (const cookies of [[value("", NOW - 9), value("analytics")], [value("analytics"), value("", NOW - 9)]]) {
    assert.equal(run(shop, { cookies: cookies.join("; ") }).consent.granted("analytics"), true);
  }
});

test("blocked cookies and storage grant nothing and break nothing", () => {
  const blocked = () => {
    throw new Error("blocked");
  };
  const { consent } = run(shop, { cookies: blocked, shelf: blocked });
  assert.deepEqual([consent.state.status, consent.granted("analytics"), consent.granted("session"), consent.receipt()], ["unknown", false, true, null]);
});

test("what is called too early is done once the script is there, in its order", async () => {
  const { consent, page } = run(shop);
  const calls = [];
  const answers = [consent.accept(["analytics"]), consent.open(), consent.set({ social: true })];
  const refused = consent.withdraw();
  const api = { granted: () => true, state: { status: "given" }, receipt: () => "later", on: () => "off" };
  for (const name of ["accept", "open", "set"]) api[name] = (...given) => (calls.push([name, ...given]), name);
  api.withdraw = () => {
    throw new TypeError("no");
  };
  page.consent.handOver(api);
  assert.deepEqual(await Promise.all(answers), ["accept", "open", "set"]);
  await assert.rejects(refused, /no/);
  assert.deepEqual(plainly(calls), [["accept", ["analytics"]], ["open"], ["set", { social: true }]]);
  assert.deepEqual([consent.granted("social"), consent.state.status, consent.receipt(), consent.on("change")], [true, "given", "later", "off"]);
});

test("when answers at once for what is granted, and later for the rest", async () => {
  const { consent } = run(shop, { cookies: value("analytics") });
  await consent.when("analytics");
  const later = consent.when("social").then(() => "social");
  consent.handOver({ granted: () => false, when: async () => {} });
  assert.equal(await later, "social");
});

test("events reach who listened before the script came", () => {
  const { consent, emit } = run(shop);
  const heard = [];
  const off = consent.on("ready", detail => heard.push(detail));
  emit("ready", 1);
  off();
  emit("ready", 2);
  assert.deepEqual(heard, [1]);
});

test("the stored receipt is there at once", () => {
  assert.equal(run(shop, { shelf: { "consent:receipt:shop": "a.b.c" } }).consent.receipt(), "a.b.c");
});

const MAPS = {
  google: [
    ["ad_storage", "social"], ["ad_user_data", "social"], ["ad_personalization"], ["analytics_storage", "analytics"],
    ["functionality_storage", "persistent"], ["personalization_storage"], ["security_storage", "session"],
  ],
  uet: [["ad_storage", "social"]],
  clarity: [["ad_Storage", "social"], ["analytics_Storage", "analytics"]],
};
const OPTIONS = { wait_for_update: 500, ads_data_redaction: true, url_passthrough: true, regions: ["ES", "US-CA"] };

for (const ids of [null, "", "analytics", "analytics~social"]) {
  test(`the signals are those of the banner's script: ${ids ?? "no choice"}`, () => {
    const { wait_for_update, regions: region } = OPTIONS;
    const config = { ...shop, ...MAPS, google: [MAPS.google, { wait_for_update, region }, true, true] };
    const { page, consent } = run(config, { cookies: ids == null ? "" : value(ids) });
    globalThis.window = {};
    const none = Object.fromEntries(shop.categories.map(([id, necessary]) => [id, !!necessary]));
    speak("default", none, { ...MAPS, google_options: OPTIONS });
    if (ids != null) speak("update", consent.state.grants, { ...MAPS, google_options: OPTIONS });
    const said = page => plainly([page.dataLayer.map(one => (one.event ? one : [...one])), page.uetq, page.clarity.q.map(one => [...one])]);
    assert.deepEqual(said(page), said(globalThis.window));
    assert.equal(Object.prototype.toString.call(page.dataLayer[0]), "[object Arguments]");
  });
}

test("a queue of another kind keeps nobody waiting", () => {
  const { error } = console;
  console.error = () => {};
  const { consent } = run({ ...shop, google: [[["ad_storage"]], {}, false, false] }, { more: { dataLayer: 1 } });
  console.error = error;
  assert.equal(consent.granted("session"), true);
});

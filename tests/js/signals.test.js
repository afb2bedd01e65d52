// One contract for every signal we speak, and what Google needs besides.
import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";
import "./parts.js";
import { heard } from "../../banner/signals/gpc.js";
import { SIGNALS, speak } from "../../banner/signals/index.js";

const MAPS = {
  gpc: [],
  google_options: { wait_for_update: 500, ads_data_redaction: false, url_passthrough: false },
  google: [
    ["ad_storage", "social", "partners"], ["ad_user_data", "social", "partners"], ["ad_personalization"], ["analytics_storage", "analytics"],
    ["functionality_storage", "persistent"], ["personalization_storage", "persistent"], ["security_storage", "session"],
  ],
};
const NOTHING = { session: true, persistent: false, analytics: false, social: false, partners: false };
const TYPES = ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage", "security_storage"];

beforeEach(() => {
  globalThis.window = {};
});
const said = () => window.dataLayer.filter(item => !item.event).map(item => [...item]);

test("what is queued are Arguments objects: Google ignores arrays", () => {
  speak("default", NOTHING, MAPS);
  assert.equal(Object.prototype.toString.call(window.dataLayer[0]), "[object Arguments]");
});

test("the default denies all but what is necessary, and waits", () => {
  speak("default", NOTHING, MAPS);
  const [command, mode, { wait_for_update, ...values }] = said()[0];
  assert.deepEqual([command, mode, wait_for_update], ["consent", "default", 500]);
  assert.deepEqual(Object.keys(values), TYPES);
  assert.deepEqual(Object.keys(values).filter(type => values[type] !== "denied"), ["security_storage"]);
});

test("a change is told, and a withdrawal takes it back", () => {
  speak("update", { ...NOTHING, analytics: true }, MAPS);
  speak("update", NOTHING, MAPS);
  assert.deepEqual(said().map(([, mode, values]) => [mode, values.analytics_storage]), [["update", "granted"], ["update", "denied"]]);
});

test("an update waits for nothing", () => {
  speak("update", NOTHING, MAPS);
  assert.deepEqual(Object.keys(said()[0][2]), TYPES);
});

test("a type is granted only when every category that maps to it is", () => {
  speak("update", { ...NOTHING, social: true }, MAPS);
  speak("update", { ...NOTHING, social: true, partners: true }, MAPS);
  assert.deepEqual(said().map(([, , values]) => values.ad_storage), ["denied", "granted"]);
});

test("a type that no category maps to stays denied", () => {
  speak("update", Object.fromEntries(Object.keys(NOTHING).map(id => [id, true])), MAPS);
  assert.equal(said()[0][2].ad_personalization, "denied");
});

test("a queue that is there is kept", () => {
  const queue = (window.dataLayer = [{ event: "mine" }]);
  speak("default", NOTHING, MAPS);
  assert.equal(window.dataLayer, queue);
  assert.equal(queue.length, 2);
});

test("a policy without Google says nothing to Google", () => {
  for (const google of [null, undefined]) speak("default", NOTHING, { gpc: [], google });
  assert.equal(window.dataLayer, undefined);
});

test("redaction follows the state of ads, and passing through the address is said once", () => {
  const maps = { ...MAPS, google_options: { ...MAPS.google_options, ads_data_redaction: true, url_passthrough: true, regions: ["DE", "FR"] } };
  speak("default", NOTHING, maps);
  speak("update", { ...NOTHING, social: true, partners: true }, maps);
  assert.deepEqual(said().filter(([word]) => word == "set").map(([, ...rest]) => rest),
    [["url_passthrough", true], ["ads_data_redaction", true], ["ads_data_redaction", false]]);
  assert.deepEqual(said()[0][2].region, ["DE", "FR"]);
});

test("tag managers get a plain event after each change, none after the default", () => {
  speak("default", NOTHING, MAPS);
  assert.equal(window.dataLayer.length, 1);
  speak("update", NOTHING, MAPS);
  assert.deepEqual(window.dataLayer.at(-1), { event: "consent_update" });
});

test("a page that uses the queue for something else harms nobody", () => {
  window = { dataLayer: { push: () => { throw new Error("not a queue"); } } };
  const { error } = console;
  console.error = () => {};
  speak("default", NOTHING, { ...MAPS, uet: [["ad_storage", "social"]] });
  console.error = error;
  assert.equal(window.uetq.length, 3);
});

// What each signal said last, as granted or denied, whatever its own words are.
const LAST = {
  google: () => said().filter(([word]) => word == "consent").at(-1)[2].analytics_storage,
  uet: () => window.uetq.slice(-1)[0].ad_storage,
  clarity: () => [...window.clarity.q.at(-1)][1].analytics_Storage,
};
const EVERY = { ...MAPS, google: [["analytics_storage", "analytics"]], uet: [["ad_storage", "analytics"]], clarity: [["ad_Storage", "analytics"], ["analytics_Storage", "analytics"]] };

for (const name in SIGNALS) test(`${name}: the default denies, a change is told, a withdrawal takes it back`, () => {
  const heardNow = [];
  for (const [command, analytics] of [["default", false], ["update", true], ["update", false]]) {
    speak(command, { ...NOTHING, analytics }, EVERY);
    heardNow.push(LAST[name]());
  }
  assert.deepEqual(heardNow, ["denied", "granted", "denied"]);
});

for (const name in SIGNALS) test(`${name}: is not spoken to without a mapping`, () => {
  speak("default", NOTHING, { gpc: [] });
  assert.deepEqual(Object.keys(window), []);
});

test("Global Privacy Control is on only when it says exactly true", () => {
  assert.equal(heard({ globalPrivacyControl: true }), true);
  for (const value of [undefined, false, null, 1, "1", "true"]) assert.equal(heard({ globalPrivacyControl: value }), false);
});

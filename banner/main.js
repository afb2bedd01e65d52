// Boot order and the public API. Its rule: the stored choice is read first, everything follows from the state, and
// whatever fails leaves things as they were: not granted.
import { follow } from "./across.js";
import { createBlocker, exchange, trusted } from "./blocker.js";
import { answers, changed, derive, entries } from "./choices.js";
import { beyond, clean, tell } from "./cleaner.js";
import { appearance, categories, config, dataset, home, language, nonce, policy, regime, script, services, signals, src } from "./config.js";
import { createGate } from "./gate.js";
import { createPlaceholders } from "./placeholder.js";
import { createRecorder, newId } from "./recorder.js";
import { heard } from "./signals/gpc.js";
import { speak } from "./signals/index.js";
import { createStore, newSubject } from "./store.js";
import { createView, whenThere } from "./view.js";

/**
 * @typedef {import("./types").State} State
 * @typedef {import("./types").Answers} Answers
 * @typedef {import("./types").Action} Action
 * @typedef {import("./types").Surface} Surface
 */

// Search engines index pages, not banners. Never by `navigator.webdriver`: auditors would find nothing to audit.
// Some telephones are called Cubot: their word is not followed so.
const CRAWLERS = /bot[/;]|google-inspection|spider|slurp/i;
const headless = () => dataset.auto == "off" || (!live() && crawls()); // they keep no cookie
const crawls = () => CRAWLERS.test(navigator.userAgent);
if (regime != "opt-in" && crawls()) config.regime = "opt-in"; // is granted nothing, wherever it comes from
const gpc = () => heard(navigator);
const theirs = /** @type {any} */ (window).consent; // a guard, another script of ours, or a form of that name
const guard = theirs?.handOver?.call ? theirs : undefined;
const store = createStore(config, window);
const recorder = createRecorder({ home, store, emit: refresh });

/** @type {State} */
let state;
/** @type {() => void} */
let release;
/** @type {object | undefined} what is told of the banner once it was shown */
let shown;
/** @type {ReturnType<typeof createView> | undefined} */
let view;
/** @type {BroadcastChannel | undefined} */
let others;

const AT_REST = 1e3; // milliseconds after which a page has other things behind it
const seconds = () => (Date.now() / 1e3) >>> 0;
/** @param {number | null} at @returns {any} a string, or null */
const time = at => at && new Date(at * 1e3).toISOString().slice(0, 19) + "Z";

/** @type {import("./types").Emit} */
const emit = (event, detail) => document.dispatchEvent(new CustomEvent("consent:" + event, { detail }));

/** The state as the page sees it, read anew: another tab may have decided. @returns {State} */
function read(choice = store.read()) {
  const derived = derive(config, choice, regime != "opt-in" && gpc(), seconds());
  return Object.freeze({
    ...derived, regime, language,
    get decided_at() { // few ask, and dates are dear
      return time(derived.decided_at);
    },
    get valid_until() {
      return time(derived.valid_until);
    },
  });
}

const live = () => !["unknown", "expired", "outdated"].includes(state.status);

/** @param {string} id */
const answer = id => (__SERVICES__ ? state.grants[id] ?? state.services[id] : state.grants[id]);

/** @param {string} id */
const granted = id => answer(id) == true;

/** Where nothing has been asked yet nothing is refused. @param {string} id */
const refused = id => answer(id) == false && (live() || regime != "opt-in");

/** @param {Element} root */
const draw = root => (view ||= createView({ gpc, live, decide, emit, state: () => state, receipt: store.receipt, root, headless: headless() }));
const open = () => whenThere(dataset.root, root => draw(root).open());
const close = () => view?.close();

/** @param {State} state */
const essence = ({ status, grants, services }) => JSON.stringify([status, grants, services]);

/** Takes over what the cookie says now; only a change is passed on. @param {string} [event] @param {unknown} [detail] */
function refresh(event, detail) {
  const before = state;
  state = read();
  const same = essence(before) == essence(state);
  if (!same) turn(before);
  if (event) {
    emit(event, detail);
    others?.postMessage(0);
  }
  if (!same) emit("change", state);
}

/** Providers hear of it first, then what waits is released or put back, then what they left is cleared. @param {State} before */
function turn(before) {
  const turned = __SERVICES__ ? services.filter(({ id }) => before.services[id] != state.services[id]) : [];
  const refused = __SERVICES__ ? turned.filter(({ id }) => !granted(id)) : [];
  speak("update", state.grants, signals);
  if (__SERVICES__) tell(refused, 1);
  release();
  if (__SERVICES__) tell(turned.filter(({ id }) => granted(id)), 0);
  view?.sync();
  restrict();
  if (__SERVICES__) sweepUp(refused);
}

/**
 * Clears what refused services left; those just refused may bring something back, so that it looks again. On a page's rest
 * one look is enough: what comes later meets the next page's.
 * @param {import("./types").Service[]} refused
 */
async function sweepUp(refused) {
  if (!live()) return;
  const cleared = () => clean(services, granted, window).catch(error => (console.error(error), []));
  let left = await cleared();
  if (refused.length) {
    if (config.blocking.reload) return location.reload();
    await new Promise(resolve => setTimeout(resolve, 1e3));
    left = [...await cleared(), ...beyond(refused)];
  }
  if (left.length) {
    console.warn("consent: cannot be cleared from here: " + left.join(", "));
    emit("error", { left });
  }
}

/** Holds the page to what is granted, by the strict guard; true where the page would have to be another one to hold less. */
const restrict = () => guard?.restrict?.();

/**
 * What is let in once is recorded, and nothing more: it lasts no longer than the page.
 * @param {Action} action @param {Surface} surface @param {Answers} [changes] to what holds now
 */
function decide(action, surface, changes = answers(__SERVICES__ ? [...categories, ...services] : categories, () => action == "accept_all")) {
  state = read();
  const lasts = action != "load_once";
  const decision = changed(config, state, changes);
  const now = seconds();
  const subject = state.subject || newSubject();
  const kept = lasts && store.save({ policy, decided_at: now, subject, ids: entries(config, decision, action) });
  const body = {
    id: newId(), subject, policy, language, action, surface, ...decision,
    signals: gpc() ? /** @type {const} */ ({ gpc: true }) : undefined,
    decided_at: time(now),
  };
  recorder.record(body);
  if (!lasts) return emit("decide", body);
  refresh("decide", body);
  view?.sync();
  view?.announce();
  leave();
  if (restrict() && kept) location.reload();
}

/** @param {string[]} ids */
function check(ids) {
  for (const id of ids) if (answer(id) == null) throw new TypeError(`consent: this policy has no "${id}"`);
}

/** @param {Answers} changes */
function set(changes) {
  check(Object.keys(changes));
  decide("custom", "api", changes);
}

/** @param {string} event @param {(detail: unknown) => void} listener */
function on(event, listener) {
  const name = "consent:" + event;
  const hear = (/** @type {any} */ { detail }) => listener(detail);
  document.addEventListener(name, hear);
  if (event == "ready") queueMicrotask(() => listener(state)); // it has been, or nobody could call this
  return () => document.removeEventListener(name, hear);
}

const api = Object.freeze({
  granted, open, close, set, on,
  receipt: store.receipt,
  get state() {
    return state;
  },
  /** @param {string} id @returns {Promise<void>} */
  async when(id) {
    check([id]);
    if (!granted(id)) await new Promise(resolve => {
      const off = on("change", () => granted(id) && (off(), resolve(0)));
    });
  },
  /** @param {string[]} [ids] */
  accept: ids => (ids ? set(Object.fromEntries(ids.map(id => [id, true]))) : decide("accept_all", "api")),
  reject: () => decide("reject_all", "api"),
  withdraw: () => decide("withdraw", "api"),
});

/** @param {import("./types").Choice | null} [choice] */
function boot(choice) {
  state = read(choice);
  if (!guard) speak("default", live() ? read(null).grants : state.grants, signals);
  if (guard ? essence(guard.state) != essence(state) : live()) speak("update", state.grants, signals);
  window.consent = api;
  const places = createPlaceholders((action, id) => decide(action, "placeholder", { [id]: true }), !guard?.restrict);
  const sweep = __SERVICES__ ? createGate({ services, blocking: config.blocking, granted, vouch: html => trusted().createHTML(html) }) : () => {};
  release = createBlocker({ nonce, granted, refused, places, sweep, mend: () => view?.mend(), open });
  guard?.handOver(api);
  if (guard && guard.guards != policy) console.warn("consent: paste the guard anew, of policy " + guard.guards);
  emit("ready", state);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : refresh()));
  addEventListener("pagehide", () => {
    leave();
    others = void others?.close(); // a page that others might call upon is not kept
    addEventListener("pageshow", () => (listen(), refresh()), { once: true }); // it is shown again as it was left
  });
  listen();
  if (!live()) whenThere(dataset.root, root => {
    draw(root);
    if (!headless() && !appearance.quiet) shown = { policy, language, surface: "banner", first: isFirst() };
  });
  if (state.subject) setTimeout(settle, AT_REST);
}

/**
 * A choice in one tab holds in the others at once. Not by the `storage` event: listening to it opens the page's whole
 * localStorage before anybody has chosen anything, which takes ten times as long.
 */
function listen() {
  others?.close();
  try {
    others = new BroadcastChannel("consent:" + config.site);
    others.onmessage = () => refresh();
  } catch {
    // not here: the others look when they are looked at
  }
}

/** What is left to say when the page goes: that the banner was shown is counted then, not while the page loads. */
function leave() {
  recorder.flush();
  if (shown) recorder.shown(shown);
  shown = undefined;
}

/**
 * Whether our tag, or the guard before it, stands first in the head, but for what neither runs nor loads. Where only
 * `async` scripts precede, nobody can tell: many tags put themselves before the first script of a page.
 */
function isFirst() {
  let guards = guard ? 1 : 0;
  let waits = 0;
  /** @type {any} */
  let one = script;
  if (one.parentNode != document.head) return false;
  while ((one = one.previousElementSibling)) {
    if (one.matches("meta,base,title") || one.src?.startsWith(home)) continue;
    if (one.async) waits++;
    else if (guards--) waits = 0;
    else return false;
  }
  return !waits || undefined;
}

/** What nobody who has chosen before waits for: the control that reopens the preferences, and what was not sent yet. */
function settle() {
  recorder.flush();
  if (!live()) return;
  whenThere(dataset.root, draw);
  // WebKit forgets a script's cookie a week after it was last written.
  if ("GestureEvent" in window) store.save(/** @type {import("./types").Choice} */ (store.read()));
  if (__SERVICES__) sweepUp([]);
}

/**
 * A page that is prepared before anybody looks at it waits: it may never be seen. The cookie is read first and by itself:
 * Chromium notes where every caller of that stands in its source, and where the whole script, or much of it, is among
 * them, this costs more than all the rest. Microtasks run before anything else on the page.
 */
function start() {
  if (__ACROSS__) follow(store);
  const begin = () => queueMicrotask(boot.bind(null, store.read()));
  if (/** @type {any} */ (document).prerendering) document.addEventListener("prerenderingchange", begin); // once by itself
  else queueMicrotask(begin);
}

const { lang } = dataset;
// A form may be called `consent` as well: only our own has the function.
if (!guard && theirs?.granted?.call) console.warn("consent: loaded twice");
// A tag pinned by its hash gets what it names, and a script that was asked for in a language is the nearest there is.
else if (!lang || lang == language || script.integrity || src.includes("lang=")) start();
else exchange(script, home + "/banner.js?lang=" + encodeURIComponent(lang), start);

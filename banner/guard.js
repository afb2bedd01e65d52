// The guard: stands in the page itself, first of all, and holds the place until the banner's script comes: it answers
// for the stored choice, speaks the consent signals and holds back what the script would hold back.
// Its rule: the place is not known here, so it treats everybody as asked first (opt-in). Every byte of it lies in every
// page: the rules of choices.js and signals/ are said anew as briefly as they can be, bound to the same tests.

export {}; // a script of its own

const { site, policy, language, material_since, valid_days, refusal_days, cookie, categories, services, google, uet, clarity } = __GUARD__;

/** @type {any} the API of the script, once it is there */
let api;
/** @type {(api: any) => void} */
let arrive;
const arrived = new Promise(resolve => (arrive = resolve));

/** @param {() => string | null} read @returns {string} nothing where storage is blocked */
const stored = read => {
  try {
    return read() || "";
  } catch {
    return "";
  }
};

const now = Date.now() / 1e3;
const [, version, at, subject, list] = stored(() => document.cookie).split("; ").map(text => text.split(cookie + "="))
  .map(([before, text]) => !before && text?.length < 500 &&
    /^1\.([1-9]\d{0,8})\.(\d{1,11})\.([\w-]{21}[AQgw])\.((?:[+-]?[a-z][a-z\d_-]*(?:~(?=.)|$))*)$/.exec(text))
  .reduce((/** @type {any} */ newest, one) => (!one || +one[2] > now + 86400 || newest[2] > +one[2] ? newest : one), []);
const ids = (list || "").split("~");
const until = at && +at + (/(^|~)[^~-]/.test(list) ? valid_days : refusal_days || valid_days) * 86400;
const lapse = !at ? "unknown" : now >= until ? "expired" : version < material_since && "outdated";

/** @param {string} id */
const named = id => !lapse && ids.includes(id);

/**
 * @template One
 * @param {One[]} list @param {(one: any) => any} answer
 */
const each = (list, answer) => Object.freeze(Object.fromEntries(list.map((/** @type {any} */ one) => [one[0], answer(one)])));

const grants = each(categories, ([id, necessary]) => !!necessary || (named(id) && !named("-" + id)));
const own = each(services, ([id, category]) => !ids.includes("-" + id) && (grants[category] || named("+" + id)));
const all = { ...own, ...grants };

/** The status of a live choice, as `judge` in choices.js says it. */
const judge = () => !Object.values(all).includes(false) ? "given" :
  categories.some(([id, necessary]) => !necessary && grants[id]) || services.some(([id, category]) => own[id] && !grants[category]) ? "partial" :
  categories.some(([id]) => named("-" + id)) ? "withdrawn" : "refused";

/** @param {any} at */
const time = at => (at ? new Date(at * 1e3).toISOString().replace(/\..*/, "Z") : null);

const state = Object.freeze({
  status: lapse || judge(), grants, services: own, policy: +version || null, subject: subject || null,
  decided_at: time(at), valid_until: time(until), regime: "opt-in", language,
});

/** @type {Record<string, any>} */
const guard = {
  granted: (/** @type {string} */ id) => (api ? api.granted(id) : all[id] === true),
  get state() {
    return api ? api.state : state;
  },
  receipt: () => (api ? api.receipt() : stored(() => localStorage.getItem("consent:receipt:" + site)) || null),
  on(/** @type {string} */ event, /** @type {any} */ listener) {
    if (api) return api.on(event, listener);
    const name = "consent:" + event;
    const hear = (/** @type {any} */ { detail }) => listener(detail);
    document.addEventListener(name, hear);
    return () => document.removeEventListener(name, hear);
  },
  when: async (/** @type {string} */ id) => guard.granted(id) || (await arrived).when(id),
  guards: policy,
  handOver: (/** @type {any} */ real) => arrive((api = real)),
};
for (const name of ["open", "close", "accept", "reject", "withdraw", "set"]) {
  guard[name] = async (/** @type {any[]} */ ...given) => (await arrived)[name](...given);
}
window.consent = guard;

/** @param {any} grants @param {any[]} types each with the categories it needs */
const values = (grants, types) => each(types, ([, ...needed]) => needed[0] && needed.every((/** @type {string} */ id) => grants[id]) ? "granted" : "denied");

/** @type {(...words: unknown[]) => void} */
const gtag = function () {
  (window.dataLayer ||= []).push(arguments);
};

/** @param {"default" | "update"} command @param {any} grants @param {any} [first] */
function speak(command, grants, first) {
  if (google) {
    const [types, options, redacts, passes] = google;
    const said = values(grants, types);
    gtag("consent", command, { ...said, ...(first && options) });
    if (first && passes) gtag("set", "url_passthrough", true);
    if (redacts) gtag("set", "ads_data_redaction", said.ad_storage == "denied");
    if (!first) window.dataLayer.push({ event: "consent_update" });
  }
  if (__SERVICES__) {
    if (uet) (window.uetq ||= []).push("consent", command, values(grants, uet));
    if (clarity) {
      /** @type {any} */
      const queue = function () {
        (queue.q ||= []).push(arguments);
      };
      (window.clarity ||= queue)("consentv2", values(grants, clarity));
    }
  }
}

try {
  speak("default", Object.fromEntries(categories), 1);
  if (!lapse) speak("update", grants);
} catch (error) {
  console.error(error); // a page may use `dataLayer` for something else
}

if (__SERVICES__) {
  /** The service that has to wait. @param {2 | 3} at where its pattern stands @param {string} text */
  const held = (at, text) => {
    const found = api ? [] : services.filter(one => one[at] && RegExp(one[at]).test(text));
    return !found.some(([id]) => all[id]) && found[0];
  };
  const link = document.createElement("a"); // knows the page's base address
  const INSERTING = "appendChild insertBefore replaceChild append prepend before after replaceWith replaceChildren setAttribute".split(" ");

  /** Whether an element waits from now on instead of loading. @param {any} element @param {any} [address] */
  const hold = (element, address = element.src) => {
    const { dataset, localName } = element;
    link.href = address;
    const service = address && dataset && element.type != "text/plain" && held(2, link.href);
    if (!service) return;
    [dataset.service, dataset.consent] = service;
    if (localName != "script") return element.removeAttribute("src"), (dataset.src = address);
    dataset.type = element.type;
    element.type = "text/plain";
  };

  /** @param {any} node */
  const sweep = node => {
    if (!node?.nodeType) return;
    hold(node);
    node.querySelectorAll?.("[src]").forEach((/** @type {Element} */ one) => hold(one));
  };

  /** @param {any} holder @param {string} name @param {(it: any, value: any) => unknown} stop */
  const patch = ({ prototype }, name, stop) => {
    const own = /** @type {any} */ (Object.getOwnPropertyDescriptor(prototype, name));
    Object.defineProperty(prototype, name, {
      ...own,
      set(value) {
        stop(this, value) || own.set.call(this, value);
      },
    });
  };
  try {
    patch(Document, "cookie", (_, text) => held(3, `${text}`.split(/[=;]/)[0].trim()));
    for (const holder of [Image, HTMLIFrameElement, HTMLScriptElement]) patch(holder, "src", hold);
    for (const { prototype } of /** @type {any[]} */ ([Node, Element, DocumentFragment])) for (const name of INSERTING) if (Object.hasOwn(prototype, name)) {
      const native = prototype[name];
      prototype[name] = /** @this {any} @param {any[]} given */ function (...given) {
        if (name == "setAttribute") {
          if (given[0] == "src" && hold(this, given[1])) return;
        } else {
          given.forEach(sweep);
        }
        return native.apply(this, given);
      };
    }
    new MutationObserver(records => records.forEach(one => one.addedNodes.forEach(sweep)))
      .observe(document, { childList: true, subtree: true });
  } catch {
    // a page that has frozen its prototypes: one way less
  }
}

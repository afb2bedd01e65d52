// The banner, the preferences and the control that reopens them. Its rule: it draws what the state says and hands
// every click on; it decides nothing. Words reach the page as text, looks as constructed sheets that withstand the
// page's own: an important declaration inside a shadow root wins over any outside.
import { answers } from "./choices.js";
import { appearance, categories, config, language as lang, regime, services } from "./config.js";
import forBanner from "./style/banner.css";
import forControl from "./style/control.css";
import forDialog from "./style/dialog.css";
import forServices from "./style/services.css";
import * as texts from "./texts.js";

/**
 * @typedef {object} Parts
 * @property {() => boolean} gpc
 * @property {boolean} headless
 * @property {() => string | null} receipt
 * @property {Element} root
 * @property {() => import("./types").State} state
 * @property {() => boolean} live whether there is a choice that holds
 * @property {(action: import("./types").Action, surface: import("./types").Surface, changes?: import("./types").Answers) => void} decide
 * @property {import("./types").Emit} emit
 */

const { privacy_url, direction: dir = "ltr" } = config;

const BANNER = [forControl, forBanner];
const ALL = [...BANNER, forDialog, __SERVICES__ && forServices];

/** Each is parsed once, when something first needs it: most visitors see the control alone. @type {Record<string, CSSStyleSheet>} */
const sheets = {};

/** @param {any} css */
function sheet(css) {
  if (!sheets[css]) (sheets[css] = new CSSStyleSheet()).replaceSync(css == appearance.css ? css : css.replaceAll(";", "!important;"));
  return sheets[css];
}

/**
 * An element; attributes and children that are nothing are left out.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {unknown[]} children
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const name in attributes) if (attributes[name]) made.setAttribute(name, attributes[name]);
  made.append(.../** @type {Node[]} */ (children.filter(Boolean)));
  return made;
}

/** @param {string} text @param {() => void} onclick @param {string} [id] @param {string} [kind] @param {string} [label] */
export function button(text, onclick, id, kind, label) {
  const made = element("button", { type: "button", id, class: kind, "aria-label": label }, text);
  made.addEventListener("click", onclick); // `onclick` would cost as much as the button
  return made;
}

/** @param {string} id @param {Record<string, unknown>} attributes @param {unknown[]} children */
export const host = (id, attributes, ...children) =>
  element("div", { id, lang, dir, ...attributes }, ...children);

/** @param {HTMLElement} host @param {(string | false)[]} looks @param {Node[]} children */
function dress(host, looks, ...children) {
  const root = host.attachShadow({ mode: "open" });
  try {
    root.adoptedStyleSheets = [...looks, appearance.css].filter(Boolean).map(sheet);
  } catch {
    // a browser of before 2023: all is there, without its looks
  }
  root.append(...children);
  return host;
}

/** @param {HTMLElement} host @param {Node[]} children */
export const shadow = (host, ...children) => dress(host, ALL, ...children);

/**
 * Draws once the place is there: the script may run before the body is parsed. A root that never comes is the body.
 * @param {string | undefined} selector @param {(root: Element) => void} draw
 */
export function whenThere(selector, draw) {
  const { body, readyState } = document;
  /** @type {Element | null | false} */
  let root = body;
  try {
    if (selector) root = document.querySelector(selector) || (readyState != "loading" && body);
  } catch {
    selector = ""; // no selector at all
  }
  if (root) draw(root);
  else setTimeout(whenThere, 9, selector, draw);
}

/** @param {Parts} parts */
export function createView(parts) {
  const { headless, live, emit } = parts;
  let { root } = parts;
  let mendings = 0;
  const place = new Comment("consent"); // goes with the page's body, whatever stands there of us
  const status = element("div", { role: "status" });
  /** @type {HTMLElement | undefined} */
  let dock;
  /** @type {HTMLElement | undefined} */
  let control;
  /** @type {HTMLElement | undefined} */
  let banner;
  /** @type {HTMLDialogElement | undefined} */
  let dialog;

  function open() {
    if (dialog?.open) return;
    dialog = createPreferences(parts);
    const top = shadow(host("consent-preferences", {}), dialog);
    root.append(top);
    dialog.onclose = () => (top.remove(), emit("close"));
    dialog.showModal();
    emit("open");
  }

  const close = () => dialog?.close();

  /** Draws what the state asks for. Focus that was in what goes is led to the control that stays. */
  function sync() {
    const before = document.activeElement;
    close();
    if (headless) return;
    if (!live() && !appearance.quiet) {
      control?.remove();
      root.prepend((banner ||= createBanner(parts, open)));
      const modal = /** @type {any} */ (banner).shadowRoot.firstChild;
      modal.close?.(); // one that was moved is open, and not modal any more
      modal.showModal?.();
      return;
    }
    banner?.remove();
    control ||= button(regime == "opt-out" ? texts.reopen : "⚙\ufe0e", open, "", "reopen", texts.reopen);
    dock ||= dress(host("consent-reopen", {}), [forControl], element("slot", {}), status);
    if (!dock.isConnected) root.append(dock);
    if (!appearance.bare) dock.append(control);
    if (before != document.body && document.activeElement == document.body) control.focus();
  }

  /** A page may rewrite its body: the banner returns, unless the page keeps throwing it out. */
  function mend() {
    if (place.isConnected || mendings++ > 20) return;
    // A body that is written anew as text holds copies of ours, without what is in their shadow.
    document.querySelectorAll("#consent-modal,#consent-banner,#consent-reopen").forEach(one => one.shadowRoot || one.remove());
    if (!root.isConnected) root = document.body;
    root?.append(place);
    sync();
  }

  /** A region that was there before its words is read out. */
  const announce = () => setTimeout(() => (status.textContent = texts.saved), 99);

  root.append(place);
  sync();
  return { open, close, sync, mend, announce };
}

/** What both layers begin with. @param {Parts} parts @param {string} title @param {string} body */
const words = ({ gpc, state }, title, body) => [
  element("h2", { id: "consent-title" }, title),
  element("p", {}, body),
  state().status == "outdated" && texts.changed && element("p", {}, texts.changed),
  gpc() && element("p", {}, texts.gpc),
];

/** The two answers, the same in all but their words. @param {Parts} parts @param {import("./types").Surface} surface */
function pair({ state, decide }, surface) {
  const granting = /given|partial/.test(state().status);
  const [word, action] = granting ? [texts.withdraw, /** @type {const} */ ("withdraw")] : [texts.reject, /** @type {const} */ ("reject_all")];
  return [
    button(texts.accept, () => decide("accept_all", surface), "consent-accept", "answer"),
    button(word, () => decide(action, surface), "consent-reject", "answer"),
  ];
}

/** @param {string} label @param {() => void} onclick */
const cross = (label, onclick) => button("×", onclick, "consent-close", "x", label);

/**
 * A banner that covers what has the focus goes to the opposite edge, and the page to this one (WCAG 2.2, 2.4.11); where
 * the page ends, it may take a second turn.
 * @param {Element} banner @param {any} target
 */
function uncover(banner, target) {
  for (const _ of "12") {
    const { left, top, width } = target.getBoundingClientRect();
    const there = document.elementFromPoint(left + width / 2, top + 9);
    if (!banner.contains(there) || banner.contains(target)) return;
    banner.toggleAttribute("away");
    target.scrollIntoView(banner.getBoundingClientRect().top > 99); // to the window's top, or to its bottom
  }
}

/** The first layer, its words and buttons where other tools find them. Its X and Escape refuse. @param {Parts} parts @param {() => void} open */
function createBanner(parts, open) {
  const { decide } = parts;
  const refuse = () => decide("reject_all", "banner");
  const banner = host("consent-banner", appearance.modal ? {} : { role: "dialog", "aria-labelledby": "consent-title" },
    ...words(parts, texts.title, texts.body),
    privacy_url && element("a", { href: privacy_url }, texts.privacy_link),
    ...pair(parts, "banner"),
    button(texts.preferences, open, "consent-choose"),
    cross(texts.close, refuse));
  dress(banner, BANNER, element("slot", {}));
  // Browsers scroll to it first. What the mouse pressed stays under it.
  addEventListener("focusin", ({ target }) => /** @type {any} */ (target).matches(":focus-visible") && setTimeout(uncover, 9, banner, target));
  if (!appearance.modal) return banner.addEventListener("keydown", ({ key }) => key == "Escape" && refuse()), banner;
  const modal = element("dialog", { "aria-label": texts.title }, element("slot", {}));
  modal.oncancel = refuse;
  return shadow(host("consent-modal", {}, banner), modal); // around it, so that the banner is laid out in the page itself
}

/**
 * The second layer, built when it is wanted. Its X, which comes first and so has the focus, and Escape change
 * nothing.
 * @param {Parts} parts
 */
function createPreferences(parts) {
  const { state, decide } = parts;
  const surface = "preferences";
  /** @type {HTMLInputElement[]} */
  const inputs = [];
  const rows = categories.map(category => row(category, state(), inputs));
  const save = () => decide("custom", surface, answers(inputs, one => one.checked));
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-labelledby": "consent-title" },
    cross(texts.dismiss, () => dialog.close()),
    ...words(parts, texts.preferences_title, texts.preferences_body),
    ...rows,
    ...last(parts),
    element("div", { class: "row" }, ...pair(parts, surface), button(texts.save, save, "consent-save"))));
  return dialog;
}

/** When and under which number the visitor chose last, and the receipt itself. @param {Parts} parts */
function last({ state, receipt }) {
  const { decided_at, policy } = state();
  const token = receipt();
  if (!decided_at || !token) return [];
  const { jti } = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  /** @type {Record<string, any>} */
  const values = { date: new Date(decided_at).toLocaleString(lang), policy, id: jti };
  const download = element("a", { href: "data:application/jwt," + token, download: jti + ".jwt" }, texts.download);
  return [element("p", {}, texts.last_choice.replace(/{(\w+)}/g, (_, name) => values[name]), " ", download)];
}

/** A switch with its name. @param {string} id @param {string} name @param {boolean} checked @param {boolean} [disabled] */
function toggle(id, name, checked, disabled) {
  const input = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox", role: "switch", id, "aria-describedby": id + "-", checked, disabled }));
  return { input, label: element("label", { class: "row" }, element("b", {}, name), disabled && texts.always_on, input) };
}

/**
 * A category with its services. Its switch moves theirs; theirs may deviate.
 * @param {import("./types").Category} category @param {import("./types").State} state @param {Node[]} inputs takes the switches up
 */
function row({ id, name, purpose, necessary }, state, inputs) {
  const { input, label } = toggle(id, name, state.grants[id], necessary);
  inputs.push(input);
  const shown = [label, element("p", { id: id + "-" }, purpose)];
  if (!__SERVICES__) return element("section", {}, ...shown);
  const own = services.filter(one => one.category == id).map(one => ({ one, ...toggle(one.id, one.name, state.services[one.id], necessary) }));
  inputs.push(...own.map(it => it.input));
  input.onchange = () => own.forEach(it => (it.input.checked = input.checked));
  return element("section", {}, ...shown,
    own.length && element("details", {}, element("summary", {}, `${texts.services} (${own.length})`),
      ...own.flatMap(({ one, label }) => [label, ...about(one)])));
}

/** A technical name, which reads from left to right in every language. @param {string} name */
const upright = name => (dir == "rtl" ? `\u2066${name}\u2069` : name);

/** Who a service is and what it keeps for how long. @param {import("./types").Service} service */
const about = ({ id, purpose, provider: { name, url }, kept = [] }) => [
  element("p", { id: id + "-" }, purpose),
  element("p", {}, texts.provider + ": ", url ? element("a", { href: url }, name) : name),
  kept.length && element("p", {}, texts.kept + ": ", kept.map(one => `${upright(one.name)} (${lasting(one.lifetime)})`).join(", ")),
];

/** A lifetime in the visitor's language. @param {string} lifetime */
function lasting(lifetime) {
  const [count, unit] = lifetime.split(" ");
  if (!unit) return lifetime == "session" ? texts.until_closed : texts.until_deleted;
  return new Intl.NumberFormat(lang, { style: "unit", unit: unit.replace(/s$/, ""), unitDisplay: "long" }).format(+count);
}

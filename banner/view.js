// The banner, the preferences and the control that reopens them. Its rule: it draws what the state says and hands
// every click on; it decides nothing. Words reach the page as text, looks as constructed sheets that withstand the
// page's own: an important declaration inside a shadow root wins over any outside.
import css from "./style.css";

/**
 * @typedef {object} Parts
 * @property {boolean} gpc
 * @property {boolean} headless
 * @property {Element} root
 * @property {() => import("./types").State} state
 * @property {() => boolean} live whether there is a choice that holds
 * @property {(action: import("./types").Action, surface: import("./types").Surface, changes?: import("./types").Answers) => void} decide
 * @property {import("./types").Emit} emit
 */

const { texts, categories, services, appearance, privacy_url, language: lang, direction: dir } = __CONSENT__;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/**
 * An element. Functions become handlers; attributes that are null and children that are nothing are left out.
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {unknown[]} children
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value == "function") /** @type {any} */ (made)[name] = value;
    else if (value != null) made.setAttribute(name, /** @type {string} */ (value));
  }
  made.append(.../** @type {Node[]} */ (children.filter(Boolean)));
  return made;
}

/** @param {string} name @param {unknown} onclick @param {Record<string, unknown>} [attributes] */
export const button = (name, onclick, attributes) => element("button", { type: "button", onclick, ...attributes }, name);

/** @param {Record<string, unknown>} attributes @param {unknown[]} children */
export const host = (attributes, ...children) => element("div", { lang, dir, "data-theme": appearance.theme, ...attributes }, ...children);

/** @param {HTMLElement} host @param {Node[]} children */
export function shadow(host, ...children) {
  const root = host.attachShadow({ mode: "open" });
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(css.replace(/[^{}](?=[;}])/g, "$&!important"));
  root.adoptedStyleSheets = [sheet];
  root.append(...children);
  return host;
}

/**
 * Draws once the place is there: the script may run before the body is parsed. A root that never comes is the body.
 * @param {string | undefined} selector @param {(root: Element) => void} draw
 */
export function whenThere(selector, draw) {
  const root = document.querySelector(selector || "body") || (document.readyState != "loading" && document.body);
  if (root) draw(root);
  else setTimeout(whenThere, 9, selector, draw);
}

/** @param {Parts} parts */
export function createView(parts) {
  const { root, headless, live, emit } = parts;
  const status = element("div", { role: "status" });
  const reopen = button("⚙\ufe0e", open, { class: "reopen", "aria-label": texts.reopen, title: texts.reopen });
  const dock = host({ id: "consent-reopen", "data-side": appearance.reopen });
  /** @type {HTMLElement | undefined} */
  let banner;
  /** @type {HTMLDialogElement | undefined} */
  let dialog;

  function open() {
    if (dialog?.open) return;
    dialog = createPreferences(parts);
    const top = shadow(host({ id: "consent-preferences" }), dialog);
    root.append(top);
    dialog.onclose = () => (top.remove(), emit("close"));
    dialog.showModal();
    emit("open");
  }

  const close = () => dialog?.close();

  /** Draws what the state asks for. Focus that was in what goes is led to the control that stays. */
  function sync() {
    const inside = dialog?.open || banner?.contains(document.activeElement);
    close();
    if (headless) return;
    if (!live()) {
      banner = banner || createBanner(parts, open);
      reopen.remove();
      if (!banner.isConnected) root.prepend(banner);
      return;
    }
    banner?.remove();
    if (appearance.reopen != "none" && !reopen.isConnected) dock.append(reopen);
    if (inside && document.activeElement == document.body) reopen.focus();
  }

  function announce() {
    status.textContent = "";
    setTimeout(() => (status.textContent = texts.saved), 99); // a region that changes is read, one that appears is not
  }

  root.append(shadow(dock, element("slot", {}), status));
  sync();
  return { open, close, sync, announce };
}

/**
 * What both layers begin with. The title takes the focus of a dialog: its words are read first, and no answer is one
 * key away.
 * @param {boolean} gpc @param {string} title @param {string} body
 */
const words = (gpc, title, body) => [
  element("h2", { id: "consent-title", tabindex: -1, autofocus: "" }, title),
  element("p", {}, body),
  gpc && element("p", {}, texts.gpc),
];

/** The two answers, the same in all but their words. @param {Parts} parts @param {import("./types").Surface} surface */
function answers({ state, decide }, surface) {
  const granting = /given|partial/.test(state().status);
  return [
    button(texts.accept, () => decide("accept_all", surface), { id: "consent-accept", class: "answer" }),
    button(granting ? texts.withdraw : texts.reject, () => decide(granting ? "withdraw" : "reject_all", surface),
      { id: "consent-reject", class: "answer" }),
  ];
}

/** @param {string} name @param {unknown} onclick */
const cross = (name, onclick) => button("×", onclick, { id: "consent-close", class: "x", "aria-label": name });

/** The first layer. Its X and Escape refuse. @param {Parts} parts @param {() => void} open */
function createBanner(parts, open) {
  const refuse = () => parts.decide("reject_all", "banner");
  const onkeydown = (/** @type {KeyboardEvent} */ event) => event.key == "Escape" && refuse();
  return shadow(host({ id: "consent-banner", role: "dialog", "aria-labelledby": "consent-title", "data-side": appearance.reopen, onkeydown },
    ...words(parts.gpc, texts.title, texts.body),
    privacy_url && element("a", { href: privacy_url }, texts.privacy_link),
    ...answers(parts, "banner"),
    button(texts.preferences, open, { id: "consent-choose" }),
    cross(texts.close, refuse)), element("slot", {}));
}

/** The second layer, built when it is wanted. Its X and Escape change nothing. @param {Parts} parts */
function createPreferences(parts) {
  const { state, decide } = parts;
  const surface = "preferences";
  const rows = categories.map(category => row(category, state().grants[category.id]));
  const save = () => decide("custom", surface, Object.fromEntries(rows.map(({ input }) => [input.name, input.checked])));
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-labelledby": "consent-title" },
    ...words(parts.gpc, texts.preferences_title, texts.preferences_body),
    ...rows.map(one => one.node),
    element("div", { class: "row" }, ...answers(parts, surface), button(texts.save, save, { id: "consent-save" })),
    cross(texts.dismiss, () => dialog.close())));
  return dialog;
}

/** @param {import("./types").Category} category @param {boolean} on */
function row({ id, name, purpose, necessary }, on) {
  const names = services.filter(one => one.category == id).map(one => one.name).join(", ");
  const input = /** @type {HTMLInputElement} */ (element("input", {
    type: "checkbox", role: "switch", name: id, id: "consent-for-" + id, "aria-describedby": id,
    checked: on ? "" : null, disabled: necessary ? "" : null,
  }));
  const label = element("label", {}, element("b", {}, name), necessary && texts.always_on, input);
  return { input, node: element("section", {}, label, element("p", { id }, purpose), names && element("p", {}, names)) };
}

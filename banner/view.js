// The banner, the preferences and the control that reopens them. Its rule: it draws what the state says and hands
// every click on; it decides nothing. Words reach the page as text, looks as constructed sheets that withstand the
// page's own: an important declaration inside a shadow root wins over any outside.
import css from "./style.css";

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

/**
 * @typedef {object} Parts
 * @property {import("./types").Config} config
 * @property {boolean} gpc
 * @property {boolean} headless
 * @property {Element} root
 * @property {() => import("./types").State} state
 * @property {() => boolean} live whether there is a choice that holds
 * @property {(action: import("./types").Action, surface: import("./types").Surface, changes?: import("./types").Answers) => void} decide
 * @property {import("./types").Emit} emit
 */

/** @param {Parts} parts */
export function createView(parts) {
  const { config, root, headless, live, emit } = parts;
  const { texts } = config;
  const status = element("div", { role: "status" });
  const reopen = button("⚙\ufe0e", open, { class: "reopen", "aria-label": texts.reopen, title: texts.reopen });
  const dock = host(config, "reopen");
  /** @type {HTMLElement | undefined} */
  let banner;
  /** @type {ReturnType<typeof createPreferences> | undefined} */
  let preferences;

  function open() {
    if (!preferences) root.append((preferences = createPreferences(parts)).host);
    if (preferences.dialog.open) return;
    preferences.show();
    emit("open");
  }

  const close = () => preferences && preferences.dialog.close();

  /** Draws what the state asks for. Focus that was in what goes is led to the control that stays. */
  function sync() {
    const inside = preferences?.dialog.open || banner?.contains(document.activeElement);
    close();
    banner?.remove();
    reopen.remove();
    if (headless) return;
    if (!live()) return root.prepend((banner = banner || createBanner(parts, open)));
    if (config.appearance.reopen != "none") dock.append(reopen);
    if (inside && document.activeElement == document.body) reopen.focus();
  }

  function announce() {
    status.textContent = "";
    setTimeout(() => (status.textContent = texts.saved), 99); // a region that changes is read, one that appears is not
  }

  root.append(shadow(dock, element("slot", {}), status));
  sync();
  return { open, close, sync, announce, shown: !!banner };
}

/**
 * @param {import("./types").Config} config @param {string} name @param {Record<string, unknown>} [attributes]
 * @param {unknown[]} children
 */
function host({ language: lang, direction: dir, appearance: { theme, reopen } }, name, attributes, ...children) {
  return element("div", { id: "consent-" + name, lang, dir, "data-theme": theme, "data-side": reopen, ...attributes }, ...children);
}

/** The first layer. @param {Parts} parts @param {() => void} open */
function createBanner({ config, gpc, decide }, open) {
  const { texts, privacy_url } = config;
  const refuse = () => decide("reject_all", "banner");
  const onkeydown = (/** @type {KeyboardEvent} */ event) => event.key == "Escape" && refuse();
  return shadow(host(config, "banner", { role: "dialog", "aria-labelledby": "consent-title", onkeydown },
    element("h2", { id: "consent-title" }, texts.title),
    element("p", {}, texts.body),
    gpc && element("p", {}, texts.gpc),
    privacy_url && element("a", { href: privacy_url }, texts.privacy_link),
    button(texts.accept, () => decide("accept_all", "banner"), { id: "consent-accept", class: "yes" }),
    button(texts.reject, refuse, { id: "consent-reject", class: "no" }),
    button(texts.preferences, open, { id: "consent-choose" }),
    button("×", refuse, { id: "consent-close", class: "x", "aria-label": texts.close })), element("slot", {}));
}

/** The second layer, built when it is first wanted. @param {Parts} parts */
function createPreferences({ config, gpc, state, decide, emit }) {
  const { texts, categories } = config;
  const surface = "preferences";
  const granting = () => /given|partial/.test(state().status);
  const rows = categories.map(category => row(config, category));
  const inputs = rows.map(one => /** @type {HTMLInputElement} */ (one.querySelector("input")));
  const save = () => decide("custom", surface, Object.fromEntries(inputs.map(one => [one.name, one.checked])));
  const refuse = button("", () => decide(granting() ? "withdraw" : "reject_all", surface), { class: "no" });
  const title = element("h2", { id: "title", tabindex: -1 }, texts.preferences_title);
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-labelledby": "title", onclose: () => emit("close") },
    title,
    element("p", {}, texts.preferences_body),
    gpc && element("p", {}, texts.gpc),
    ...rows,
    element("div", { class: "row" },
      button(texts.accept, () => decide("accept_all", surface), { class: "yes" }),
      refuse,
      button(texts.save, save)),
    button("×", () => dialog.close(), { class: "x", "aria-label": texts.dismiss })));

  function show() {
    for (const one of inputs) one.checked = state().grants[one.name];
    refuse.textContent = granting() ? texts.withdraw : texts.reject;
    dialog.showModal();
    title.focus(); // its words are read first, and no answer is one key away
  }
  return { host: shadow(host(config, surface), dialog), dialog, show };
}

/** @param {import("./types").Config} config @param {import("./types").Category} category */
function row({ services, texts }, { id, name, purpose, necessary }) {
  const names = services.filter(one => one.category == id).map(one => one.name).join(", ");
  return element("section", {},
    element("label", {},
      element("b", {}, name),
      necessary && texts.always_on,
      element("input", { type: "checkbox", role: "switch", id: "for-" + id, name: id, "aria-describedby": id, disabled: necessary ? "" : null })),
    element("p", { id }, purpose),
    names && element("p", {}, names));
}

// What stands where an embed waits: a box of the same size that says who would be loaded and why it is not.
// It copies the embed's place in the layout, so that nothing shifts when the one takes the other's turn.
import { button, element, host, shadow } from "./view.js";

/** @typedef {(action: import("./types").Action, id: string) => void} Choose */

const { texts, services, categories } = __CONSENT__;

/**
 * Makes the function that holds an embed's place. It returns what takes the placeholder away again.
 * @param {Choose} choose @param {boolean} single whether one embed can be let in by itself
 */
export const createPlaceholders = (choose, single) =>
  /** @param {HTMLElement} embed @param {() => void} once */
  (embed, once) => {
    const computed = getComputedStyle(embed);
    const isTemplate = embed.localName == "template"; // has a place in the layout once it is told one
    const display = isTemplate ? "block" : computed.display;
    const show = hide(embed.style);
    const { width, height, aspectRatio } = computed; // undisplayed, percentages stay percentages: the box follows the page
    const auto = width == "auto";
    // No words fit a counting pixel, and nothing shows of a picture without a size, nor of a source inside its medium.
    if (display == "none" || parseFloat(width) < 48 || parseFloat(height) < 24 ||
      (auto && /img|source|template/.test(embed.localName))) return show(), show;
    const box = shadow(host("", { class: "consent-placeholder" }), inside(embed.dataset, single && once, choose));
    embed.before(box);
    const { style } = box;
    const own = getComputedStyle(box);
    for (const name of computed) {
      const value = computed.getPropertyValue(name);
      if (value != own.getPropertyValue(name)) style.setProperty(name, value);
    }
    style.overflow = "hidden"; // puts the box on the line as an embed stands
    style.display = display == "inline" ? "inline-block" : display;
    if (auto) style.width = "300px"; // what browsers give an embed without a size
    if (height == "auto" && aspectRatio == "auto") style.height = "150px";
    return () => (box.remove(), show());
  };

/** @param {CSSStyleDeclaration} style */
function hide(style) {
  const { display } = style;
  style.setProperty("display", "none", "important");
  return () => style.setProperty("display", display);
}

/** @param {DOMStringMap} marks @param {false | (() => void)} once @param {Choose} choose */
function inside({ consent, service }, once, choose) {
  const category = categories.find(one => one.id == consent);
  const named = service ? services.find(one => one.id == service) : category;
  const title = texts.placeholder.replace("{service}", (named || category)?.name || "");
  return host("", { class: "hold", role: "group", "aria-label": title },
    element("b", {}, title),
    element("p", {}, texts.placeholder_why.replace("{category}", category?.name || "")),
    element("div", { class: "row" },
      once && button(texts.load_once, () => (once(), named && choose("load_once", named.id))),
      named && button(texts.always_allow, () => choose("custom", named.id))));
}

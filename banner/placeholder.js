// What stands where an embed waits: a box of the same size that says who would be loaded and why it is not.
// It copies the embed's place in the layout, so that nothing shifts when the one takes the other's turn.
import { button, element, host, shadow } from "./view.js";

const { texts, services, categories } = __CONSENT__;

const KINDS = /^(iframe|video|audio|embed|object|img)$/;

// What decides where a box stands and how large it is.
const PLACE = /^(width|height|m(ax|in|argin)-|aspect|padding|border|box-s|float|position|top|right|bottom|left|z-|flex|order|grid|align|justify|vertical)/;

/**
 * Makes the function that holds an embed's place. It returns what takes the placeholder away again.
 * @param {(id: string) => void} always
 */
export const createPlaceholders = always =>
  /** @param {HTMLElement} embed @param {() => void} once */
  (embed, once) => {
    const computed = getComputedStyle(embed);
    const { display } = computed;
    const show = hide(embed);
    if (display == "none" || !KINDS.test(embed.localName) || isTiny(computed, embed)) return show(), show;
    const box = host({ class: "consent-placeholder" });
    const { style } = box;
    for (const name of computed) if (PLACE.test(name)) style.setProperty(name, computed.getPropertyValue(name));
    style.display = display == "inline" ? "inline-block" : display;
    if (isAuto(computed.width)) style.width = "300px"; // what browsers give an embed without a size
    if (isFree(computed)) style.height = embed.localName == "audio" ? "54px" : "150px";
    embed.before(shadow(box, inside(embed.dataset, once, always)));
    return () => (box.remove(), show());
  };

/** Undisplayed, an embed's percentages stay percentages when read: the box follows the page like it. @param {HTMLElement} embed */
function hide({ style }) {
  const { display } = style;
  style.setProperty("display", "none", "important");
  return () => style.setProperty("display", display);
}

/** @param {string} length */
const isAuto = length => length == "auto";

/** @param {CSSStyleDeclaration} style */
const isFree = ({ height, aspectRatio }) => isAuto(height) && isAuto(aspectRatio);

/** Too small to hold words, as a counting pixel is. @param {CSSStyleDeclaration} style @param {Element} embed */
const isTiny = (style, { localName }) =>
  parseFloat(style.width) < 48 || parseFloat(style.height) < 24 || (localName == "img" && (isAuto(style.width) || isFree(style)));

/** @param {DOMStringMap} marks @param {() => void} once @param {(id: string) => void} always */
function inside({ consent, service }, once, always) {
  const category = categories.find(one => one.id == consent);
  const named = service ? services.find(one => one.id == service) : category;
  const title = texts.placeholder.replace("{service}", (named || category)?.name || "");
  return host({ class: "hold", role: "group", "aria-label": title },
    element("b", {}, title),
    element("div", {}, texts.placeholder_why.replace("{category}", category?.name || "")),
    element("div", { class: "row" },
      button(texts.load_once, once),
      named && button(texts.always_allow, () => always(named.id))));
}

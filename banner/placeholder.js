// What stands where an embed waits: a box of the same size that says who would be loaded and why it is not.
// It copies the embed's place in the layout, so that nothing shifts when the one takes the other's turn.
import { categories, services } from "./config.js";
import * as texts from "./texts.js";
import { button, element, host, shadow } from "./view.js";

/** @typedef {(action: import("./types").Action, id: string) => void} Choose */

// What makes up an embed's place in the layout. Undisplayed, percentages stay percentages: the box follows the page.
const PLACE = /^(?!.*(block|inline))(position|top|right|bottom|left|float|clear|margin|padding|border|box-s|width|height|m..-|aspect|flex|order|align|justify|grid|vertical|transf|z-)/;
/** @type {string[] | undefined} the properties of that kind that this browser knows */
let known;

/**
 * Makes what holds embeds' places: all of them are measured before the page is touched, so that a hundred cost one layout.
 * @param {Choose} choose @param {boolean} single whether one embed can be let in by itself
 */
export const createPlaceholders = (choose, single) => ({
  clear,

  /** @param {import("./blocker.js").Bed[]} beds */
  hold(beds) {
    const steps = beds.filter(one => fills(one.embed)).map(bed => place(bed, choose, single));
    for (let step = 0; step++ < 4;) for (const one of steps) one.next();
  },
});

/** Whether something stands in the page for itself; a background and a film's poster do not. @param {HTMLElement} embed */
const fills = ({ localName, dataset: { src, poster } }) => !/^(body|table|image|feImage)$/.test(localName) && (src || !poster);

/** One place, in four steps: reading and writing take turns. @param {import("./blocker.js").Bed} bed @param {Choose} choose @param {boolean} single */
function* place(bed, choose, single) {
  const { embed, it } = bed;
  const { dataset, localName, style } = embed;
  const computed = getComputedStyle(embed);
  const display = localName == "template" ? "block" : computed.display; // has a place in the layout once it is told one
  yield;
  dataset.consentDisplay = style.display; // where a copy of it finds it as well
  style.setProperty("display", "none", "important");
  yield;
  const { width, height, aspectRatio } = computed;
  known ||= [...computed].filter(name => PLACE.test(name));
  const copied = known.map(name => `${name}:${computed.getPropertyValue(name)};`).join("");
  const auto = width == "auto";
  yield;
  // No words fit a counting pixel, and nothing shows of a picture without a size, nor of a source inside its medium.
  if (display == "none" || parseFloat(width) < 48 || parseFloat(height) < 24 ||
    (auto && /img|source|template/.test(localName))) return clear(embed);
  const box = shadow(host("", { class: "consent-placeholder" }), inside(bed, single, choose));
  embed.before(box);
  box.style.cssText = copied;
  box.style.overflow = "hidden"; // puts the box on the line as an embed stands
  box.style.display = display == "inline" ? "inline-block" : display;
  if (auto) box.style.width = "300px"; // what browsers give an embed without a size
  if (height == "auto" && aspectRatio == "auto") box.style.height = "150px";
  it.box = box;
}

/** @param {HTMLElement} embed @param {HTMLElement} [box] */
function clear({ dataset, style }, box) {
  box?.remove();
  if (dataset.consentDisplay == null) return;
  style.setProperty("display", dataset.consentDisplay);
  delete dataset.consentDisplay;
}

/** @param {import("./blocker.js").Bed} bed @param {boolean} single @param {Choose} choose */
function inside({ embed, enter, lead }, single, choose) {
  const { consent, service } = embed.dataset;
  const category = categories.find(one => one.id == consent);
  const named = service ? __SERVICES__ && services.find(one => one.id == service) : category;
  if (!named) console.warn(`consent: this policy has no "${service || consent}"`);
  const title = texts.placeholder.replace("{service}", (named || category)?.name || "");
  return host("", { class: "hold", role: "group", "aria-label": title },
    element("b", {}, title),
    element("p", {}, texts.placeholder_why.replace("{category}", category?.name || "")),
    element("div", { class: "row" },
      single && button(texts.load_once, () => (enter(), lead(), named && choose("load_once", named.id))),
      named && button(texts.always_allow, () => (choose("custom", named.id), lead()))));
}

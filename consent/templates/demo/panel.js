// The panel: what `window.consent` says, drawn anew whenever it says something else. Its rule: it uses the public API
// and the published addresses only, so that any website could have the same.
import { decode, verify } from "./receipt.js";

const SENTENCES = {
  unknown: "You have not decided yet.",
  given: "You have allowed everything.",
  partial: "You have allowed a part.",
  refused: "You have refused everything that could be refused.",
  withdrawn: "You have taken your consent back.",
  expired: "Your choice has lapsed; you are asked again.",
  outdated: "The policy has changed since your choice; you are asked again.",
};

/** What each service of the demo does once awake; null while it does nothing. */
const ALIVE = {
  "demo-tracker": () => document.documentElement.dataset.tracked && `Awake: ran at ${document.documentElement.dataset.tracked}.`,
  "demo-video": () => document.querySelector("iframe[src]") && "Awake: the film plays.",
  "demo-badge": () => document.querySelector(".badge img") && "Awake: the badge is shown.",
};

const find = id => document.getElementById(id);
const text = (id, words) => (find(id).textContent = words);
const pretty = value => JSON.stringify(value, null, 2);
const cookies = () => document.cookie.split("; ").map(one => one.split("=")[0]);

/** Everything follows `window.consent`, whether it is there already or comes later. @param {HTMLElement} panel */
export function startPanel(panel) {
  if (window.consent?.granted) return follow(panel, window.consent);
  document.addEventListener("consent:ready", () => follow(panel, window.consent), { once: true });
}

function follow(panel, consent) {
  const drawn = () => draw(panel, consent);
  const receipt = () => drawReceipt(panel.dataset, consent);
  for (const event of ["ready", "decide", "change"]) consent.on(event, () => (tidy(panel, consent), drawn(), receipt()));
  consent.on("recorded", () => (setTimeout(drawn), receipt())); // when the browser has been told that it is sent
  consent.on("error", ({ status }) => judge("bad", `The server has refused to record your choice (${status}).`));
  document.addEventListener("demo:tracked", drawn);
  const awake = { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] };
  new MutationObserver(drawn).observe(document.querySelector("main"), awake);
}

/** A tracker does not clean up after itself: what it kept goes with its consent. */
function tidy(panel, consent) {
  for (const { dataset } of panel.querySelectorAll("[data-cookies]")) {
    if (consent.granted(dataset.grant)) continue;
    for (const name of dataset.cookies.split(" ")) document.cookie = `${name}=; Path=${panel.dataset.home}; Max-Age=0`;
  }
}

function draw(panel, consent) {
  const { status, subject } = consent.state;
  text("status", status);
  find("status").dataset.status = status;
  text("sentence", SENTENCES[status]);
  for (const chip of panel.querySelectorAll("[data-grant]")) drawGrant(chip, consent.granted(chip.dataset.grant));
  for (const line of panel.querySelectorAll("[data-alive]")) drawAlive(line, consent.granted(line.dataset.alive));
  const kept = keptNames(panel);
  find("kept").replaceChildren(...(kept.length ? kept : ["Nothing."]).map(item));
  point("state-link", panel.dataset.state, subject);
  point("history-link", panel.dataset.history, subject);
}

function drawGrant(chip, granted) {
  chip.textContent = "necessary" in chip.dataset ? "always on" : granted ? "granted" : "not granted";
  chip.dataset.granted = granted;
}

function drawAlive(line, granted) {
  const awake = ALIVE[line.dataset.alive]?.();
  const late = line.dataset.alive == "demo-tracker" ? " Its cookie is gone; it will not run again." : " For this page view only.";
  line.textContent = !awake ? "Asleep: nothing is requested." : granted ? awake : awake + late;
  line.classList.toggle("awake", !!awake && granted);
}

/** Names of what the site and its services keep; other people's cookies are none of this page's business. */
function keptNames(panel) {
  const ours = [...panel.querySelectorAll("[data-cookies]")].flatMap(({ dataset }) => dataset.cookies.split(" "));
  const { cookie } = find("kept").dataset;
  const known = [cookie, cookie + "_sent", ...ours].filter(name => name && cookies().includes(name));
  return [...known.map(name => ["cookie", name]), ...stored(panel.dataset.site).map(name => ["storage", name])];
}

function stored(site) {
  try {
    return [`consent:receipt:${site}`, `consent:outbox:${site}`].filter(name => (localStorage.getItem(name) ?? "[]") != "[]");
  } catch {
    return [];
  }
}

function item(words) {
  const made = document.createElement("li");
  if (typeof words == "string") return made.append(words), made;
  const [kind, name] = words;
  const code = document.createElement("code");
  code.textContent = name;
  made.append(code, " ", kind);
  return made;
}

/** The address of this subject's records. */
function point(id, address, subject) {
  const link = find(id);
  link.parentElement.hidden = !subject;
  if (subject) link.href = address.replace("SUBJECT", subject);
}

async function drawReceipt({ jwks, site }, consent) {
  const token = consent.receipt();
  const { state } = consent;
  find("receipt").hidden = true;
  if (state.status == "unknown") return judge("", "There is none yet: you get one with your first choice, a refusal included.");
  if (stored(site).some(name => name.includes("outbox"))) return judge("", "Your choice holds already; its receipt is on its way from the server.");
  if (!token) return judge("", "This browser has kept no receipt; the server still has it.");
  try {
    await show(decode(token), { jwks, site, state }, () => token == consent.receipt() && state == consent.state);
  } catch (error) {
    judge("", typeof error == "string" ? error : "The receipt in this browser cannot be read.");
  }
}

/** @param {() => boolean} newest whether nothing has changed while the browser was checking */
async function show(receipt, parts, newest) {
  text("header", pretty(receipt.header));
  text("claims", pretty(receipt.claims));
  text("token", receipt.token);
  find("checks").replaceChildren();
  find("receipt").hidden = false;
  const checks = await verify(receipt, parts);
  if (!newest()) return;
  find("checks").replaceChildren(...checks.map(check));
  const good = checks.every(([, holds]) => holds);
  judge(good ? "good" : "bad", good ? "Verified in this browser." : "Not verified: a check below fails.");
}

function check([words, holds]) {
  const made = item(`${words}${holds ? "" : ": no"}`);
  made.className = holds ? "good" : "bad";
  return made;
}

function judge(kind, words) {
  text("verdict", words);
  find("verdict").className = `verdict ${kind}`;
}

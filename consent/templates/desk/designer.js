/* The designer with JavaScript: the preview and the findings follow as one types. Without it, each save shows them. */

const form = document.getElementById("designer");
const switches = document.getElementById("switches");
const stage = document.getElementById("stage");
const findings = document.getElementById("findings");
const ended = document.getElementById("ended");
const PAUSE = 350; // milliseconds without a key

let timer;
let count = 0;
let changed = false;
let sending = false;
let sure = false; // that what is sent arrives

const asked = () => new URLSearchParams([...new FormData(switches)]).toString();

/* A fresh frame each time: it leaves nothing in the browser's history. */
function show() {
  const name = "preview-" + ++count;
  const old = stage.querySelector("iframe:not(.coming)") || stage.lastElementChild;
  for (const one of stage.querySelectorAll(".coming")) one.remove();
  const frame = document.createElement("iframe");
  Object.assign(frame, { name, title: old.title, className: "coming" });
  frame.sandbox = "allow-scripts";
  stage.append(frame);
  send(name);
  frame.onload = () => setTimeout(() => {
    if (name != "preview-" + count) return;
    old.remove();
    frame.className = "";
    stage.className = "stage " + switches.elements.device.value;
  }, 50);
}

function send(name) {
  const { target, action } = form;
  form.target = name;
  form.action = form.dataset.preview + "?" + asked() + edited();
  form.submit();
  form.target = target;
  form.action = action;
}

/* Which language and service the form is about stands in its address. */
function edited() {
  const query = new URL(form.action).searchParams;
  for (const name of ["device", "lang", "scheme", "regime", "layer"]) query.delete(name);
  const already = new FormData(switches);
  for (const name of [...query.keys()]) if (already.has(name)) query.delete(name);
  return query.size ? "&" + query : "";
}

/* What the service says of the form; null where it says nothing, and the page then tells what to do. */
async function heard() {
  const answer = await fetch(form.dataset.findings, { method: "POST", body: new FormData(form) }).catch(() => null);
  const session = [400, 401].includes(answer?.status) ? await renewed() : !answer || answer.redirected ? "over" : "same";
  ended.hidden = session != "over";
  if (session == "new") return heard();
  return answer?.ok && !answer.redirected ? answer : null;
}

/* Which session the page may go on in; the form takes the token of one that was begun in another window meanwhile. */
async function renewed() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || answer.redirected) return "over";
  const [, token] = (await answer.text()).match(/name="csrf_token" value="([^"]+)"/) || [];
  const held = form.elements.csrf_token;
  if (!answer.ok || !token || token == held.value) return "same";
  held.value = token;
  return "new";
}

async function look() {
  const answer = await heard();
  if (!answer) return;
  findings.innerHTML = await answer.text();
  const summary = findings.querySelector(".summary").textContent;
  const said = document.getElementById("said");
  if (said.textContent != summary) said.textContent = summary; // heard only when it is another one
  const told = new Map();
  for (const { dataset: { path, message } } of findings.querySelectorAll("[data-path]")) {
    told.set(path, [...(told.get(path) || []), message]);
  }
  for (const why of form.querySelectorAll("[data-why]")) mark(why, told);
}

/* A mistake inside a list belongs to the field that holds the list. */
function mark(why, told) {
  const path = why.dataset.why;
  const inside = where => where.startsWith(path) && /^(\[\d+\])*$/.test(where.slice(path.length));
  const found = [...told].filter(([where]) => inside(where)).flatMap(([, text]) => text);
  why.textContent = found.join(" ");
  why.hidden = !found.length;
  const field = document.getElementById("f-" + path);
  if (found.length) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
}

/* A finding about a field of this page leads there without leaving what was typed. */
findings?.addEventListener("click", event => {
  const field = document.getElementById(decodeURIComponent(event.target.closest?.("a")?.hash.slice(1) || ""));
  if (!field) return;
  event.preventDefault();
  const group = field.closest("details");
  if (group) group.open = true;
  field.focus();
});

/* Sent only to a service that answers and knows who one is: what was typed would be gone with the page. */
async function sendOnce(button) {
  if (sending) return;
  sending = true;
  await heard();
  sending = false;
  sure = ended.hidden;
  if (sure) form.requestSubmit(button);
  else ended.scrollIntoView({ block: "center" });
  sure = false;
}

function follow() {
  clearTimeout(timer);
  timer = setTimeout(async () => (await look(), ended.hidden && show()), PAUSE);
}

if (form?.dataset.preview) {
  switches.addEventListener("change", show);
  switches.addEventListener("submit", event => (event.preventDefault(), show()));
  form.addEventListener("input", event => {
    if (event.target.name == "edit" || event.target.name == "known" || event.target.name == "category") return;
    changed = true;
    follow();
  });
  form.addEventListener("submit", event => sure ? (changed = false) : (event.preventDefault(), sendOnce(event.submitter)));
  addEventListener("beforeunload", event => changed && event.preventDefault());
  const typed = [...form.elements].some(one => one.name && "defaultValue" in one && one.value != one.defaultValue);
  for (const picker of form.querySelectorAll("[data-color]")) pick(picker);
  if (typed || document.querySelector("[role=alert]")) (changed = true), follow(); // before this script ran, or not saved yet
}

/* A colour may be typed or picked; the two fields follow each other. */
function pick(picker) {
  const text = document.getElementById(picker.dataset.color);
  const take = () => {
    const value = text.value.trim() || text.dataset.usual;
    if (/^#[0-9a-f]{6}$/i.test(value)) picker.value = value;
    if (/^#[0-9a-f]{3}$/i.test(value)) picker.value = value.replace(/[0-9a-f]/gi, "$&$&");
  };
  picker.hidden = false;
  take();
  text.addEventListener("input", take);
  picker.addEventListener("input", () => (text.value = picker.value));
}

/* A browser that has been on the website keeps its script for minutes; this one fetches it anew at once. */
const published = document.querySelector("[data-refresh]");
if (published) fetch(published.dataset.refresh, { cache: "reload" }).catch(() => {});

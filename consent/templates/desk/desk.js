/* What is nicer with JavaScript; every page reads and exports without it. */

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    document.getElementById("copied").textContent = button.dataset.copied;
  });
}

/* On a phone the menu scrolls sideways: the page that one is on stands at its beginning. */
for (const here of document.querySelectorAll("nav [aria-current]")) {
  const list = here.closest("ul");
  list.scrollLeft = here.offsetLeft - list.offsetLeft;
}

/* A form that is on its way is not sent a second time; what answers with a file leaves the page as it was. */
const WAY = 3000; // milliseconds
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method != "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, WAY);
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key != "Escape") return;
  const menu = document.querySelector(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* How far a download has come: the page names it by a key and asks until it is at its end. */
const SECOND = 1000; // milliseconds between two questions
const PATIENCE = 30; // questions in a row without an answer
const coming = document.getElementById("coming");
const came = document.getElementById("came");
let awaited;

for (const link of document.querySelectorAll("[data-progress]")) link.addEventListener("click", () => {
  const plain = link.href;
  awaited = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
  const address = new URL(plain);
  address.searchParams.set("key", awaited);
  link.href = address;
  setTimeout(() => (link.href = plain)); // what the browser asks for again is another download
  const [bar, text] = coming.children;
  bar.removeAttribute("value");
  text.textContent = text.dataset.first;
  coming.hidden = false;
  came.textContent = "";
  ask(link, awaited);
});

async function ask(link, key, unanswered = 0) {
  await new Promise(done => setTimeout(done, SECOND));
  const told = await answered(`${link.dataset.progress}?key=${key}`).catch(() => null);
  if (key != awaited) return;
  if (told?.stage == "coming") {
    coming.firstElementChild.value = told.done;
    coming.lastElementChild.textContent = told.text;
  }
  coming.hidden = told ? told.stage != "coming" : unanswered == PATIENCE;
  if (!coming.hidden) return ask(link, key, told ? 0 : unanswered + 1);
  came.textContent = told ? told.text : link.dataset.unknown;
}

async function answered(where) {
  const answer = await fetch(where);
  return answer.ok && !answer.redirected ? answer.json() : null;
}
